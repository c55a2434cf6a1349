import csv
from pathlib import Path


def test_every_place_has_people():
    for file in Path(__file__).parent.glob("data/*.csv"):
        with file.open(encoding="utf-8", newline="") as lines:
            places = list(csv.DictReader(lines, delimiter=";"))
        assert places
        assert all(int(place["people"]) > 0 for place in places)


def test_line_ends_are_kept():
    assert all(b"\r\n" in file.read_bytes() for file in Path(__file__).parent.glob("data/*.csv"))
