"""What trials show of a pass rate: exact intervals for a fixed number, and evidence that may be looked at any time.

The e-value against "the rate is at most p0" is the likelihood of what was seen under a mixture of all better rates,
Beta(1, 1/2) cut to (p0, 1), over its likelihood under p0. Under every rate up to p0 it is a supermartingale that starts
at 1, so it ever reaches 1/alpha with probability at most alpha (Ville), however often one looks.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

_PRIOR_A, _PRIOR_B = 1.0, 0.5
_TINY = 1e-300
_PRECISION = 1e-14


class Interval(NamedTuple):
    """Bounds of a rate."""

    low: float
    high: float


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by Lentz's continued fraction."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - beta_cdf(1.0 - x, b, a)
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - _log_beta(a, b)) / a
    return front * _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1)
    d = 1.0 / (d or _TINY)
    result = d
    for m in range(1, 100_000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / ((1.0 + term * d) or _TINY)
            c = (1.0 + term / c) or _TINY
            result *= c * d
        if abs(c * d - 1.0) < _PRECISION:
            break
    return result


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def beta_quantile(q: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = q, by bisection to the last bit that matters."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if beta_cdf(middle, a, b) < q else (low, middle)
    return (low + high) / 2


def lower_bound(passed: int, trials: int, confidence: float = 0.95) -> float:
    """The exact (Clopper-Pearson) one-sided lower bound of the pass rate, for a number of trials fixed beforehand."""
    return beta_quantile(1 - confidence, passed, trials - passed + 1) if passed else 0.0


def upper_bound(passed: int, trials: int, confidence: float = 0.95) -> float:
    """The exact one-sided upper bound; for harm, `passed` is the number of harms."""
    return beta_quantile(confidence, passed + 1, trials - passed) if passed < trials else 1.0


def exact_interval(passed: int, trials: int, confidence: float = 0.95) -> Interval:
    """The exact two-sided Clopper-Pearson interval, for a number of trials fixed beforehand."""
    one_sided = (1 + confidence) / 2
    return Interval(lower_bound(passed, trials, one_sided), upper_bound(passed, trials, one_sided))


def trials_needed(target: float, confidence: float = 0.95) -> int:
    """How many trials without a failure show a rate of at least `target`, when their number is fixed beforehand."""
    return math.ceil(math.log(1 - confidence) / math.log(target))


def log_evidence(passed: int, failed: int, target: float) -> float:
    """The natural logarithm of the e-value against "the rate is at most `target`"."""
    a, b = _PRIOR_A + passed, _PRIOR_B + failed
    above = _above(target, a, b)
    if above <= 0.0:
        return -math.inf
    likelihood = _log_beta(a, b) + math.log(above) - _log_prior(target)
    return likelihood - passed * math.log(target) - failed * math.log1p(-target)


def _above(target: float, a: float, b: float) -> float:
    """The part of a beta distribution above the target, exact where it is tiny."""
    return beta_cdf(1.0 - target, b, a)


@functools.lru_cache(maxsize=64)
def _log_prior(target: float) -> float:
    return _log_beta(_PRIOR_A, _PRIOR_B) + math.log(_above(target, _PRIOR_A, _PRIOR_B))


def evidence(passed: int, failed: int, target: float) -> float:
    """The e-value; 20 or more shows at confidence 95 % that the rate is above `target`, whenever one looks."""
    return math.exp(min(log_evidence(passed, failed, target), 700.0))


def log_futility(passed: int, failed: int, target: float) -> float:
    """The logarithm of the e-value against "the rate is at least `target`", with one clearly worse rate in mind."""
    worse = worse_rate(target)
    return passed * math.log(worse / target) + failed * math.log((1 - worse) / (1 - target))


def worse_rate(target: float) -> float:
    """The rate that a futility stop has in mind: three times as many failures as the target allows (0.95 → 0.85)."""
    return max(1 - 3 * (1 - target), target / 2)


def anytime_lower_bound(passed: int, failed: int, confidence: float = 0.95) -> float:
    """The largest rate that the evidence speaks against; holds at every look, so it is below the exact bound."""
    threshold = -math.log(1 - confidence)
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        shown = 0.0 < middle < 1.0 and log_evidence(passed, failed, middle) >= threshold
        low, high = (middle, high) if shown else (low, middle)
    return low


def pass_hat(passed: int, trials: int, k: int) -> float:
    """pass^k: the chance that k plugins in a row all succeed, estimated without bias from the trials.

    Raises `ValueError` when there are fewer than k trials.
    """
    if k > trials:
        msg = f"{trials} trials cannot say how {k} in a row end"
        raise ValueError(msg)
    return math.comb(passed, k) / math.comb(trials, k)


def sign_test(better: int, worse: int) -> float:
    """The one-sided p-value of "no better", from pairs of which one of the two passed (exact McNemar)."""
    pairs = better + worse
    return sum(math.comb(pairs, k) for k in range(better, pairs + 1)) / (1 << pairs)
