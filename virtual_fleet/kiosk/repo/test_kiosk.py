import re
from pathlib import Path

from prices import shown, total

HERE = Path(__file__).parent


def test_prices():
    assert shown(total(["tea", "bun"], {"tea": 250, "bun": 199})) == "4.49"


def test_the_pinned_version_is_one_that_fits():
    pinned = re.search(r"^click==(\d+)\.(\d+)", (HERE / "requirements.txt").read_text(), re.M)
    least = re.search(r'"click>=(\d+)\.(\d+)', (HERE / "pyproject.toml").read_text())
    below = re.search(r'"click>=[\d.]+,<(\d+)\.(\d+)', (HERE / "pyproject.toml").read_text())
    version = tuple(map(int, pinned.groups()))
    assert version >= tuple(map(int, least.groups()))
    assert below is None or version < tuple(map(int, below.groups()))
