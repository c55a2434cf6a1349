"""What a tool is: a typed function with a docstring, from which its plain, flat JSON Schema is made.

A new tool is one small file with one function under `@tool`, and one line in `bot.agent.tools`.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import msgspec

from bot.agent.tools.context import Context
from bot.base.messages import ToolDeclaration
from bot.ports import CommandResult, Effect

Reason = Literal["unknown_tool", "bad_arguments", "refused_path", "not_found", "conflict", "limit", "os_error"]
Args = dict[str, Any]
ARGUMENTS_LIMIT = 2_000_000
"""Characters that all arguments of one call may have together."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_TYPES: dict[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


class ToolError(Exception):
    """The tool cannot do it; `message` tells the model why and what to do instead."""

    def __init__(self, reason: Reason, message: str) -> None:
        """`reason` goes into the trace."""
        super().__init__(message)
        self.reason: Reason = reason
        self.message = message


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool answers. `text` is shown to the model."""

    text: str
    whole: str | None = None
    """All of it, where `text` had to be cut."""
    command: CommandResult | None = None


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool as the model sees it, and how it is done."""

    declaration: ToolDeclaration
    run: Callable[[Args, Context], Output]
    changes: bool = False
    """Whether it can change the workspace: then it is guarded, approved, and compared before and after."""
    declared: Callable[[Args, Context], tuple[Effect, ...]] = lambda args, context: ()
    """What it will change. Raises `ToolError` when it cannot be done as asked."""
    preview: Callable[[Args, Context], str] = lambda args, context: ""
    """What a person is shown who has to approve it: a unified diff or a command."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.declaration.name

    def check(self, args: Args) -> Args:
        """The arguments, complete with defaults left out. Raises `ToolError` with all mistakes and the right form.

        Types are strict but for two spellings that mean the same: `3.0` for an integer (JSON has one kind of number),
        and null for an optional argument that is not given.
        """
        if (good := self._plainly(args)) is not None:
            return good
        parameters = self.declaration.parameters
        properties, required = parameters["properties"], parameters.get("required", ())
        given = {name: value for name, value in args.items() if value is not None or name in required}
        wrong = [f"{name} is missing" for name in required if name not in given]
        good = {}
        size = 0
        for name, value in given.items():
            if name not in properties:
                wrong.append(f"there is no argument {_short(name)}")
            elif (kind := properties[name]["type"]) and not _fits(value, kind):
                wrong.append(f"{name} has to be {_article(kind)}, not {_kind(value)}")
            elif isinstance(value, str) and not value.isascii() and _SURROGATE.search(value):
                wrong.append(f"{name} has characters that are none (half of a surrogate pair)")
            else:
                good[name] = int(value) if kind == "integer" else value
                size += len(value) if isinstance(value, str) else 0
        if size > ARGUMENTS_LIMIT:
            wrong.append(f"the arguments have more than {ARGUMENTS_LIMIT:,} characters; do it in smaller steps")
        if wrong:
            raise ToolError("bad_arguments", "; ".join(wrong[:8]) + f". Right is: {self.usage}")
        return good

    def _plainly(self, args: Args) -> Args | None:
        """The arguments where there is nothing to be said about them; else None, and somebody has to look closer."""
        kinds, size = self._kinds, 0
        for name, value in args.items():
            if value.__class__ is str and kinds.get(name) == "string" and value.isascii():
                size += len(value)
            elif value.__class__ is not int or kinds.get(name) != "integer":
                return None
        return dict(args) if size <= ARGUMENTS_LIMIT and args.keys() >= self._required else None

    @cached_property
    def _kinds(self) -> dict[str, str]:
        return {name: schema["type"] for name, schema in self.declaration.parameters["properties"].items()}

    @cached_property
    def _required(self) -> frozenset[str]:
        return frozenset(self.declaration.parameters.get("required", ()))

    @property
    def usage(self) -> str:
        """The call as a person would write it down: `read_file(path: string, start_line?: integer)`."""
        required = self.declaration.parameters.get("required", [])
        arguments = (
            f"{name}{'' if name in required else '?'}: {schema['type']}"
            for name, schema in self.declaration.parameters["properties"].items()
        )
        return f"{self.name}({', '.join(arguments)})"


def tool(
    *,
    changes: bool = False,
    declared: Callable[..., tuple[Effect, ...]] | None = None,
    preview: Callable[..., str] | None = None,
) -> Callable[[Callable[..., str | Output]], Tool]:
    """Make a tool of a function `(context, *, name: Annotated[type, "what it is"] [= default]) -> str`.

    The docstring is the description. `declared` and `preview` take the same arguments as the function.
    """

    def make(function: Callable[..., str | Output]) -> Tool:
        def run(args: Args, context: Context) -> Output:
            done = function(context, **args)
            return done if isinstance(done, Output) else Output(text=done)

        extra: dict[str, Any] = {}
        if declared is not None:
            extra["declared"] = lambda args, context: declared(context, **args)
        if preview is not None:
            extra["preview"] = lambda args, context: preview(context, **args)
        return Tool(declaration=_declaration(function), run=run, changes=changes, **extra)

    return make


def _declaration(function: Callable[..., object]) -> ToolDeclaration:
    hints = typing.get_type_hints(function, include_extras=True)
    properties: dict[str, Any] = {}
    required = []
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        base, *notes = typing.get_args(hints[name])
        if isinstance(base, types.UnionType):
            base = next(member for member in typing.get_args(base) if member is not type(None))
        properties[name] = {"type": _TYPES[base], "description": notes[0]}
        if parameter.default is inspect.Parameter.empty:
            required.append(name)
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    if not required:
        del schema["required"]
    return ToolDeclaration(
        name=function.__name__,
        description=" ".join((inspect.getdoc(function) or "").split()),
        parameters=schema,
    )


def _fits(value: object, kind: str) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return not isinstance(value, bool) and (
                isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            )
        case _:
            return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "a boolean"
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "null")


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _short(name: str) -> str:
    return repr(name if len(name) <= 60 else name[:60] + "…")
