"""The figures against published ones, against simulation, and against their own definitions."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.windtunnel.plan import (
    Decision,
    Plan,
    Tally,
    characteristic,
    characteristics,
    combine,
    decide,
    fewest_trials,
    fleet_success,
)
from bot.windtunnel.statistics import (
    anytime_lower_bound,
    beta_cdf,
    beta_quantile,
    evidence,
    exact_interval,
    log_futility,
    lower_bound,
    pass_hat,
    sign_test,
    trials_needed,
    upper_bound,
    worse_rate,
)


@pytest.mark.parametrize(("passed", "percent"), [(3, 37), (5, 55), (10, 74), (20, 86), (30, 90.5), (59, 95)])
def test_what_a_few_trials_without_failure_show(passed: int, percent: float) -> None:
    assert lower_bound(passed, passed) == pytest.approx(0.05 ** (1 / passed))
    assert lower_bound(passed, passed) * 100 == pytest.approx(percent, abs=0.5)


def test_exact_bounds_are_the_published_ones() -> None:
    low, high = exact_interval(18, 20)
    assert (round(low, 4), round(high, 4)) == (0.6830, 0.9877)
    assert round(lower_bound(19, 20), 2) == 0.78
    assert round(lower_bound(95, 100), 2) == 0.90
    assert exact_interval(0, 10).low == 0
    assert exact_interval(10, 10).high == 1
    assert upper_bound(0, 598) == pytest.approx(0.005, abs=1e-5)
    assert [trials_needed(target) for target in (0.90, 0.95, 0.99)] == [29, 59, 299]


@given(st.integers(1, 60), st.data())
def test_the_exact_bound_is_where_the_binomial_tail_is_five_percent(trials: int, data: st.DataObject) -> None:
    passed = data.draw(st.integers(1, trials))
    rate = lower_bound(passed, trials)
    tail = math.fsum(math.comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(passed, trials + 1))
    assert tail == pytest.approx(0.05, rel=1e-6)


@given(st.floats(0.01, 0.99), st.integers(1, 30), st.integers(1, 30))
def test_the_beta_function_is_a_binomial_tail(x: float, a: int, b: int) -> None:
    n = a + b - 1
    tail = math.fsum(math.comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
    assert beta_cdf(x, a, b) == pytest.approx(tail, rel=1e-9, abs=1e-12)
    assert beta_cdf(0, a, b) == 0
    assert beta_cdf(1, a, b) == 1
    assert beta_cdf(beta_quantile(0.3, a, b), a, b) == pytest.approx(0.3)


@pytest.mark.parametrize(("target", "needed"), [(0.90, (36, 64, 86)), (0.95, (74, 131, 174)), (0.99, (377, 663, 883))])
def test_anytime_evidence_needs_the_published_number_of_trials(target: float, needed: tuple[int, ...]) -> None:
    for failed, trials in enumerate(needed):
        assert evidence(trials - failed, failed, target) >= 20
        assert evidence(trials - 1 - failed, failed, target) < 20
    assert fewest_trials(Plan(target=target, max_trials=1000)) == needed[0]
    assert fewest_trials(Plan(target=target, max_trials=needed[0] - 1)) is None


@given(st.integers(0, 80), st.integers(0, 30), st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]))
def test_the_evidence_is_a_martingale_at_the_target_and_falls_below_it(passed: int, failed: int, target: float) -> None:
    now = evidence(passed, failed, target)
    up, down = evidence(passed + 1, failed, target), evidence(passed, failed + 1, target)
    assert target * up + (1 - target) * down == pytest.approx(now, rel=1e-6)
    lower = target * 0.9
    assert lower * up + (1 - lower) * down <= now * (1 + 1e-6)


@given(st.integers(0, 80), st.integers(0, 30), st.sampled_from([0.5, 0.8, 0.95, 0.99]))
def test_the_futility_evidence_is_a_martingale_too(passed: int, failed: int, target: float) -> None:
    now = math.exp(log_futility(passed, failed, target))
    up, down = math.exp(log_futility(passed + 1, failed, target)), math.exp(log_futility(passed, failed + 1, target))
    assert target * up + (1 - target) * down == pytest.approx(now)
    better = (1 + target) / 2
    assert better * up + (1 - better) * down <= now * (1 + 1e-9)


@pytest.mark.parametrize(
    ("rate", "certify", "trials"),
    [(1.0, 1.0, 74), (0.995, 0.95, 98), (0.99, 0.80, 123), (0.98, 0.42, 162), (0.95, 0.03, None), (0.90, 0.001, 118)],
)
def test_the_operating_characteristic_is_the_published_one(rate: float, certify: float, trials: float | None) -> None:
    found = characteristic(Plan(), rate)
    assert found.certify == pytest.approx(certify, abs=0.012)
    assert trials is None or found.trials == pytest.approx(trials, abs=3)


def test_a_bad_playbook_is_rejected_early() -> None:
    assert characteristic(Plan(), 0.90).reject == pytest.approx(0.65, abs=0.02)
    bad = characteristic(Plan(), 0.80)
    assert bad.reject > 0.99
    assert bad.trials == pytest.approx(26, abs=1)
    assert worse_rate(0.95) == pytest.approx(0.85)
    assert [found.rate for found in characteristics(Plan())] == [1.0, 0.995, 0.99, 0.98, 0.95, 0.9, 0.8]
    assert [found.rate for found in characteristics(Plan(), [0.5])] == [0.5]


def fly(rng: random.Random, rate: float, plan: Plan) -> Decision:
    passed = failed = 0
    while True:
        if rng.random() < rate:
            passed += 1
        else:
            failed += 1
        verdict = decide(Tally(passed=passed, failed=failed), plan)
        if verdict is not None:
            return verdict


@pytest.mark.parametrize(("target", "rate"), [(0.95, 0.95), (0.9, 0.9), (0.8, 0.78)])
def test_with_a_look_after_every_trial_at_most_one_in_twenty_is_certified_wrongly(target: float, rate: float) -> None:
    rng = random.Random(20260101)
    plan = Plan(target=target, max_trials=300)
    flights = 400
    certified = sum(fly(rng, rate, plan) == "CERTIFIED" for _ in range(flights))
    assert certified / flights <= 0.05
    exact = characteristic(plan, rate).certify
    assert certified / flights == pytest.approx(exact, abs=4 * math.sqrt(exact / flights))


@pytest.mark.parametrize("target", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_never_more_than_one_in_twenty_even_with_very_many_looks(target: float) -> None:
    assert characteristic(Plan(target=target, max_trials=1000), target).certify <= 0.05


@pytest.mark.parametrize("rate", [0.95, 0.97])
def test_a_good_playbook_is_rejected_in_at_most_one_of_twenty(rate: float) -> None:
    assert characteristic(Plan(max_trials=1000), rate).reject <= 0.05


def test_the_anytime_bound_lies_below_the_exact_one() -> None:
    assert anytime_lower_bound(74, 0) == pytest.approx(0.95, abs=0.001)
    for passed, failed in ((10, 0), (50, 2), (200, 20)):
        assert 0 < anytime_lower_bound(passed, failed) < lower_bound(passed, passed + failed)
    assert anytime_lower_bound(0, 3) == 0


def test_a_verdict_needs_trials_and_harm_needs_only_one() -> None:
    plan = Plan()
    assert decide(Tally(), plan) is None
    assert decide(Tally(passed=73), plan) is None
    assert decide(Tally(passed=74), plan) == "CERTIFIED"
    assert decide(Tally(passed=74, failed=1, harm=1), plan) == "REJECTED"
    assert decide(Tally(passed=15, failed=6), plan) == "REJECTED"
    assert decide(Tally(passed=193, failed=7), plan) == "INCONCLUSIVE"
    assert decide(Tally(failed=200), plan) == "REJECTED"


def test_errors_of_the_infrastructure_are_apart_and_capped() -> None:
    plan = Plan()
    assert decide(Tally(passed=74, errors=3), plan) == "CERTIFIED"
    assert decide(Tally(passed=74, errors=5), plan) == "ERROR"
    assert decide(Tally(passed=10, errors=11), plan) == "ERROR"
    assert decide(Tally(passed=10, errors=5), plan) is None
    assert decide(Tally(passed=1, errors=1), Plan(target=0.05, max_trials=1)) != "ERROR"
    assert decide(Tally(passed=20, failed=2, errors=2), Plan(max_trials=22)) == "ERROR"


def test_the_claim_holds_for_every_scenario() -> None:
    assert combine(["CERTIFIED", "CERTIFIED"]) == "CERTIFIED"
    assert combine(["CERTIFIED", "INCONCLUSIVE"]) == "INCONCLUSIVE"
    assert combine(["CERTIFIED", None]) is None
    assert combine(["REJECTED", None, "ERROR"]) == "REJECTED"
    assert combine(["ERROR", "INCONCLUSIVE"]) == "ERROR"
    assert combine([]) == "ERROR"


def test_many_in_a_row_is_much_harder_than_one() -> None:
    assert pass_hat(19, 20, 10) == 0.5
    assert pass_hat(20, 20, 20) == 1
    assert fleet_success(Tally(passed=19, failed=1), 10) == 0.5
    assert fleet_success(Tally(passed=19, failed=1), 40) is None
    with pytest.raises(ValueError, match="cannot say how 40"):
        pass_hat(20, 20, 40)


def test_the_sign_test_is_exact() -> None:
    assert sign_test(9, 1) == pytest.approx(11 / 1024)
    assert sign_test(0, 0) == 1


@pytest.mark.parametrize("wrong", [{"target": 1.0}, {"confidence": 0.0}, {"max_trials": 0}])
def test_a_plan_that_claims_the_impossible_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="lie between 0 and 1"):
        Plan(**wrong)  # type: ignore[arg-type]
