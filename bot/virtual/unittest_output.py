"""What a virtual `python -m unittest` says."""

from __future__ import annotations

from collections.abc import Sequence

from bot.virtual.pytest_output import Options
from bot.virtual.suite import Result

_NOTHING_RAN = 5


def options(words: Sequence[str]) -> Options:
    """Read unittest's arguments: names of modules, classes and tests with dots between them."""
    found = []
    for word in words:
        if word.startswith("-") or word == "discover":
            continue
        module, *rest = word.removesuffix(".py").split(".")
        found.append("::".join([f"{module}.py", *rest]))
    return Options(selection=tuple(found))


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
