"""Reading playbooks: markdown with YAML front matter between two lines of `---`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from bot.base import schema
from bot.base.canonical import digest
from bot.base.documents import Document, parse, read_text
from bot.base.errors import ConfigurationError, Problem, UsageError
from bot.base.values import Playbook
from bot.fleet.playbook_checks import Part, Source, check_playbook
from bot.fleet.playbook_schema import PLAYBOOK_SCHEMA

_SHIPPED = Path(__file__).resolve().parent.parent / "_data" / "playbooks"
_CHECKOUT = Path(__file__).resolve().parent.parent.parent / "playbooks"
_FENCE = re.compile(r"^---[ \t]*$", re.MULTILINE)
_NO_PLAYBOOKS = {"readme.md"}


def find_playbooks(folder: Path | None) -> dict[str, Path]:
    """Id → file of every playbook that can be used: those in `folder`, then the shipped ones that it does not replace.

    `None` means the shipped ones only. Raises `ConfigurationError` when `folder` is given and is no folder.
    """
    found = dict(_in(_shipped()))
    if folder is not None:
        if not folder.is_dir():
            msg = f"{folder} is no folder."
            raise ConfigurationError(msg, "Give the folder of your playbooks with --playbooks.")
        found |= _in(folder)
    return dict(sorted(found.items()))


def playbooks_in(folder: Path) -> dict[str, Path]:
    """Id → file of the playbooks that lie in a folder, sorted."""
    return dict(sorted(_in(folder).items()))


def playbooks_beside(manifest: Path) -> Path | None:
    """The folder `playbooks/` beside a manifest, or None when there is none."""
    folder = manifest.parent / "playbooks"
    return folder if folder.is_dir() else None


def playbook_named(name: str, folder: Path | None) -> Playbook:
    """A playbook by its id, or by its file where `name` ends in `.md`. Raises `UsageError` when there is none."""
    known = find_playbooks(folder)
    if name in known:
        return read_playbook(known[name])
    if name.endswith(".md") and Path(name).is_file():
        return read_playbook(Path(name))
    guess = schema.near(name, list(known))
    msg = f"There is no playbook {name}."
    raise UsageError(msg, f"Did you mean {guess}?" if guess else f"There are: {', '.join(known) or 'none'}.")


def read_playbook(path: Path) -> Playbook:
    """A playbook with its shared parts and the rules beside it. Raises `ConfigurationError` with all mistakes."""
    playbook, problems = look_at_playbook(path)
    if playbook is None:
        count = f"{len(problems)} mistakes" if len(problems) > 1 else "a mistake"
        msg = f"The playbook {path.stem} has {count}."
        raise ConfigurationError(msg, problems=tuple(problems))
    # Late: rules bring more with them than `validate` wants at its start.
    from bot.expected.beside import completed

    return completed(playbook)


def look_at_playbook(path: Path) -> tuple[Playbook | None, list[Problem]]:
    """A playbook, or None and everything that is wrong with it."""
    text, problems = read_text(path)
    if problems:
        return None, list(problems)
    front, body, body_line, wrong = _split(text, str(path))
    if wrong is not None:
        return None, [wrong]
    document = parse(front, str(path), first_line=2)
    found = list(document.problems)
    if found and document.value is None:
        return None, found
    found += schema.check(document, PLAYBOOK_SCHEMA)
    parts, missing = _parts(document, path.parent)
    found += missing
    source = Source(
        path=path, document=document, body=Part(name=path.name, file=str(path), text=body, line=body_line), parts=parts
    )
    playbook = _build(source) if not found else None
    found += check_playbook(source)
    return (playbook if not found else None), sorted(set(found))


def _shipped() -> Path:
    return _SHIPPED if _SHIPPED.is_dir() else _CHECKOUT


def _in(folder: Path) -> dict[str, Path]:
    files = folder.glob("*.md") if folder.is_dir() else ()
    return {file.stem: file for file in files if file.name.lower() not in _NO_PLAYBOOKS}


def _split(text: str, name: str) -> tuple[str, str, int, Problem | None]:
    """Front matter, text, the line on which the text begins, and what is wrong with the borders."""
    cure = "begin the file with ---, the keys, and --- again"
    opening = _FENCE.match(text)
    if opening is None:
        what = "is empty" if not text.strip() else "has no front matter"
        return "", "", 1, Problem(file=name, line=1, what=what, cure=cure)
    closing = _FENCE.search(text, opening.end())
    if closing is None:
        return "", "", 1, Problem(file=name, line=1, what="the front matter does not end", cure="add a line ---")
    body = text[closing.end() + 1 :]
    return text[opening.end() + 1 : closing.start()], body, text.count("\n", 0, closing.end()) + 2, None


def _parts(document: Document, folder: Path) -> tuple[tuple[Part, ...], list[Problem]]:
    value = document.value
    names = value.get("include", ()) if isinstance(value, dict) else ()
    found, problems = [], []
    for index, name in enumerate(names if isinstance(names, list) else ()):
        if not isinstance(name, str):
            continue
        text, reason = _part(name, folder)
        if reason:
            cure = "name a file in the playbooks' folder, such as parts/change.md, which is shipped"
            problems.append(document.problem(("include", index), f"`{name}` {reason}", cure))
        else:
            found.append(Part(name=name, file=str(folder / name), text=text, line=1))
    return tuple(found), problems


def _part(name: str, folder: Path) -> tuple[str, str]:
    """The text of a shared part, or why it cannot be had: one of the playbook's folder, or else a shipped one.

    Nothing outside of these two folders is ever read.
    """
    if "://" in name:
        return "", "is a URL"
    for place in dict.fromkeys((folder, _shipped())):
        try:
            path, root = (place / name).resolve(), place.resolve()
        except (OSError, ValueError):
            return "", "is no path"
        if not path.is_relative_to(root) or "\\" in name:
            return "", "leads out of the playbooks' folder"
        if path.is_file():
            break
    else:
        return "", "does not exist"
    text, problems = read_text(path)
    return text, problems[0].what if problems else ""


def _build(source: Source) -> Playbook:
    data: dict[str, Any] = dict(source.document.value)
    includes = tuple(data.pop("include", ()))
    for key in ("applies_if", "done_if"):
        if isinstance(data.get(key), dict):
            data[key] = [data[key]]
    if "summary" in data:
        data["summary"] = data["summary"].strip()
    texts = [source.body.text, *(part.text for part in source.parts)]
    data |= {
        "instructions": "\n\n".join(text.strip() for text in texts if text.strip()),
        "includes": includes,
        "hash": digest([source.document.value, source.body.text, [(part.name, part.text) for part in source.parts]]),
        "file": str(source.path),
    }
    return msgspec.convert(data, Playbook)
