"""What the runs of the tests prove, and what they do not."""

from __future__ import annotations

from collections.abc import Callable

from bot.base.values import Verification
from bot.task.test_results import Suite
from bot.task.verify import Evidence, Trees, judge, verify
from bot.trace.events import SuiteSeen

NO_REGRESSION = Verification(tests="no_regression")
RED_TO_GREEN = Verification(tests="red_to_green")
HEAD = Trees(start="start", head="head")
PATCHED = Trees(start="start", head="head", proof="proof", test_files=("tests/test_new.py",))


def suite(exit_code: int | None = None, *, timed_out: bool = False, **tests: str) -> Suite:
    """A run that names single tests."""
    statuses = list(tests.values())
    red = statuses.count("failed") + statuses.count("error")
    return Suite(
        tests=tests,
        seen=SuiteSeen(
            exit_code=(1 if red else 0 if tests else 5) if exit_code is None else exit_code,
            passed=statuses.count("passed"),
            failed=statuses.count("failed"),
            skipped=statuses.count("skipped"),
            errors=statuses.count("error"),
            per_test=True,
            duration_ms=1.0,
            timed_out=timed_out,
        ),
    )


def coarse(exit_code: int, passed: int = 0, failed: int = 0) -> Suite:
    """A run that only has an exit code, and perhaps a summary."""
    return Suite(
        seen=SuiteSeen(
            exit_code=exit_code, passed=passed, failed=failed, skipped=0, errors=0, per_test=False, duration_ms=1.0
        )
    )


def runs(**suites: list[Suite] | Suite) -> Callable[[str], Suite]:
    """Runs by tree, in order; the last one answers again and again."""
    waiting = {tree: list(value) if isinstance(value, list) else [value] for tree, value in suites.items()}
    return lambda tree: waiting[tree].pop(0) if len(waiting[tree]) > 1 else waiting[tree][0]


def test_a_green_suite_that_stays_green_is_proof_enough_for_no_regression() -> None:
    done = verify(NO_REGRESSION, suite(a="passed"), HEAD, runs(head=suite(a="passed", b="passed")))
    assert done.proven
    assert done.reason == "the whole suite is green"


def test_what_passed_and_fails_now_blocks_and_is_named() -> None:
    broken = suite(a="failed")
    done = verify(NO_REGRESSION, suite(a="passed"), HEAD, runs(head=[broken, broken]))
    assert not done.proven
    assert done.regressions == ("a",)


def test_a_test_that_is_gone_does_not_pass() -> None:
    gone = suite(b="passed")
    done = verify(NO_REGRESSION, suite(a="passed", b="passed"), HEAD, runs(head=[gone, gone]))
    assert not done.proven
    assert done.regressions == ("a",)


def test_a_test_that_passes_the_second_time_is_flaky_and_named() -> None:
    done = verify(NO_REGRESSION, suite(a="passed"), HEAD, runs(head=[suite(a="failed"), suite(a="passed")]))
    assert done.proven
    assert done.flaky == ("a",)
    assert done.reason == "all other tests are green; flaky, so not counted: a"


def test_a_flaky_test_is_no_test_that_was_red_before() -> None:
    before = suite(a="passed", b="failed")
    done = verify(
        NO_REGRESSION, before, HEAD, runs(head=[suite(a="failed", b="failed"), suite(a="passed", b="failed")])
    )
    assert done.proven
    assert done.reason == "1 test was red before and is red still; flaky, so not counted: a"


def test_a_suite_that_was_red_before_and_counts_nothing_is_not_said_to_have_passed() -> None:
    done = verify(NO_REGRESSION, coarse(1), HEAD, runs(head=[coarse(1), coarse(1)]))
    assert not done.proven
    assert "red before as well" in done.reason
    assert "passed before" not in done.reason


def test_a_test_command_that_cannot_be_run_is_called_that() -> None:
    done = verify(NO_REGRESSION, coarse(127), HEAD, runs(head=[coarse(127), coarse(127)]))
    assert not done.proven
    assert "cannot be run" in done.reason


def test_what_was_red_before_may_stay_red() -> None:
    before = suite(a="passed", b="failed")
    done = verify(NO_REGRESSION, before, HEAD, runs(head=suite(a="passed", b="failed")))
    assert done.proven
    assert done.reason == "1 test was red before and is red still"


def test_an_empty_suite_has_nothing_to_say() -> None:
    done = verify(NO_REGRESSION, suite(), HEAD, runs(head=suite()))
    assert done.proven
    assert "no tests" in done.reason


def test_tests_that_hang_on_the_result_block() -> None:
    hung = suite(124, timed_out=True)
    done = verify(NO_REGRESSION, suite(a="passed"), HEAD, runs(head=hung))
    assert not done.proven
    assert "in time" in done.reason


def test_without_a_test_command_a_fix_cannot_be_proven_and_a_change_can_only_say_so() -> None:
    assert not verify(RED_TO_GREEN, None, PATCHED, runs()).proven
    done = verify(NO_REGRESSION, None, HEAD, runs())
    assert done.proven
    assert "no tests were run" in done.reason


def test_a_fix_is_proven_by_a_test_that_is_red_without_it_and_green_with_it() -> None:
    done = verify(
        RED_TO_GREEN,
        suite(a="passed"),
        PATCHED,
        runs(head=suite(a="passed", new="passed"), proof=suite(a="passed", new="failed")),
    )
    assert done.proven
    assert done.red_before == ("new",)
    assert done.reason == "1 new test red without the fix, green with it; the whole suite is green"


def test_a_new_test_that_passes_without_the_fix_proves_nothing() -> None:
    green = suite(a="passed", new="passed")
    done = verify(RED_TO_GREEN, suite(a="passed"), PATCHED, runs(head=green, proof=green))
    assert not done.proven
    assert "pass without the fix" in done.reason


def test_a_test_that_cannot_even_be_run_without_the_fix_proves_nothing() -> None:
    done = verify(
        RED_TO_GREEN,
        suite(a="passed"),
        PATCHED,
        runs(head=suite(a="passed", new="passed"), proof=suite(a="passed", test_new="error")),
    )
    assert not done.proven
    assert "cannot even be run" in done.reason


def test_a_fix_without_a_test_is_not_proven() -> None:
    done = verify(RED_TO_GREEN, suite(a="passed"), HEAD, runs(head=suite(a="passed")))
    assert not done.proven
    assert "no test that reproduces" in done.reason


def test_a_test_that_the_repository_had_already_and_that_was_red_is_proof_as_well() -> None:
    done = verify(RED_TO_GREEN, suite(a="failed"), HEAD, runs(head=suite(a="passed"), start=suite(a="failed")))
    assert done.proven
    assert done.red_before == ("a",)
    assert "1 test that the plugin had already" in done.reason


def test_a_fix_that_breaks_something_else_is_not_proven() -> None:
    broken = suite(a="failed", new="passed")
    done = verify(
        RED_TO_GREEN,
        suite(a="passed"),
        PATCHED,
        runs(head=[broken, broken], proof=suite(a="passed", new="failed")),
    )
    assert not done.proven
    assert done.regressions == ("a",)


def test_a_new_test_that_fails_on_the_result_is_worse_than_none() -> None:
    head = suite(a="passed", t1="passed", t2="failed")
    done = verify(
        RED_TO_GREEN, suite(a="passed"), PATCHED, runs(head=head, proof=suite(a="passed", t1="failed", t2="failed"))
    )
    assert not done.proven
    assert done.reason == "new tests do not pass on the result: t2"
    assert not verify(NO_REGRESSION, suite(a="passed"), PATCHED, runs(head=head)).proven


def test_a_new_test_that_passes_only_now_and_then_is_not_excused_as_flaky() -> None:
    heads = [suite(a="passed", t="failed"), suite(a="passed", t="passed")]
    assert not verify(NO_REGRESSION, suite(a="passed"), PATCHED, runs(head=heads)).proven


def test_a_green_suite_that_ends_red_is_worse_even_when_every_test_passes() -> None:
    done = verify(NO_REGRESSION, suite(a="passed"), HEAD, runs(head=suite(1, a="passed")))
    assert not done.proven
    assert done.reason == "the suite was green and ends with exit code 1 now"


def test_a_suite_that_ended_red_although_its_tests_pass_may_go_on_so() -> None:
    done = verify(NO_REGRESSION, suite(1, a="passed"), HEAD, runs(head=suite(1, a="passed")))
    assert done.proven
    assert done.reason == "all tests pass, and the suite ends with exit code 1 as before"


def test_a_flaky_test_that_the_patch_does_not_touch_shows_no_bug() -> None:
    green = suite(**{"tests.test_old::flaky": "passed", "tests.test_new::mine": "passed"})
    red = suite(**{"tests.test_old::flaky": "failed", "tests.test_new::mine": "passed"})
    done = verify(RED_TO_GREEN, suite(**{"tests.test_old::flaky": "passed"}), PATCHED, runs(head=green, proof=red))
    assert not done.proven
    assert done.red_before == ()


def test_a_test_that_is_red_without_the_fix_only_now_and_then_shows_no_bug() -> None:
    proof = [suite(a="passed", new="failed"), suite(a="passed", new="passed")]
    done = verify(RED_TO_GREEN, suite(a="passed"), PATCHED, runs(head=suite(a="passed", new="passed"), proof=proof))
    assert not done.proven


def test_a_test_of_the_plugin_that_was_red_only_now_and_then_shows_no_bug() -> None:
    done = verify(RED_TO_GREEN, suite(a="failed"), HEAD, runs(head=suite(a="passed"), start=suite(a="passed")))
    assert not done.proven


def test_an_old_test_that_the_patch_changed_may_show_the_bug() -> None:
    old, red = suite(**{"tests.test_new::t": "passed"}), suite(**{"tests.test_new::t": "failed"})
    done = verify(RED_TO_GREEN, old, PATCHED, runs(head=old, proof=red))
    assert done.proven
    assert done.reason.startswith("1 test of the patch red without the fix")


def test_a_runner_that_names_no_files_is_taken_at_its_word() -> None:
    done = verify(RED_TO_GREEN, suite(a="passed"), PATCHED, runs(head=suite(a="passed"), proof=suite(a="failed")))
    assert done.proven


def test_a_proof_run_that_broke_off_proves_nothing_where_single_tests_are_known() -> None:
    done = verify(RED_TO_GREEN, suite(a="passed"), PATCHED, runs(head=suite(a="passed", new="passed"), proof=coarse(4)))
    assert not done.proven


def test_exit_codes_prove_a_fix_where_the_runner_names_no_tests_and_that_is_said() -> None:
    done = verify(RED_TO_GREEN, coarse(0), PATCHED, runs(head=coarse(0), proof=coarse(1)))
    assert done.proven
    assert "exit codes only" in done.reason


def test_exit_codes_alone_show_a_regression() -> None:
    assert not verify(NO_REGRESSION, coarse(0), HEAD, runs(head=[coarse(1), coarse(1)])).proven


def test_a_red_suite_without_a_summary_cannot_be_compared() -> None:
    assert not verify(NO_REGRESSION, coarse(1), HEAD, runs(head=[coarse(1), coarse(1)])).proven
    assert verify(NO_REGRESSION, coarse(1, 5, 2), HEAD, runs(head=coarse(1, 5, 2))).proven
    worse = coarse(1, 4, 3)
    assert not verify(NO_REGRESSION, coarse(1, 5, 2), HEAD, runs(head=[worse, worse])).proven


def test_the_judgement_is_a_function_of_the_evidence() -> None:
    evidence = Evidence(base=suite(a="passed"), head=suite(a="passed"))
    assert judge(NO_REGRESSION, evidence) == judge(NO_REGRESSION, evidence)
