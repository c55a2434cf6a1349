import pytest

from units import convert


@pytest.mark.parametrize(("value", "source", "target", "result"), [(1, "km", "m", 1000), (1, "mi", "ft", 5280), (3, "ft", "m", 0.9144)])
def test_lengths(value, source, target, result):
    assert convert(value, source, target) == pytest.approx(result)
