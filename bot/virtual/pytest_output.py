"""What a virtual pytest says: exit code, output and JUnit XML as the real one writes them, as far as they are read."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from bot.virtual.suite import Result

_MARKS = {"passed": ".", "failed": "F", "skipped": "s", "error": "E"}
_WIDTH = 72


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The part of pytest's command line that changes a virtual run."""

    selection: tuple[str, ...] = ()
    keyword: str = ""
    quiet: bool = False
    verbose: bool = False
    first_only: bool = False
    junit: str | None = None


_TAKES_VALUE = {"-k", "-m", "-n", "-p", "-c", "-o", "-W", "--tb", "--junitxml", "--junit-xml", "--maxfail", "--cov"}
_TAKES_VALUE |= {"--rootdir", "--timeout", "--durations", "--ignore", "--deselect", "--color", "--import-mode"}


_SHORT = re.compile(r"-[qvsxl]+")
_LETTERS = {"q": "quiet", "v": "verbose", "x": "first_only"}


def options(words: tuple[str, ...]) -> Options:
    """Read pytest's arguments. Unknown options change nothing."""
    found: dict[str, object] = {}
    selection: list[str] = []
    waiting = iter(words)
    for word in waiting:
        name, _, value = word.partition("=")
        if name in _TAKES_VALUE and not value:
            value = next(waiting, "")
        if name == "-k":
            found["keyword"] = value
        elif name in {"--junitxml", "--junit-xml"}:
            found["junit"] = value
        elif name == "--exitfirst" or (name == "--maxfail" and value == "1"):
            found["first_only"] = True
        elif word in {"--quiet", "--verbose"}:
            found[word[2:]] = True
        elif _SHORT.fullmatch(word):
            found |= {name: True for letter, name in _LETTERS.items() if letter in word}
        elif not word.startswith("-"):
            selection.append(word)
    return msgspec.convert({**found, "selection": selection}, Options)


def exit_code(results: Sequence[Result]) -> int:
    """0 all passed or skipped, 1 some failed, 2 not collected, 5 nothing there."""
    if any(result.status == "error" for result in results):
        return 2
    if any(result.status == "failed" for result in results):
        return 1
    return 0 if results else 5


def text(results: Sequence[Result], chosen: Options, seconds: float) -> str:
    """The terminal output."""
    parts: list[str] = []
    errors = [result for result in results if result.status == "error"]
    ran = [] if errors else list(results)
    if not chosen.quiet:
        parts += ["=" * 29 + " test session starts " + "=" * 30, f"collected {len(ran)} items\n"]
    if chosen.verbose:
        parts += [f"{result.id} {result.status.upper()}" for result in ran]
    elif ran:
        marks = "".join(_MARKS[result.status] for result in ran)
        parts += [line.ljust(_WIDTH) for line in (marks[at : at + _WIDTH] for at in range(0, len(marks), _WIDTH))]
        parts[-1] += " [100%]"
    failed = [result for result in ran if result.status == "failed"]
    for title, broken in (("ERRORS", errors), ("FAILURES", failed)):
        if broken:
            parts.append(f" {title} ".center(80, "="))
        for result in broken:
            head = f"ERROR collecting {result.id}" if title == "ERRORS" else result.id.partition("::")[2]
            parts += [f" {head} ".center(80, "_"), *(f"E   {line}" for line in result.says.splitlines()), ""]
    if errors or failed:
        parts.append(" short test summary info ".center(80, "="))
        parts += [f"ERROR {result.id}" for result in errors]
        parts += [f"FAILED {result.id} - {(result.says.splitlines() or [''])[0]}" for result in failed]
    if errors:
        parts.append(
            f"!!!!!!!!!! Interrupted: {len(errors)} error{'s' * (len(errors) > 1)} during collection !!!!!!!!!!"
        )
    tally = summary(results, seconds)
    parts.append(tally if chosen.quiet else f" {tally} ".center(80, "="))
    return "\n".join(parts) + "\n"


def summary(results: Sequence[Result], seconds: float) -> str:
    """The last line, such as `1 failed, 4 passed in 0.25s`."""
    counts = [(sum(result.status == kind for result in results), kind) for kind in ("failed", "passed", "skipped")]
    errors = sum(result.status == "error" for result in results)
    if errors:
        return f"{errors} error{'s' * (errors > 1)} in {seconds:.2f}s"
    named = ", ".join(f"{count} {kind}" for count, kind in counts if count)
    return f"{named or 'no tests ran'} in {seconds:.2f}s"


def junit(results: Sequence[Result]) -> bytes:
    """JUnit XML as pytest writes it."""
    from xml.sax.saxutils import quoteattr

    counts = [sum(result.status == kind for result in results) for kind in ("error", "failed", "skipped")]
    head = '<testsuite name="pytest" errors="{}" failures="{}" skipped="{}" tests="{}">'.format(*counts, len(results))
    rows = []
    for result in results:
        file, _, name = result.id.partition("::")
        *classes, last = _split(name or file)
        module = file.removesuffix(".py").replace("/", ".")
        owner = ".".join([module, *classes]) if name else ""
        says = quoteattr(_printable(result.says))
        inner = {
            "failed": f"<failure message={says}/>",
            "error": f"<error message={says}/>",
            "skipped": "<skipped/>",
            "passed": "",
        }[result.status]
        label = quoteattr(_printable(last if name else module))
        rows.append(f'<testcase classname={quoteattr(_printable(owner))} name={label} time="0.000">{inner}</testcase>')
    body = "".join(rows)
    whole = f'<?xml version="1.0" encoding="utf-8"?><testsuites>{head}{body}</testsuite></testsuites>'
    return whole.encode("utf-8", "replace")


def _split(name: str) -> list[str]:
    """`TestA::test_b[x::y]` in its parts; what is in brackets stays whole."""
    plain, bracket, case = name.partition("[")
    parts = plain.split("::")
    parts[-1] += bracket + case
    return parts


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() or char in "\t\n" else f"#x{ord(char):02X}" for char in text)
