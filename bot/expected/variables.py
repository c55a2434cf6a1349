"""Variables in rules: `"{{ name }}"` stands for the value of a playbook's variable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from bot.base.values import Playbook, Scalar, Variable
from bot.expected.vocabulary import Mistake, Yaml, near

_PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_EXAMPLES: Mapping[str, Scalar] = {"string": "example", "integer": 1, "number": 1.5, "boolean": True}


def filled(
    spec: Yaml,
    values: Mapping[str, Scalar],
    untrusted: AbstractSet[str],
    where: str,
    mistakes: list[Mistake],
) -> Yaml:
    """A parsed document with its variables filled in. A text that is one variable and nothing else keeps its type.

    Text of strangers must not shape the rules: a variable marked as untrusted is a mistake.
    """
    if isinstance(spec, Mapping):
        return {key: filled(part, values, untrusted, f"{where}.{key}", mistakes) for key, part in spec.items()}
    if isinstance(spec, list | tuple):
        return [filled(part, values, untrusted, f"{where}[{i}]", mistakes) for i, part in enumerate(spec)]
    if not isinstance(spec, str):
        return spec
    for name in _PLACE.findall(spec):
        if name not in values:
            mistakes.append(Mistake(where, f"there is no variable {name}{near(name, values)}"))
            return spec
        if name in untrusted:
            mistakes.append(Mistake(where, f"the variable {name} holds text of strangers, which must not shape a rule"))
    whole = _PLACE.fullmatch(spec)
    if whole:
        return values[whole[1]]
    return _PLACE.sub(lambda place: str(values[place[1]]), spec)


def examples(playbook: Playbook) -> dict[str, Scalar]:
    """A value for each variable of a playbook, so that its rules can be looked at without a task."""
    return {name: _example(variable) for name, variable in playbook.variables.items()}


def _example(variable: Variable) -> Scalar:
    if variable.default is not None:
        return variable.default
    return variable.choices[0] if variable.choices else _EXAMPLES[variable.type]
