"""What a virtual `python -m unittest` says."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.virtual.runner_options import Accepted, Options
from bot.virtual.suite import Result

_NOTHING_RAN = 5


_FLAGS = frozenset({"-v", "--verbose", "-q", "--quiet", "-b", "--buffer", "-c", "--catch", "--locals"})
_ACCEPTED = Accepted(flags=_FLAGS | {"-f", "--failfast", "-h", "--help"}, values=frozenset({"-k"}))
_WHERE = frozenset({"-s", "--start-directory"})
_USUAL = {"-p": "test*.py", "--pattern": "test*.py", "-t": ".", "--top-level-directory": "."}
_DISCOVERY = Accepted(flags=_ACCEPTED.flags, values=_ACCEPTED.values | _WHERE | _USUAL.keys())
_USAGE = "usage: python -m unittest [-h] [-v] [-q] [--locals] [-f] [-c] [-b] [-k TESTNAMEPATTERNS] [tests ...]\n"


def options(words: Sequence[str]) -> Options:
    """Read unittest's arguments: names of modules, classes and tests with dots between them, or `discover`."""
    found: dict[str, object] = {}
    selection: list[str] = []
    discovers = tuple(words[:1]) == ("discover",)
    for name, value in _DISCOVERY.read(words[1:]) if discovers else _ACCEPTED.read(words):
        if name in _WHERE or (name == "" and discovers and not selection):
            selection.append(value)
        elif name == "" and not discovers:
            module, *rest = value.removesuffix(".py").split(".")
            selection.append("::".join([f"{module}.py", *rest]))
        elif name in {"", "?"} or _USUAL.get(name, value) != value:
            found.setdefault("unknown", f"{name} {value}".strip("? "))
        elif name == "-k":
            found["keyword"] = value
        elif name in {"-f", "--failfast"}:
            found["most_failures"] = 1
        elif name in {"-h", "--help"}:
            found["instead"] = "help"
    return msgspec.convert({**found, "selection": selection}, Options)


def refused(what: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error where an option is not known."""
    return 2, "", f"{_USAGE}python -m unittest: error: unrecognized arguments: {what}\n"


def without_running(results: Sequence[Result], chosen: Options) -> tuple[int, str, str]:
    """The same where no test is to be run."""
    return 0, _USAGE, ""


def told(results: Sequence[Result], seconds: float) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    lines = []
    bad = [result for result in results if result.status in {"failed", "error"}]
    for result in bad:
        file, _, name = result.id.partition("::")
        place = f"{file.removesuffix('.py').replace('/', '.')}.{name.replace('::', '.')}"
        kind = "FAIL" if result.status == "failed" and result.says.startswith("AssertionError") else "ERROR"
        head = f"{kind}: {name.rpartition('::')[2] or file} ({place})"
        lines += ["=" * 70, head, "-" * 70, "Traceback (most recent call last):", result.says, ""]
    failures = sum(line.startswith("FAIL:") for line in lines)
    skipped = sum(result.status == "skipped" for result in results)
    lines += ["-" * 70, f"Ran {len(results)} test{'s' * (len(results) != 1)} in {seconds:.3f}s", ""]
    if bad:
        counts = [("failures", failures), ("errors", len(bad) - failures), ("skipped", skipped)]
        lines.append(f"FAILED ({', '.join(f'{name}={count}' for name, count in counts if count)})")
    elif not results:
        lines.append("NO TESTS RAN")
    else:
        lines.append(f"OK (skipped={skipped})" if skipped else "OK")
    return (1 if bad else 0 if results else _NOTHING_RAN), "", "\n".join(lines) + "\n"
