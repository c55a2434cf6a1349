"""What a virtual `node --test` says: TAP on standard output, or JUnit XML in a file, as node 20 writes them."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

import msgspec

from bot.virtual.runner_options import Accepted, Options
from bot.virtual.suite import Result

_COUNTED = ("tests", "suites", "pass", "fail", "cancelled", "skipped", "todo")


_INSTEAD = {"--version": "version", "-v": "version", "--help": "help", "-h": "help"}
_ACCEPTED = Accepted(
    flags=frozenset({"--no-warnings", "--trace-warnings", "--enable-source-maps", "--silent", "-s", *_INSTEAD}),
    values=frozenset({"--test-reporter", "--test-reporter-destination", "--test-concurrency", "--test-timeout"}),
)


def options(words: Sequence[str]) -> Options:
    """Read node's arguments: files, and where a report goes."""
    found: dict[str, object] = {}
    files: list[str] = []
    # What stands before `--` is for npm where that starts node.
    for name, value in _ACCEPTED.read([word for word in words if word != "--"]):
        if name == "":
            files.append(value)
        elif name == "?":
            found.setdefault("unknown", value)
        elif name == "--test-reporter-destination" and value != "stdout":
            found.setdefault("junit", value)
        elif name in _INSTEAD:
            found["instead"] = _INSTEAD[name]
    return msgspec.convert({**found, "selection": files}, Options)


def refused(what: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error where an option is not known."""
    return 9, "", f"node: bad option: {what}\n"


def without_running(results: Sequence[Result], chosen: Options) -> tuple[int, str, str]:
    """The same where no test is to be run."""
    said = "v20.19.0" if chosen.instead == "version" else "Usage: node [options] [ script.js ] [arguments]"
    return 0, f"{said}\n", ""


def exit_code(results: Sequence[Result]) -> int:
    """1 when something failed; no test at all is no failure."""
    return int(any(result.status in {"failed", "error"} for result in results))


def text(results: Sequence[Result], seconds: float) -> str:
    """TAP."""
    lines = ["TAP version 13"]
    for number, result in enumerate(results, 1):
        bad, name = result.status in {"failed", "error"}, _name(result)
        skipped = " # SKIP" if result.status == "skipped" else ""
        lines += [f"# Subtest: {name}", f"{'not ok' if bad else 'ok'} {number} - {name}{skipped}", "  ---"]
        if bad:
            lines += ["  failureType: 'testCodeFailure'", f"  error: {result.says!r}", "  code: 'ERR_TEST_FAILURE'"]
        lines.append("  ...")
    lines += [f"1..{len(results)}", *(f"# {name} {count}" for name, count in _counts(results).items())]
    return "\n".join([*lines, f"# duration_ms {seconds * 1000:.3f}"]) + "\n"


def junit(results: Sequence[Result]) -> bytes:
    """JUnit XML."""
    rows = []
    for result in results:
        says = quoteattr(result.says)
        inner = {"failed": f"<failure message={says}/>", "error": f"<failure message={says}/>", "skipped": "<skipped/>"}
        case = f'<testcase name={quoteattr(_name(result))} time="0.000" classname="test">'
        rows.append(f"\t{case}{inner.get(result.status, '')}</testcase>")
    body = "\n".join(rows)
    return f'<?xml version="1.0" encoding="utf-8"?>\n<testsuites>\n{body}\n</testsuites>\n'.encode("utf-8", "replace")


def _name(result: Result) -> str:
    file, _, name = result.id.partition("::")
    return name or file


def _counts(results: Sequence[Result]) -> dict[str, int]:
    failed = sum(result.status in {"failed", "error"} for result in results)
    skipped = sum(result.status == "skipped" for result in results)
    values = (len(results), 0, len(results) - failed - skipped, failed, 0, skipped, 0)
    return dict(zip(_COUNTED, values, strict=True))
