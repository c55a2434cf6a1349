"""A bare agent loop over the real Gemini client, and tools just good enough to let a script play on a real folder."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google import genai
from google.genai import types

MODEL = "gemini-3.8-flash"
_STRING = {"type": "string"}
_INTEGER = {"type": "integer"}


def _declared(name: str, required: list[str], **more: dict[str, Any]) -> types.FunctionDeclaration:
    schema = {
        "type": "object",
        "properties": dict.fromkeys(required, _STRING) | more,
        "required": required,
        "additionalProperties": False,
    }
    return types.FunctionDeclaration(name=name, description=name, parameters_json_schema=schema)


TOOLS = [
    _declared("read_file", ["path"], start_line=_INTEGER, end_line=_INTEGER),
    _declared("write_file", ["path", "content"]),
    _declared("edit_file", ["path", "old", "new"], count=_INTEGER),
    _declared("list_files", [], path=_STRING, pattern=_STRING),
    _declared("search_files", ["pattern"], path=_STRING, glob=_STRING),
    _declared("run_shell_command", ["command"]),
]
REPORT_TOOL = _declared("get_error_report", [])


def client(url: str, key: str) -> genai.Client:
    """The real SDK client, pointed at the virtual Gemini, with no retries of its own."""
    options = types.HttpOptions(base_url=url, timeout=10_000, retry_options=types.HttpRetryOptions(attempts=1))
    return genai.Client(api_key=key, http_options=options)


def settings(
    plugin: str, playbook: str, tools: list[types.FunctionDeclaration] | None = None, **more: Any
) -> types.GenerateContentConfig:
    """What a run sets, with the two lines that the script is found by."""
    return types.GenerateContentConfig(
        system_instruction=f"You maintain a plugin.\n\nPlugin: {plugin}\nPlaybook: {playbook} 1.0.0\n",
        tools=[types.Tool(function_declarations=TOOLS if tools is None else tools)],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        automatic_continuation=False,
        temperature=0,
        seed=7,
        **more,
    )


def said(text: str) -> types.Content:
    """A user turn."""
    return types.Content(role="user", parts=[types.Part(text=text)])


def answered(calls: list[types.FunctionCall], outputs: list[dict[str, Any]]) -> types.Content:
    """The user turn with the tool results."""
    parts = [
        types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response=output))
        for call, output in zip(calls, outputs, strict=True)
    ]
    return types.Content(role="user", parts=parts)


def calls_of(content: types.Content) -> list[types.FunctionCall]:
    return [part.function_call for part in content.parts or [] if part.function_call]


@dataclass
class Workspace:
    """A folder with the tools over it."""

    folder: Path
    report: str = ""
    commands: list[tuple[str, int]] = field(default_factory=list)

    def use(self, name: str, args: dict[str, Any]) -> dict[str, Any]:
        """What a tool answers."""
        try:
            return {"output": getattr(self, f"_{name}")(**args)}
        except (OSError, ValueError) as error:
            return {"error": str(error)}

    def _get_error_report(self) -> str:
        return self.report

    def _list_files(self, path: str = ".", pattern: str = "") -> str:
        found = sorted((self.folder / path).rglob(pattern or "*"))
        names = [str(file.relative_to(self.folder)) for file in found if ".git" not in file.parts and file.is_file()]
        return "\n".join(names)

    def _read_file(self, path: str, start_line: int = 1, end_line: int | None = None) -> str:
        lines = (self.folder / path).read_text(encoding="utf-8").splitlines(keepends=True)
        return "".join(lines[start_line - 1 : end_line])

    def _write_file(self, path: str, content: str) -> str:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(content, encoding="utf-8")
        return f"created {path}"

    def _edit_file(self, path: str, old: str, new: str, count: int = 1) -> str:
        text = (self.folder / path).read_bytes().decode()
        if text.count(old) != count:
            msg = f"old stands {text.count(old)} times in {path}"
            raise ValueError(msg)
        (self.folder / path).write_bytes(text.replace(old, new).encode())
        return f"edited {path}"

    def _search_files(self, pattern: str, path: str = ".", glob: str = "*") -> str:
        hits = []
        for file in sorted((self.folder / path).rglob(glob)):
            if file.is_file() and ".git" not in file.parts:
                lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
                name = file.relative_to(self.folder)
                hits += [f"{name}:{number}:{line}" for number, line in enumerate(lines, 1) if re.search(pattern, line)]
        return "\n".join(hits)

    def _run_shell_command(self, command: str) -> str:
        done = run(command, self.folder)
        self.commands.append((command, done.returncode))
        return f"exit code {done.returncode}\nstdout:\n{done.stdout}\nstderr:\n{done.stderr}"


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A shell command as the bot's sandbox runs it: our Python first on PATH, nothing else of our environment."""
    env = {"PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    env |= {"PYTEST_ADDOPTS": "-p no:cacheprovider", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        command, shell=True, cwd=folder, capture_output=True, text=True, env=env, timeout=60, check=False
    )


def play(
    client: genai.Client, config: types.GenerateContentConfig, workspace: Workspace, prompt: str, *, steps: int = 30
) -> str:
    """Run the loop to its end and return what the model says last."""
    contents = [said(prompt)]
    for _ in range(steps):
        reply = client.models.generate_content(model=MODEL, contents=contents, config=config)
        content = reply.candidates[0].content
        contents.append(content)
        calls = calls_of(content)
        if not calls:
            return "".join(part.text or "" for part in content.parts or [] if not part.thought)
        contents.append(answered(calls, [workspace.use(call.name, dict(call.args or {})) for call in calls]))
    msg = f"no end after {steps} steps"
    raise AssertionError(msg)
