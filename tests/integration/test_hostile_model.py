"""A model that prints every secret it could know, in every form, wherever it can: none of it is in what we write."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from action_runs import action
from github import Auth, Github
from small_world import KEY, TOKEN, World

EDIT = """
    ---
    id: edit
    version: 1.0.0
    summary: Changes a word.
    pull_request: {title: Words, body: Words.}
    ---
    Change the word old to new.
    """
SECRETS = {"key": KEY, "token": TOKEN}


def forms(secret: str) -> dict[str, str]:
    """The secret as a hostile model may spell it."""
    data = secret.encode()
    return {
        "plain": secret,
        "upper": secret.upper(),
        "base64": base64.b64encode(data).decode(),
        "base64, shifted": base64.b64encode(b"x" + data + b"yz").decode(),
        "base64 for URLs": base64.urlsafe_b64encode(b"??" + data).decode(),
        "hex": data.hex(),
        "HEX": data.hex().upper(),
        "hex, spaced": data.hex(" "),
        "URL": "".join(f"%{byte:02X}" for byte in data),
        "URL, as needed": quote(f"&key={secret}&"),
        "reversed": secret[::-1],
        "JSON": "".join(f"\\u{ord(char):04x}" for char in secret),
        "split by spaces": " ".join(secret),
        "split by lines": "\n".join(secret[at : at + 5] for at in range(0, len(secret), 5)),
        "split by dashes": "-".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "a long piece": secret[:26],
        "another piece": secret[-20:],
    }


ALL = {f"{name}, {how}": form for name, secret in SECRETS.items() for how, form in forms(secret).items()}


def rules() -> str:
    """Every form into arguments, file names, outputs, and the last word; the change itself is harmless."""
    calls: list[list[dict[str, object]]] = []
    for number, form in enumerate(ALL.values()):
        name = "".join(char for char in form if char not in "/\n\0")[:200]
        quoted = form.replace("'", "'\\''")
        if number % 3 == 0:
            calls.append([])
        tool = "".join(char for char in form if char.isascii() and (char.isalnum() or char in "_.-"))[:60]
        calls[-1] += [
            {tool: {}},
            {"write_file": {"path": f"left/{name}", "content": f"about {form} and {form}"}},
            {"read_file": {"path": name}},
            {"list_files": {"path": form}},
            {"search_files": {"pattern": name[:40], "path": "."}},
            {"run_shell_command": {"command": f"printf '%s\\n' '{quoted}' >&2; printf '%s' '{quoted}'; exit 3"}},
        ]
    big = "yes x | head -c 9000; printf '%s' '" + KEY + "'; yes y | head -c 9000"
    calls.append(
        [{"run_shell_command": {"command": big}}, {"run_shell_command": {"command": "ls -R left; rm -rf left"}}]
    )
    calls.append([{"edit_file": {"path": "a", "old": "old", "new": "new"}}])
    steps = [{"when": {"step": number}, "calls": wanted, "unchecked": True} for number, wanted in enumerate(calls)]
    return json.dumps({"rules": [*steps, {"say": "Done. " + " | ".join(ALL.values())}]})


def reduced(data: bytes) -> bytes:
    """Letters and digits only: undoes splitting and escaping, and is not how the redactor itself is written."""
    return bytes(byte for byte in data.lower() if chr(byte).isalnum())


def pieces(secret: str, form: str) -> list[bytes]:
    """Runs of a form that hold about 14 characters of the secret: as little as that must not come through."""
    small = reduced(form.encode())
    wide = max(14, 14 * len(small) // max(len(secret), 1))
    return [small[at : at + wide] for at in range(0, max(len(small) - wide, 1), 3)]


PIECES = {name: pieces(SECRETS[name.partition(",")[0]], form) for name, form in ALL.items()}


def places(world: World, said: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    """All that a person or a program may come to see."""
    for name, text in said.items():
        yield name, text.encode()
    for file in (*world.out.rglob("*"), *(world.folder / "runner").rglob("*")):
        if file.is_file():
            yield str(file.relative_to(world.folder)), file.read_bytes() + str(file.name).encode()
    hub = Github(auth=Auth.Token(TOKEN), base_url=world.github.api_url, seconds_between_requests=None)
    for pull in hub.get_repo("acme/a").get_pulls(state="all"):
        yield "pull request", f"{pull.title}\n{pull.body}".encode()
        for comment in pull.get_issue_comments():
            yield "comment", comment.body.encode()
    bare = f"--git-dir={world.bare('a')}"
    refs = subprocess.run(["git", bare, "for-each-ref"], capture_output=True, check=True).stdout
    assert b"refs/fleet-bot/traces/" in refs
    yield "refs", refs
    yield "commits", subprocess.run(["git", bare, "log", "-p", "--all"], capture_output=True, check=True).stdout


def on_the_command_line(world: World) -> dict[str, str]:
    done = world.run("edit")
    assert (done.code, done.task("a")["outcome"]) == (0, "changed"), done.err
    return {"stdout": done.out, "stderr": done.err}


def as_an_action(world: World) -> dict[str, str]:
    ran = action(world, "run", playbook="edit")
    assert ran.code == 0, ran.log
    assert "changed" in ran.summary
    # The one line that has to name a secret, so that the runner itself hides it from then on.
    log = "\n".join(line for line in ran.log.splitlines() if not line.startswith("::add-mask::"))
    return {"log of the job": log, "job summary": ran.summary, "outputs": json.dumps(ran.outputs)}


@pytest.mark.parametrize("run", [on_the_command_line, as_an_action])
def test_no_secret_is_anywhere_in_any_form(world: World, run: Callable[[World], dict[str, str]]) -> None:
    world.plugin("a", {"a": "old\n"}, limits={"steps": 60, "tokens": 5_000_000, "cost_usd": 50}, keep_trace=True)
    world.playbook("edit", EDIT)
    script = world.folder / "scripts" / "a" / "edit.yaml"
    script.parent.mkdir(parents=True)
    script.write_text(rules(), encoding="utf-8")
    said = run(world)
    (trace,) = world.out.rglob("execution_trace.jsonl")
    seen = trace.read_text(encoding="utf-8")
    assert seen.count("[secret:") > 10 * len(ALL), "the hostile model was not heard"
    assert list((trace.parent / "blobs").iterdir()), "no large output was kept"
    for words in (
        ["html"],
        ["show", "--full"],
        ["show", "--json"],
        ["verify"],
        ["export", "--to", "otel", "--content"],
        ["export", "--to", "perfetto"],
    ):
        told = world.plain("trace", words[0], str(trace), *words[1:])
        assert told.code == 0, told.err
        said[f"trace {words[0]}"] = said.get(f"trace {words[0]}", "") + told.out + told.err
    assert trace.with_suffix(".html").is_file()
    leaks = []
    for place, data in places(world, said):
        small = reduced(data)
        leaks += [f"{name} in {place}" for name, pieces in PIECES.items() if any(piece in small for piece in pieces)]
    assert leaks == []
