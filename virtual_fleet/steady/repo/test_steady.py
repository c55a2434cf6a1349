from itertools import islice

from steady import delays


def test_delays_grow_up_to_a_limit():
    assert list(islice(delays(10), 5)) == [10, 20, 40, 60, 60]
