"""Path globs."""

import pytest

from bot.base.glob import any_matches, matches


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        ("*.py", "a.py", True),
        ("*.py", "src/a.py", False),
        ("**/*.py", "a.py", True),
        ("**/*.py", "src/deep/a.py", True),
        ("src/**", "src/a.py", True),
        ("src/**", "src/deep/a.py", True),
        ("src/**", "src", False),
        ("src/**", "srcs/a.py", False),
        ("./src/*.py", "src/a.py", True),
        ("a?.txt", "ab.txt", True),
        ("a?.txt", "a/.txt", False),
        ("[ab].py", "b.py", True),
        ("[!ab].py", "b.py", False),
        ("[!ab].py", "c.py", True),
        ("x.{yml,yaml}", "x.yaml", True),
        ("x.{yml,yaml}", "x.json", False),
        ("{a,b}/{c,d}", "b/d", True),
        ("a.b", "axb", False),
        ("**", "any/thing", True),
        ("weird\nname", "weird\nname", True),
    ],
)
def test_a_glob_fits_what_gitignore_people_expect(glob: str, path: str, fits: bool) -> None:
    assert matches(path, glob) is fits


def test_no_globs_fit_nothing() -> None:
    assert not any_matches("a", ())
