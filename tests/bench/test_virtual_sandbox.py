"""What one call on a virtual plugin costs. The wind tunnel wants a whole trial of ten calls in a millisecond."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from planted_profiles import RULES, plant

from bot.virtual.profile import Profile
from bot.virtual.profile_reader import read_profile
from bot.virtual.sandbox import VirtualSandbox

_ROUNDS, _CALLS = 5, 2000
CALLS: dict[str, tuple[float, Callable[[VirtualSandbox, int], object]]] = {
    "read a file": (20, lambda box, _: box.read("src/calc.py")),
    "write a file": (20, lambda box, at: box.write("src/calc.py", b"x = %d\n" % (at % 7))),
    "snapshot after a write": (40, lambda box, at: (box.write("src/calc.py", b"x = %d\n" % (at % 7)), box.snapshot())),
    "cat": (20, lambda box, _: box.run("cat src/calc.py", timeout=9)),
    "pytest -q, seen before": (20, lambda box, _: box.run("python -m pytest -q", timeout=99)),
    "a line for the emulator": (500, lambda box, _: box.run("cd src && pytest -q ../tests | tail -3", timeout=99)),
}
"""Name → the most it may cost in microseconds on a quiet core, and the call."""


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return read_profile(plant(tmp_path_factory.mktemp("bench") / "calc", RULES))


def best(call: Callable[[int], object], calls: int = _CALLS) -> float:
    """Microseconds of one call in the best of several rounds: the others were disturbed."""
    rounds = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        for at in range(calls):
            call(at)
        rounds.append((time.perf_counter() - began) / calls * 1e6)
    return min(rounds)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_cheap(profile: Profile, name: str) -> None:
    limit, call = CALLS[name]
    sandbox = VirtualSandbox(profile, seed=1)
    cost = best(lambda at: call(sandbox, at), 200 if "emulator" in name else _CALLS)
    print(f"\n{name}: {cost:.1f} us (limit {limit})")
    assert cost < 2 * limit, "twice the limit, so that a busy machine does not decide"


def test_a_flight_of_ten_calls_leaves_time_for_trace_and_rules(profile: Profile) -> None:
    fixed = b"def add(a, b):\n    return a + b\n"
    test = profile.files["tests/test_calc.py"].data + b"\n\ndef test_more():\n    assert add(1, 2) == 3\n"

    def flight(seed: int) -> None:
        box = VirtualSandbox(profile, seed=seed)
        before = box.snapshot()
        box.entries()
        box.read("src/calc.py")
        box.read("tests/test_calc.py")
        box.run("grep -rn add src", timeout=99)
        for path, data in (("tests/test_calc.py", test), ("src/calc.py", fixed)):
            box.write(path, data)
            after = box.snapshot()
            box.changes(before, after)
            before = after
            assert box.run("python -m pytest -q", timeout=99).exit_code == (1 if path.startswith("tests") else 0)
        box.run("git diff --stat", timeout=99)
        assert box.snapshot() == before
        box.close()

    cost = best(flight, 200)
    print(f"\na flight: {cost:.0f} us, {1e6 / cost:,.0f} flights a second without model, trace and rules")
    assert cost < 1000
