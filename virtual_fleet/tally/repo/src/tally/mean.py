"""The mean."""

from fractions import Fraction


def mean(values):
    """The arithmetic mean, exact for integers. Raises ValueError for no values."""
    values = list(values)
    if not values:
        raise ValueError("values: the mean of nothing")
    return float(sum(map(Fraction, values)) / len(values))
