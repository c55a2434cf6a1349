"""The inputs as a workflow writes them."""

from __future__ import annotations

import pytest

from bot.base.errors import UsageError
from bot.gha.inputs import Inputs, read_inputs


def test_lists_variables_and_numbers() -> None:
    given = {
        "INPUT_COMMAND": "plan",
        "INPUT_PLUGINS": "a, b\n c",
        "INPUT_VARIABLES": "dependency=requests\n\n version = 2.32.5 \ntext=a=b",
        "INPUT_DRY_RUN": "True",
        "INPUT_BUDGET_USD": "2.50",
        "INPUT_SHARDS": "256",
        "INPUT_SELECT": "  ",
    }
    found = read_inputs(given)
    assert found.plugins == ("a", "b", "c")
    assert found.variables == {"dependency": "requests", "version": "2.32.5", "text": "a=b"}
    assert (found.dry_run, found.budget_usd, found.shards, found.select) == (True, 2.5, 256, "")


def test_nothing_given_is_the_default() -> None:
    assert read_inputs({"INPUT_PLAYBOOK": "", "HOME": "/"}) == Inputs()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COMMAND", "deploy"),
        ("SHARDS", "0"),
        ("SHARDS", "257"),
        ("JOBS", "many"),
        ("DRY_RUN", "yes"),
        ("BUDGET_USD", "-1"),
        ("BUDGET_USD", "nan"),
        ("VARIABLES", "no equals sign"),
        ("VARIABLES", "=x"),
    ],
)
def test_what_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name.lower().replace("_", "-")):
        read_inputs({f"INPUT_{name}": value})
