import pytest

from tally import mean


def test_the_mean():
    assert mean([1, 2, 6]) == 3.0


def test_it_does_not_lose_digits():
    assert mean([10**17, 1, 2]) == (10**17 + 3) / 3


def test_nothing_has_no_mean():
    with pytest.raises(ValueError, match="nothing"):
        mean([])
