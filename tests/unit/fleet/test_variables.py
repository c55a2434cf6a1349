"""What is given for a playbook's variables."""

from __future__ import annotations

import pytest

from bot.base.errors import UsageError
from bot.base.values import Playbook, Scalar, Variable
from bot.fleet.variables import fit, values_for

PLAYBOOK = Playbook(
    id="work",
    version="1.0.0",
    summary="",
    variables={
        "dependency": Variable(description="what to update"),
        "level": Variable(choices=("patch", "minor"), default="patch"),
        "count": Variable(type="integer"),
        "note": Variable(required=False),
    },
)


def test_given_values_become_their_type_and_the_rest_is_default_or_empty() -> None:
    values = values_for(PLAYBOOK, {"count": "3", "dependency": "requests"})
    assert values == {"dependency": "requests", "level": "patch", "count": 3, "note": ""}
    assert list(values) == list(PLAYBOOK.variables)


def test_everything_that_is_missing_or_wrong_is_said_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        values_for(PLAYBOOK, {"levle": "x", "level": "patsch", "zzz": "1"})
    assert caught.value.what == (
        "The variables of work do not fit: `levle` is unknown (did you mean level?); "
        "`zzz` is unknown (known: dependency, level, count, note); "
        '`level` is "patsch", but can only be patch, minor (did you mean patch?); '
        "missing: dependency (what to update), count."
    )
    assert caught.value.cure == "Write --var dependency=… --var count=…"


def test_a_playbook_without_variables_takes_none() -> None:
    with pytest.raises(UsageError, match=r"`a` is unknown \(known: none\)"):
        values_for(Playbook(id="x", version="1.0.0", summary=""), {"a": "b"})


@pytest.mark.parametrize(
    ("variable", "given", "value"),
    [
        (Variable(), "7", "7"),
        (Variable(), 7, "7"),
        (Variable(), "", ""),
        (Variable(type="integer"), " 7 ", 7),
        (Variable(type="integer"), 7, 7),
        (Variable(type="number"), "1.5", 1.5),
        (Variable(type="number"), 2, 2),
        (Variable(type="boolean"), "True", True),
        (Variable(type="boolean"), "no", False),
        (Variable(type="boolean"), True, True),
        (Variable(pattern="[a-z]+"), "abc", "abc"),
        (Variable(type="integer", choices=(2, 4)), "4", 4),
    ],
)
def test_a_value_that_fits(variable: Variable, given: Scalar, value: Scalar) -> None:
    found = fit(given, variable)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("variable", "given", "said"),
    [
        (Variable(type="integer"), "1.5", 'is "1.5", but has to be a whole number'),
        (Variable(type="integer"), True, "is true, but has to be a whole number"),
        (Variable(type="number"), "nan", 'is "nan", but has to be a number'),
        (Variable(type="number"), "inf", "has to be a number"),
        (Variable(type="boolean"), "maybe", "has to be true or false"),
        (Variable(pattern="[a-z]+"), "abc\n", "does not match"),
        (Variable(pattern="[a-z]+"), "abc; id", "does not match"),
        (Variable(choices=("a",)), "b", "can only be a"),
    ],
)
def test_a_value_that_does_not_fit_is_explained(variable: Variable, given: Scalar, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fit(given, variable)
