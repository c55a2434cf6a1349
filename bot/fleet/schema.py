"""All schemas of the files that people write, for editors.

`python -P -m bot.fleet.schema DIR` (`make schemas`) writes them; the same values check the files.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from bot.base.schema import Schema
from bot.fleet.fleet_schema import FLEET_SCHEMA
from bot.fleet.playbook_schema import PLAYBOOK_SCHEMA
from bot.task.narrow import NARROW_SCHEMA

SCHEMAS: dict[str, Schema] = {
    "fleet": FLEET_SCHEMA,
    "playbook": PLAYBOOK_SCHEMA,
    "plugin": NARROW_SCHEMA,
}
"""File name → schema: fleet.yaml, a playbook's front matter, a plugin's own `.fleet-bot.yaml`."""


def render(schema: Schema) -> str:
    """A schema as its file in `docs/schemas/` has it."""
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


def write_schemas(folder: Path) -> None:
    """Write all schemas as `<name>.schema.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in SCHEMAS.items():
        (folder / f"{name}.schema.json").write_text(render(schema), encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
