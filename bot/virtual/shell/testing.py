"""A test runner's command answered by the profile's suite."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from bot.virtual import node_output, pytest_output, unittest_output
from bot.virtual.faults import draw
from bot.virtual.imports import installed, missing
from bot.virtual.profile import Profile, Response
from bot.virtual.runner_options import Options
from bot.virtual.shell.call import Call, Done
from bot.virtual.shell.words import split_words
from bot.virtual.suite import Result, Suite, run_suite
from bot.virtual.tree import joined

_K = TypeVar("_K")
_V = TypeVar("_V")
_REFUSED = 4
_RUNNERS = {"pytest": pytest_output, "unittest": unittest_output, "node": node_output}
_REMEMBERED = 1024
_ASKED = "--junitxml="


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What the suite answers on one tree."""

    done: Done
    seconds: float = 0.0
    junit: bytes | None = None
    """Its results as JUnit XML; None when it did not come so far, or the runner writes none."""
    file: str | None = None
    """Where its arguments ask for them."""
    missed: str = ""
    """What of its arguments nobody has an answer for."""


_Tree = tuple[str, str, str, tuple[tuple[str, object], ...]]
_RAN: dict[tuple[_Tree, str, tuple[str, ...], float], Ran] = {}
_INSTALLED: dict[str, frozenset[str]] = {}
"""Hash of a profile → modules that are there though no file of it is."""
_RESULTS: dict[tuple[_Tree, tuple[str, ...], str], tuple[Result, ...]] = {}


def suite(call: Call, respond: Response, arguments: list[str], *, flaky: bool) -> Done:
    """Exit code and output of the suite on the tree as it is; writes the JUnit file that is asked for.

    `arguments` are those of the runner.
    """
    world = call.world
    model = world.profile.suite
    if model is None:
        return Done(_REFUSED, "", "ERROR: the virtual plugin has no suite\n")
    words, file = tuple(arguments), None
    if (added := call.env.get("PYTEST_ADDOPTS")) and _named(call, model) == "pytest":
        more = split_words(added)
        # Our own runs ask for a file with a new name each time; nothing else of the answer depends on it.
        if len(more) == 1 and more[0].startswith(_ASKED):
            file = more[0][len(_ASKED) :]
        else:
            words += more
    ran = _ran(call, respond, model, words, flaky=True) if flaky else _known(call, respond, model, words)
    if ran.missed:
        world.missed(f"{call.name}: {ran.missed}")
    world.spend(ran.seconds)
    wanted = ran.file if file is None else file
    if ran.junit is not None and wanted is not None:
        world.write(joined(call.cwd, wanted), ran.junit)
    return ran.done


def _known(call: Call, respond: Response, model: Suite, words: tuple[str, ...]) -> Ran:
    """The answer on this tree; the same trees come again and again over many trials."""
    key = (_tree(call), _named(call, model), words, respond.seconds)
    found = _RAN.get(key)
    if found is None:
        found = _ran(call, respond, model, words, flaky=False)
        _remember(_RAN, key, found)
    return found


def _ran(call: Call, respond: Response, model: Suite, words: tuple[str, ...], *, flaky: bool) -> Ran:
    world = call.world
    named = _named(call, model)
    runner = _RUNNERS[named]
    chosen = runner.options(words)
    if chosen.unknown:
        return Ran(done=Done(*runner.refused(chosen.unknown)), missed=chosen.unknown)
    if model.config is not None and not world.holds(model.config):
        return Ran(done=Done(_REFUSED, "", "ERROR: the configuration of the tests cannot be read\n"))
    try:
        results = _results(call, model, chosen)
    except FileNotFoundError as error:
        message = f"ERROR: file or directory not found: {error}\n"
        return Ran(done=Done(_REFUSED, "\nno tests ran in 0.00s\n", message))
    if chosen.instead is not None:
        return Ran(done=Done(*runner.without_running(results, chosen)), seconds=respond.seconds)
    if flaky:
        results = _one_flaky(results, world.faults.seed, world.commands)
    if chosen.most_failures:
        bad = [at for at, result in enumerate(results, 1) if result.status in {"failed", "error"}]
        results = results[: bad[chosen.most_failures - 1]] if len(bad) >= chosen.most_failures else results
    seconds = respond.seconds + model.seconds * len(results)
    if named == "unittest":
        return Ran(done=Done(*unittest_output.told(results, seconds)), seconds=seconds)
    if named == "node":
        said = "" if chosen.junit else node_output.text(results, seconds)
        done = Done(node_output.exit_code(results), said)
        return Ran(done=done, seconds=seconds, junit=node_output.junit(results), file=chosen.junit)
    done = Done(pytest_output.exit_code(results), pytest_output.text(results, chosen, seconds))
    return Ran(done=done, seconds=seconds, junit=pytest_output.junit(results), file=chosen.junit)


def _named(call: Call, model: Suite) -> str:
    """The runner that answers: pytest runs the tests of unittest too."""
    return "pytest" if call.name == "pytest" else model.runner


def _results(call: Call, model: Suite, chosen: Options) -> tuple[Result, ...]:
    world, cwd = call.world, call.cwd
    key = (_tree(call), chosen.selection, chosen.keyword)
    found = _RESULTS.get(key)
    if found is None:
        prefix = f"{cwd}/" if cwd else ""
        files = {path[len(prefix) :]: node for path, node in world.files.items() if path.startswith(prefix)}
        there = _installed(world.profile)
        found = tuple(
            run_suite(
                model,
                files,
                chosen.selection,
                chosen.keyword,
                world.holds,
                lambda path: missing(prefix + path, world.files, there),
            )
        )
        _remember(_RESULTS, key, found)
    if chosen.left_out:
        return tuple(result for result in found if not _left_out(result.id, chosen.left_out))
    return found


def _left_out(name: str, parts: tuple[str, ...]) -> bool:
    file = name.partition("::")[0]
    return any(
        part == file or file.startswith(f"{part}/") or ("::" in part and name.startswith(part)) for part in parts
    )


def _installed(profile: Profile) -> frozenset[str]:
    found = _INSTALLED.get(profile.hash)
    if found is None:
        found = installed(profile.files)
        _remember(_INSTALLED, profile.hash, found)
    return found


def _tree(call: Call) -> _Tree:
    """All that the results depend on besides the arguments."""
    world = call.world
    return world.profile.hash, world.tree.name, call.cwd, tuple(sorted(world.state.items()))


def _remember(memory: dict[_K, _V], key: _K, value: _V) -> None:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[key] = value


def _one_flaky(results: tuple[Result, ...], seed: int, count: int) -> tuple[Result, ...]:
    """One test that passed fails: which one depends on the seed and on how many commands ran before."""
    passed = [at for at, result in enumerate(results) if result.status == "passed"]
    if not passed:
        return results
    at = passed[int(draw(seed, "flaky test", count) * len(passed))]
    flaky = Result(results[at].id, "failed", "TimeoutError: no answer within 1 s")
    return (*results[:at], flaky, *results[at + 1 :])
