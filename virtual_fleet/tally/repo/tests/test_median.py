import pytest

from tally import median


@pytest.mark.parametrize(("values", "middle"), [([3], 3), ([9, 1, 5], 5), ([1, 2, 3, 10], 2.5)])
def test_the_median(values, middle):
    assert median(values) == middle
