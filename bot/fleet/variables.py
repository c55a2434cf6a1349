"""The variables of a playbook: whether a declaration makes sense, and what was given for them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from bot.base.errors import UsageError
from bot.base.schema import near, shown
from bot.base.values import Playbook, Scalar, Variable

RESERVED = ("plugin", "report", "ticket", "commit")
"""Names that every template has: facts of the plugin, the fenced report, its short name, the commit started from."""
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_TYPES: dict[str, tuple[type, ...]] = {"string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,)}


def values_for(playbook: Playbook, given: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The value of every variable, in the order of the playbook.

    Raises `UsageError` that lists all that is wrong: unknown names, values that do not fit, and what is missing.
    """
    wrong = [_unknown(name, playbook) for name in given if name not in playbook.variables]
    found: dict[str, Scalar] = {}
    missing = []
    for name, variable in playbook.variables.items():
        if name in given:
            try:
                found[name] = fit(given[name], variable)
            except ValueError as error:
                wrong.append(f"`{name}` {error}")
        elif variable.default is not None:
            found[name] = variable.default
        elif not variable.required:
            found[name] = ""
        else:
            missing.append(name)
    if missing:
        wrong.append("missing: " + ", ".join(_described(name, playbook.variables[name]) for name in missing))
    if wrong:
        names = missing or list(playbook.variables)
        cure = "Write " + " ".join(f"--var {name}=…" for name in names) if names else "Leave --var out."
        raise UsageError(f"The variables of {playbook.id} do not fit: " + "; ".join(wrong) + ".", cure)
    return found


def fit(value: Scalar, variable: Variable) -> Scalar:
    """A given value as the variable's type. Raises `ValueError` with words that follow the variable's name."""
    parsed = _parsed(value, variable)
    if variable.choices and parsed not in variable.choices:
        options = ", ".join(str(choice) for choice in variable.choices)
        guess = near(str(parsed), [str(choice) for choice in variable.choices])
        msg = f"is {shown(parsed)}, but can only be {options}" + (f" (did you mean {guess}?)" if guess else "")
        raise ValueError(msg)
    if variable.pattern is not None and not re.fullmatch(variable.pattern, str(parsed)):
        msg = f"is {shown(parsed)}, which does not match {variable.pattern}"
        raise ValueError(msg)
    return parsed


def declared_wrong(variable: Variable) -> list[tuple[str, str, str]]:
    """What makes no sense in a declaration: key, what is wrong, what to write instead."""
    found = []
    if variable.pattern is not None:
        try:
            re.compile(variable.pattern)
        except re.error as error:
            return [("pattern", f"is no regular expression: {error}", "")]
    for choice in variable.choices:
        if not _is(choice, variable):
            found.append(
                ("choices", f"has {shown(choice)}, which is no {variable.type}", "make choices and type agree")
            )
    if variable.untrusted and variable.type != "string":
        found.append(("untrusted", "only text can be untrusted", "write type: string"))
    if variable.default is not None and not found:
        if not _is(variable.default, variable):
            wrong = f"is {shown(variable.default)}, which is no {variable.type}"
            found.append(("default", wrong, f"write a default of type {variable.type}"))
        else:
            try:
                fit(variable.default, variable)
            except ValueError as error:
                found.append(("default", str(error), "write a default that the playbook would take"))
    return found


def _parsed(value: Scalar, variable: Variable) -> Scalar:
    if _is(value, variable):
        return value
    text = str(value).strip()
    try:
        match variable.type:
            case "string":
                return str(value)
            case "integer":
                return int(text)
            case "number":
                number = float(text)
                if math.isfinite(number):
                    return number
            case "boolean":
                return _BOOLEANS[text.lower()]
    except (ValueError, KeyError):
        pass
    words = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}
    msg = f"is {shown(value)}, but has to be {words[variable.type]}"
    raise ValueError(msg)


def _is(value: Scalar, variable: Variable) -> bool:
    if isinstance(value, bool) and variable.type != "boolean":
        return False
    return isinstance(value, _TYPES[variable.type])


def _unknown(name: str, playbook: Playbook) -> str:
    guess = near(name, list(playbook.variables))
    known = ", ".join(playbook.variables) or "none"
    return f"`{name}` is unknown ({f'did you mean {guess}?' if guess else f'known: {known}'})"


def _described(name: str, variable: Variable) -> str:
    return f"{name} ({variable.description})" if variable.description else name
