"""What a virtual pytest says: exit code, output and JUnit XML as the real one writes them, as far as they are read."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.virtual.runner_options import Accepted, Options
from bot.virtual.suite import Result

_MARKS = {"passed": ".", "failed": "F", "skipped": "s", "error": "E"}
_WIDTH = 72
_NO_TESTS = 5
_GLANCE = 0.01
"""Seconds that it takes to collect the tests."""
_USAGE = "usage: pytest [options] [file_or_dir] [file_or_dir] [...]\n"
_LOUDNESS = {"-q": "quiet", "--quiet": "quiet", "-v": "verbose", "--verbose": "verbose"}
_QUIET_VALUES = {"--tb", "--durations", "--durations-min", "--color", "--code-highlight", "--import-mode", "--rootdir",
    "--capture", "--show-capture", "--verbosity", "--basetemp", "--confcutdir", "--dist", "--timeout",
    "--timeout-method", "--asyncio-mode", "--cov-report", "--cov-config", "--log-level", "--pythonwarnings",
    "-W", "-n", "--numprocesses", "-r"}  # fmt: skip
"""They change nothing about the results, as the flags below."""
_QUIET_FLAGS = {"-s", "-l", "--showlocals", "--no-showlocals", "--no-header", "--no-summary", "--full-trace",
    "--strict", "--strict-markers", "--strict-config", "--disable-warnings", "--disable-pytest-warnings",
    "--disable-plugin-autoload", "--cache-clear", "--no-cov", "--cov-branch", "--cov-append"}  # fmt: skip
_SETTING = {"-o", "--override-ini"}
_QUIET_SETTINGS = {"cache_dir", "console_output_style", "junit_family", "log_cli", "log_cli_level", "log_level"}
_INSTEAD = {"--version": "version", "-V": "version", "-h": "help", "--help": "help", "--collect-only": "collect",
    "--co": "collect", "--setup-plan": "plan"}  # fmt: skip
_ACCEPTED = Accepted(
    flags=frozenset(_QUIET_FLAGS | _INSTEAD.keys() | {"-q", "--quiet", "-v", "--verbose", "-x", "--exitfirst"}),
    values=frozenset(
        _QUIET_VALUES | _SETTING | {"-k", "-p", "--junitxml", "--junit-xml", "--maxfail", "--ignore", "--deselect"}
    ),
    attached=frozenset({"--cov"}),
)


def options(words: Sequence[str]) -> Options:
    """Read pytest's arguments."""
    found: dict[str, object] = {}
    selection: list[str] = []
    left_out: list[str] = []
    for name, value in _ACCEPTED.read(words):
        if name == "":
            selection.append(value)
        elif name == "?" or not _is_modelled(name, value):
            found.setdefault("unknown", value if name == "?" else f"{name} {value}")
        elif name == "-k":
            found["keyword"] = value
        elif name in {"--junitxml", "--junit-xml"}:
            found["junit"] = value
        elif name in {"--ignore", "--deselect"}:
            left_out.append(value.removeprefix("./").rstrip("/"))
        elif name in {"-x", "--exitfirst", "--maxfail"}:
            found["most_failures"] = int(value or 1)
        elif name in _LOUDNESS:
            found[_LOUDNESS[name]] = True
        elif name in _INSTEAD:
            found.setdefault("instead", _INSTEAD[name])
    return msgspec.convert({**found, "selection": selection, "left_out": left_out}, Options)


def _is_modelled(name: str, value: str) -> bool:
    if name == "-p":
        return value.startswith("no:")
    if name in _SETTING:
        return value.partition("=")[0] in _QUIET_SETTINGS or value == "addopts="
    return name != "--maxfail" or value.isdigit()


def refused(what: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error where an option is not known."""
    return 4, "", f"ERROR: {_USAGE}pytest: error: unrecognized arguments: {what}\n\n"


def without_running(results: Sequence[Result], chosen: Options) -> tuple[int, str, str]:
    """The same where no test is to be run."""
    if chosen.instead == "version":
        return 0, "pytest 8.4.2\n", ""
    if chosen.instead == "help":
        return 0, _USAGE, ""
    if any(result.status == "error" for result in results):
        return exit_code(results), text(results, chosen, _GLANCE), ""
    code, count = (0 if results else _NO_TESTS), len(results)
    tally = f"{count or 'no'} test{'s' * (count != 1)} collected" if chosen.instead == "collect" else "no tests ran"
    return code, "".join(f"{result.id}\n" for result in results) + f"\n{tally} in {_GLANCE:.2f}s\n", ""


def exit_code(results: Sequence[Result]) -> int:
    """0 all passed or skipped, 1 some failed, 2 not collected, 5 nothing there."""
    if any(result.status == "error" for result in results):
        return 2
    if any(result.status == "failed" for result in results):
        return 1
    return 0 if results else _NO_TESTS


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
