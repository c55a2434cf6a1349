from convert import main


def test_it_converts():
    assert main(["5", "mi", "km"]) == ("8.04672 km", 0)


def test_an_unknown_unit_is_named():
    assert main(["5", "parsec", "km"]) == ("unknown unit: 'parsec'", 2)
