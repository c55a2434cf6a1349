"""The house of docs/architecture.md, held by its imports."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

BOT = Path(__file__).resolve().parent.parent / "bot"
FLOORS: tuple[tuple[str, ...], ...] = (
    ("__main__",),
    ("cli",),
    ("gha",),
    ("demo",),
    ("wiring",),
    ("settings",),
    ("windtunnel",),
    ("fleet",),
    ("publish",),
    ("forge", "virtual"),
    ("task",),
    ("models",),
    ("agent",),
    ("sandbox",),
    ("expected",),
    ("ports",),
    ("trace",),
    ("base",),
)
"""From the top down. A module imports its own room and floors below, nothing beside it and nothing above."""
ADAPTERS = {
    "github": "bot/forge/client.py",
    "google": "bot/models/gemini.py",
    "dotenv": "bot/fleet/keys.py",
    "git": "bot/virtual/materialise.py",
    "gitdb": "bot/virtual/materialise.py",
}
"""SDK → the one module that may import it."""
GLUE = {"bot/task/pipeline.py": 45}
"""Files that have to fit on a page: the most lines of code they may have."""
FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}


def modules() -> list[Path]:
    return sorted(path for path in BOT.rglob("*.py") if path.name != "__init__.py" or path.parent != BOT)


def room(path: Path) -> str:
    parts = path.relative_to(BOT).with_suffix("").parts
    return parts[0]


def imports(path: Path, *, late: bool = True) -> set[str]:
    """All modules that a file imports, those inside functions too when `late`; for type checkers only: left out."""
    found: set[str] = set()

    def walk(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
                continue
            if not late and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if isinstance(child, ast.Import):
                found.update(alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom) and child.module:
                found.add(child.module)
                found.update(f"{child.module}.{alias.name}" for alias in child.names)
            walk(child)

    walk(ast.parse(path.read_text(encoding="utf-8")))
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(BOT)))
def test_every_arrow_runs_down(path: Path) -> None:
    mine = room(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "bot" or len(parts) < 2 or parts[1].startswith("__"):
            continue
        theirs = parts[1]
        assert theirs == mine or FLOOR[theirs] > FLOOR[mine], f"{path.relative_to(BOT)} ({mine}) imports {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(BOT)))
def test_an_sdk_is_imported_late_and_by_one_module(path: Path) -> None:
    here = str(path.relative_to(BOT.parent))
    for name in imports(path):
        owner = ADAPTERS.get(name.split(".")[0])
        assert owner in {None, here}, f"{here} imports {name}, which belongs to {owner}"
    heavy = {name.split(".")[0] for name in imports(path, late=False)} & {
        "github",
        "google",
        "git",
        "gitdb",
        "rich",
        "jinja2",
    }
    assert not heavy, f"{here} loads {sorted(heavy)} when it is imported"


def test_no_room_outside_of_the_house() -> None:
    assert {room(path) for path in modules()} <= set(FLOOR)


def test_publishing_knows_neither_agent_nor_model_nor_sandbox() -> None:
    for path in (BOT / "publish").glob("*.py"):
        rooms = {name.split(".")[1] for name in imports(path) if name.startswith("bot.") and "." in name}
        assert not rooms & {"agent", "models", "sandbox", "virtual"}, path


@pytest.mark.parametrize("file", GLUE)
def test_the_glue_fits_on_a_page(file: str) -> None:
    text = (BOT.parent / file).read_text(encoding="utf-8")
    body = text[text.index("\ndef ") :]
    lines = [line for line in body.splitlines() if line.strip()]
    assert len(lines) <= GLUE[file]


def test_the_page_about_the_house_names_every_room() -> None:
    page = (BOT.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {path.name for path in BOT.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    for name in rooms:
        assert re.search(rf"^{name}/", page, re.MULTILINE), f"docs/architecture.md does not name {name}/"
