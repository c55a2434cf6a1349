from slugger import shorten


def test_a_short_slug_stays_whole():
    assert shorten("ten-years", 9) == "ten-years"


def test_a_long_slug_is_cut_at_the_end_of_a_word():
    assert shorten("ten-years-of-oland", 14) == "ten-years-of"
    assert shorten("ten-years-of-oland", 12) == "ten-years-of"


def test_a_single_long_word_is_cut_hard():
    assert shorten("donaudampfschiff", 5) == "donau"
