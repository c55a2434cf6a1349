"""Results of runs, good and bad, to try predicates on: made from what a predicate itself speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.expected.outcome import Ending, Predicate
from bot.expected.predicates import ChangelogPredicate, DiffPredicate, FilePredicate, TestsPredicate, VersionPredicate
from bot.expected.samples import matching, paths

_TEST = "tests/test_example.py"
_FILES: Mapping[str, str] = {
    "pyproject.toml": '[project]\nname = "example"\nversion = "1.2.3"\n',
    "CHANGELOG.md": "# Change log\n\n## 1.2.3\n\n- first\n",
    _TEST: "def test_one():\n    assert 1 + 1 == 2\n\n\ndef test_two():\n    assert 2 + 2 == 4\n",
    "src/example.py": "x = 1\n",
}
_STEPS = ("1.2.4", "1.3.0", "2.0.0", "1.2.4rc1", "0.1")


class MemoryTree:
    """Files in memory."""

    def __init__(self, files: Mapping[str, str]) -> None:
        """Path → text."""
        self._files = {path: text.encode() for path, text in files.items()}

    def read(self, path: str) -> bytes | None:
        """The bytes of a file, or None."""
        return self._files.get(path)

    def paths(self) -> Iterable[str]:
        """All files."""
        return self._files


def worlds(predicate: Predicate) -> Iterator[tuple[str, Ending]]:
    """Endings with a word for each; some fulfil the predicate and some do not, unless it cannot do both."""
    base = dict(_FILES) | dict.fromkeys(_spoken_of(predicate), "was here\n")
    if isinstance(predicate, VersionPredicate) and predicate.file:
        base |= dict.fromkeys(paths(predicate.file), _FILES["pyproject.toml"])
    if isinstance(predicate, ChangelogPredicate) and predicate.file:
        base |= dict.fromkeys(paths(predicate.file), _FILES["CHANGELOG.md"])
    for name, head in _heads(predicate, base):
        yield name, Ending(MemoryTree(base), MemoryTree(head))
    if isinstance(predicate, TestsPredicate):
        for name, seen in _verifications(predicate):
            yield name, Ending(MemoryTree(base), MemoryTree(base), verification=seen)


def _spoken_of(predicate: Predicate) -> list[str]:
    globs = getattr(predicate, "paths", ()) or ((predicate.path,) if isinstance(predicate, FilePredicate) else ())
    return [path for glob in globs for path in paths(glob)]


def _heads(predicate: Predicate, base: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    yield "nothing changed", dict(base)
    for path in base:
        yield f"{path} gone", {other: text for other, text in base.items() if other != path}
        yield f"{path} changed", dict(base) | {path: base[path] + "more\n"}
        for pattern in (getattr(predicate, "contains", None), getattr(predicate, "lacks", None)):
            text = matching(pattern) if pattern else None
            if text is not None:
                yield f"{path} says {text!r}", dict(base) | {path: text}
        for version in (*_STEPS, *filter(None, [getattr(predicate, "to", None), getattr(predicate, "version", None)])):
            yield f"{path}: {version}", dict(base) | {path: base[path].replace("1.2.3", version)}
            entry = f"## {version}\n\n- new\n\n"
            yield (
                f"{path}: an entry for {version}",
                dict(base) | {path: base[path].replace("## 1.2.3", entry + "## 1.2.3")},
            )
    yield "a test skipped", dict(base) | {_TEST: "import pytest\n\n\n@pytest.mark.skip\n" + base[_TEST]}
    if isinstance(predicate, DiffPredicate):
        yield from _larger(predicate, base)


def _larger(predicate: DiffPredicate, base: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    inside = [path for glob in predicate.paths for path in paths(glob)] or ["src/example.py"]
    many = max(predicate.max_files or 0, predicate.min_files) + 1
    yield f"{many} more files", dict(base) | {f"many/{number}.txt": "x\n" for number in range(many)}
    yield f"{many - 1} more files", dict(base) | {f"many/{number}.txt": "x\n" for number in range(many - 1)}
    lines = (predicate.max_lines or 0) + 1
    yield f"{lines} more lines", dict(base) | {inside[0]: base[inside[0]] + "y\n" * lines}


def _verifications(predicate: TestsPredicate) -> Iterator[tuple[str, dict[str, Any]]]:
    good = {"proven": True, "reason": "", "red_before": ["t::new"], "green_after": ["t::new"], "regressions": []}
    head = {"passed": max(predicate.passed or 1, 1)}
    yield "proven", good | {"head": head}
    yield "fewer tests pass", good | {"head": {"passed": head["passed"] - 1}}
    yield "nothing was red before", good | {"red_before": [], "head": head}
    yield "a test fails that passed before", good | {"regressions": ["t::old"], "proven": False, "head": head}
    yield "not proven", good | {"proven": False, "reason": "no tests ran", "red_before": [], "head": head}
