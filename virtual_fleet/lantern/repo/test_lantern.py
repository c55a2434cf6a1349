from lantern import brightness


def test_it_is_dark_by_day():
    assert [brightness(hour) for hour in (6, 12, 17)] == [0, 0, 0]


def test_it_is_half_bright_in_the_evening():
    assert [brightness(hour) for hour in (18, 21)] == [50, 50]


def test_it_is_fully_bright_before_midnight():
    assert brightness(23) == 100
