"""The vocabulary as a JSON Schema, and as a page for people, both made from `bot.trace.events` itself.

`python -m bot.trace.schema` writes `docs/schemas/trace.schema.json` and `docs/trace.md`; a test keeps them current.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from bot.base.values import Usage
from bot.trace import events
from bot.trace.events import EVENTS, SCHEMA_VERSION
from bot.trace.examples import EXAMPLES

SCHEMA_FILE = "docs/schemas/trace.schema.json"
PAGE_FILE = "docs/trace.md"
_PARTS: tuple[type[msgspec.Struct], ...] = (events.Clipped, events.TestCounts, events.SuiteSeen, Usage)
"""What fields of events are made of."""
_HASH = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_ENVELOPE: dict[str, tuple[dict[str, Any], str]] = {
    "v": ({"type": "integer", "minimum": 1}, "Version of the vocabulary."),
    "seq": ({"type": "integer", "minimum": 1}, "Number of the line, from 1 without gaps."),
    "time": ({"type": "string", "format": "date-time"}, "When it was written, UTC, to the microsecond."),
    "run": ({"type": "string"}, "Campaign and plugin: `<campaign>/<plugin>`."),
    "turn": ({"type": "integer", "minimum": 0}, "The model turn it belongs to; 0 for what fleet-bot does itself."),
    "event": ({"type": "string"}, "Which event it is."),
    "prev": ({"type": "string"}, "`hash` of the line before; empty in the first, or the head of a sealed trace."),
    "hash": (_HASH, "SHA-256 of the canonical JSON of the line without `hash`."),
}
_INTRODUCTION = f"""# The execution trace, version {SCHEMA_VERSION}

<!-- Made by `python -m bot.trace.schema`; a test keeps it current. -->

`execution_trace.jsonl` holds one JSON object a line, written before and after each action. Reading it:

- Fields and events that you do not know are to be skipped: they may be added without a new version. A field never
  changes its meaning.
- `tool_requested` is on disk before the tool runs. After a kill the file is a valid prefix, and what was requested and
  not completed was in flight. A last line without a newline at its end was cut and does not count.
- Durations are milliseconds, money is US dollars, hashes are hex SHA-256.
- Secrets are replaced by `[secret:1a2b3c4d]` before anything is written; the same secret has the same tag in one trace.
- An output longer than 8 KiB stands as head and tail; the whole lies in `blobs/<sha256>` beside the trace.
- What publishing does stands in `publish_trace.jsonl`, whose first `prev` is the head of the sealed trace.

Checking it: a line is compact JSON (no white space, no key twice) in UTF-8. Take the object without `hash`, sort its
keys at every level, write it without white space: the SHA-256 of that is `hash`. `prev` is the `hash` of the line
before. `run_finished` counts all lines and names the hash of the line before it; `proposal.json` seals the count and
the hash of the last line, so that a trace that was cut shows too. `fleet-bot trace verify` does all of this.

The same as a JSON Schema: [trace.schema.json](schemas/trace.schema.json). Working with traces: [traces.md](traces.md).

## Every line

"""


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of one line. Open: unknown events and fields are valid."""
    kinds = tuple(EVENTS.values())
    _, components = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    names = {name: kind.__name__ for name, kind in EVENTS.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A line of a fleet-bot execution trace, version {SCHEMA_VERSION}",
        "type": "object",
        "required": list(_ENVELOPE),
        "properties": {name: {**kind, "description": text} for name, (kind, text) in _ENVELOPE.items()},
        "allOf": [
            {
                "if": {"properties": {"event": {"const": name}, "v": {"const": SCHEMA_VERSION}}},
                "then": {"$ref": f"#/$defs/{kind}"},
            }
            for name, kind in names.items()
        ],
        "$defs": components,
    }


def page() -> str:
    """The vocabulary for people: every field of every event, with an example."""
    notes = _notes()
    parts = [_INTRODUCTION + _rows((name, kind["type"], text) for name, (kind, text) in _ENVELOPE.items())]
    for body in EXAMPLES:
        kind = type(body)
        example = msgspec.json.format(msgspec.json.encode(body), indent=2).decode()
        name = str(kind.__struct_config__.tag)
        parts.append(f"## {name}\n\n{_doc(kind)}\n\n{_rows(_fields(kind, notes))}\n\n```json\n{example}\n```")
    for part in _PARTS:
        parts.append(f"## {part.__name__}\n\n{_doc(part)}\n\n{_rows(_fields(part, notes))}")
    return "\n\n".join(parts) + "\n"


def write(root: Path) -> None:
    """Write both files below the project's root."""
    text = msgspec.json.format(msgspec.json.encode(schema()), indent=2) + b"\n"
    (root / SCHEMA_FILE).parent.mkdir(parents=True, exist_ok=True)
    (root / SCHEMA_FILE).write_bytes(text)
    (root / PAGE_FILE).write_text(page(), encoding="utf-8")


def _doc(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "").replace("\n", " ")


def _fields(kind: type[msgspec.Struct], notes: dict[tuple[str, str], str]) -> Iterator[tuple[str, str, str]]:
    hints = get_type_hints(kind)
    for name, encoded in zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True):
        yield encoded, _type(hints[name]), notes.get((kind.__name__, name), "")


def _type(hint: Any) -> str:
    text = hint.__name__ if isinstance(hint, type) and not hasattr(hint, "__args__") else str(hint)
    text = re.sub(r"\b(?:typing|bot\.[a-z.]+)\.", "", text).replace("NoneType", "null").replace("None", "null")
    text = re.sub(r"tuple\[(.*?), \.\.\.\]", r"list of \1", text)
    if text.startswith("Literal["):
        text = text[len("Literal[") : -1].replace("'", "").replace(", ", " \\| ")
    return text.replace("dict[str, Any]", "object").replace(" | ", " \\| ")


def _rows(rows: Iterator[tuple[str, str, str]]) -> str:
    lines = [f"| `{name}` | {kind} | {text} |" for name, kind, text in rows]
    return "\n".join(["| field | type | meaning |", "|---|---|---|", *lines])


def _notes() -> dict[tuple[str, str], str]:
    """The docstrings below fields, by class and field."""
    found = {}
    homes = {kind.__module__ for kind in (*EVENTS.values(), *_PARTS)}
    for home in sorted(homes):
        for node in ast.walk(ast.parse(inspect.getsource(sys.modules[home]))):
            if not isinstance(node, ast.ClassDef):
                continue
            for field, after in zip(node.body, node.body[1:], strict=False):
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and _is_text(after):
                    text = ast.literal_eval(after.value)  # type: ignore[attr-defined]
                    found[node.name, field.target.id] = " ".join(str(text).split()).replace("|", "\\|")
    return found


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


if __name__ == "__main__":
    write(Path.cwd())
