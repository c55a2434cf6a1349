"""Stack traces as people of each language read them, from Sentry's frames; and the line that says what happened."""

from __future__ import annotations

import re
from typing import Any

_FRAMES = 60
_HEADLINES = (
    # Python: the line after the last frame. JavaScript and Java: the line before the first one.
    re.compile(r"^Traceback \(most recent call last\):\n(?:[ \t]+.*\n|\n)+([A-Za-z_][\w.]*(?::.*)?)$", re.MULTILINE),
    re.compile(r"^(?:Uncaught )?([A-Z]\w*(?:Error|Exception)(?::.*)?)\n\s+at ", re.MULTILINE),
    re.compile(r'^(?:Exception in thread "[^"\n]*" )?([\w.$]+(?:Exception|Error)(?::.*)?)\n\s+at ', re.MULTILINE),
)
_CAUSE = re.compile(r"^Caused by: ([\w.$]+(?::.*)?)$", re.MULTILINE)


def headline(text: str) -> str | None:
    """The line of a stack trace in the text that says what happened; of Java's causes the last one."""
    plain = text.replace("\r\n", "\n")
    for pattern in _HEADLINES:
        found = pattern.findall(plain)
        if found:
            causes = _CAUSE.findall(plain)
            return str(causes[-1] if causes else found[-1]).strip()
    return None


def of_sentry(exception: dict[str, Any], platform: str) -> str:
    """One exception with its frames; an empty text when there is nothing in it."""
    kind, value = _text(exception, "type"), _text(exception, "value")
    module = _text(exception, "module")
    head = ": ".join(word for word in (f"{module}.{kind}" if module and platform == "java" else kind, value) if word)
    stack = exception.get("stacktrace")
    frames = stack.get("frames") if isinstance(stack, dict) else None
    held = [frame for frame in frames if isinstance(frame, dict)][-_FRAMES:] if isinstance(frames, list) else []
    if not held:
        return head
    if platform == "python":
        lines = ["Traceback (most recent call last):"]
        for frame in held:
            lines.append(f'  File "{_place(frame)}", line {_line(frame)}, in {_text(frame, "function") or "?"}')
            lines += [f"    {code.strip()}"] if (code := _code(frame)) else []
        return "\n".join([*lines, head])
    # Sentry has the innermost frame last, these languages show it first.
    return "\n".join([head, *(f"    at {_called(frame, platform)}" for frame in reversed(held))])


def _called(frame: dict[str, Any], platform: str) -> str:
    function, line = _text(frame, "function") or "<anonymous>", _line(frame)
    if platform == "java":
        return f"{_text(frame, 'module')}.{function}({_text(frame, 'filename') or 'Unknown Source'}:{line})"
    column = frame.get("colno", frame.get("colNo"))
    return f"{function} ({_place(frame)}:{line}{f':{column}' if type(column) is int else ''})"


def _place(frame: dict[str, Any]) -> str:
    return _text(frame, "filename") or _text(frame, "absPath") or _text(frame, "abs_path") or "?"


def _line(frame: dict[str, Any]) -> str:
    found = frame.get("lineno", frame.get("lineNo"))
    return str(found) if type(found) is int else "?"


def _code(frame: dict[str, Any]) -> str:
    """The line of code: as it is in webhooks, in the middle of its neighbours in the API's answers."""
    if text := _text(frame, "context_line"):
        return text
    around = frame.get("context")
    number = frame.get("lineNo")
    pairs = [pair for pair in around if isinstance(pair, list) and len(pair) == 2] if isinstance(around, list) else []
    return next((str(code) for at, code in pairs if at == number), "")


def _text(holder: dict[str, Any], key: str) -> str:
    found = holder.get(key)
    return found if isinstance(found, str) else ""
