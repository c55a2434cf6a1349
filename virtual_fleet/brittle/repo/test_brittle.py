from brittle import written


def test_minutes_and_seconds():
    assert written(90) == "1 minute, 30 seconds"


def test_one_second_is_one_second():
    assert written(61) == "1 minute, 1 second"


def test_whole_minutes():
    assert written(120) == "2 minutes"
