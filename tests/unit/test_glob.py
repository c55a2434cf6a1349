"""Path globs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.base.glob import any_matches, matches, trouble


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


def simply(path: str, glob: str) -> bool:
    """The same rules, tried out one by one: what is right, however long it takes."""
    if glob.startswith("**/"):
        rest = glob[3:]
        tails = [path] + [
            path[at + 1 :] for at, char in enumerate(path) if char == "/" and "//" not in "/" + path[: at + 1]
        ]
        return any(simply(tail, rest) for tail in tails)
    if glob.startswith("**"):
        return any(simply(path[at:], glob[2:]) for at in range(len(path) + 1))
    if glob.startswith("*"):
        end = path.find("/") if "/" in path else len(path)
        return any(simply(path[at:], glob[1:]) for at in range(end + 1))
    if not glob or not path:
        return glob == path
    fits = path[0] != "/" if glob[0] == "?" else path[0] == glob[0]
    return fits and simply(path[1:], glob[1:])


FOLDERS = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=4).map("/".join)
GLOBS = st.lists(
    st.lists(st.sampled_from(["a", "b", "*", "?"]), min_size=1, max_size=4).map("".join).filter(lambda n: "**" not in n)
    | st.just("**"),
    min_size=1,
    max_size=4,
).map("/".join)


@settings(max_examples=600)
@given(FOLDERS, GLOBS)
def test_a_glob_means_what_its_rules_say(path: str, glob: str) -> None:
    assert matches(path, glob) is simply(path, glob)


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("*a" * 9 + "b", "a" * 250),
        ("**/a/**/a/**/a/**/b", "a/" * 1500 + "c"),
        ("**/*a*a*a*a/**/*a*ab", "/".join(["a" * 200] * 18)),
        ("a**a**a**b", "a" * 3000),
    ],
)
def test_no_glob_takes_for_ever(glob: str, path: str) -> None:
    assert trouble(glob) is None
    assert not matches(path, glob)


@pytest.mark.parametrize("glob", ["[z-a]", "{a,b}" * 9, "*" * 11, "x" * 301])
def test_a_glob_that_cannot_be_used_says_why(glob: str) -> None:
    assert trouble(glob) is not None


def test_braces_may_be_nested_and_a_lone_one_is_a_character() -> None:
    assert matches("x.yaml", "x.{y{a,}ml,json}")
    assert matches("a{b", "a{b")
    assert matches("a}b", "a}b")
    assert matches("a,b", "a,b")
