"""Scripts: what the virtual Gemini answers, as rules that look at what the bot sent.

A script is a YAML file with a list of rules. The first rule that fits, and has not been used up in this conversation,
answers; when none fits, that is an error, never an invented answer. `virtual_fleet/README.md` shows how to write one.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

import msgspec

from bot.virtual.document import read_document
from bot.virtual.gemini.conversation import Conversation

T = TypeVar("T")
J = TypeVar("J")
_SHOWN = 400
_CAPTURED = re.compile(r"\$\{([a-z_]+)\}")


class Text(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a text has to be like: all parts given have to hold."""

    contains: str | tuple[str, ...] = ()
    lacks: str | tuple[str, ...] = ()
    matches: str | None = None
    """A regular expression, searched with `^` and `$` at lines; its named groups can be used as `${name}`."""

    def fits(self, text: str) -> dict[str, str] | None:
        """What was captured, or None when the text is not like that."""
        if any(word not in text for word in _many(self.contains)) or any(word in text for word in _many(self.lacks)):
            return None
        if self.matches is None:
            return {}
        found = re.search(self.matches, text, re.MULTILINE)
        return None if found is None else {name: value or "" for name, value in found.groupdict().items()}


class ToolResult(Text, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the tool results of the last turn is like this. Its whole text can be used as `${result}`."""

    tool: str
    is_error: bool | None = None


class Made(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A call made earlier in the conversation."""

    tool: str
    contains: str = ""
    """In one of its arguments."""


class When(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a rule fits: all parts given have to hold."""

    step: int | None = None
    """How many turns the model has had."""
    declares: str | tuple[str, ...] = ()
    """Tools that have to be declared."""
    result: ToolResult | tuple[ToolResult, ...] = ()
    called: Made | tuple[Made, ...] = ()
    prompt: Text | None = None
    """The first thing said to the model: the playbook's instructions."""
    system: Text | None = None
    told: Text | None = None
    """What is said in the last turn besides tool results, such as a nudge."""
    forced: bool | None = None
    """Whether the bot insists on a call."""

    def fits(self, seen: Conversation) -> dict[str, str] | None:
        """What was captured, or None."""
        plain = (
            (self.step is None or self.step == seen.step)
            and (self.forced is None or self.forced == seen.forced)
            and set(_many(self.declares)) <= set(seen.request.declared)
            and all(_was_made(made, seen) for made in _many(self.called))
        )
        found = [self._result(result, seen) for result in _many(self.result)]
        texts = ((self.prompt, seen.prompt), (self.system, seen.request.system), (self.told, seen.told))
        found += [wanted.fits(text) for wanted, text in texts if wanted is not None]
        captured: dict[str, str] = {}
        for item in found:
            if item is None:
                return None
            captured |= item
        return captured if plain else None

    @staticmethod
    def _result(wanted: ToolResult, seen: Conversation) -> dict[str, str] | None:
        for result in seen.results:
            if wanted.tool == result.name and wanted.is_error in {None, result.is_error}:
                captured = wanted.fits(result.text)
                if captured is not None:
                    return {"result": result.text} | captured
        return None


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer, or a fault, and when it is given."""

    when: When = When()
    times: Annotated[int, msgspec.Meta(ge=1)] = 1
    """How often it may be used in one conversation."""
    thinks: str = ""
    """A thought summary, sent when the bot asks for them."""
    say: str = ""
    calls: tuple[Annotated[dict[str, dict[str, Any]], msgspec.Meta(min_length=1, max_length=1)], ...] = ()
    """Tool → arguments, one mapping a call."""
    unchecked: bool = False
    """Send calls that do not fit the declared tools too, as models do now and then."""
    finish: str = "STOP"
    """Finish reason; with another than STOP or MAX_TOKENS the answer has no parts."""
    block: str | None = None
    """The prompt is blocked, for this reason."""
    status: int | None = None
    """Answer with this HTTP status and an error."""
    message: str = ""
    retry_after: float | None = None
    """Seconds, for a 429."""
    body: str | None = None
    """Answer with this text instead of a JSON document."""
    slow: float = 0.0
    """Seconds to wait before the answer."""
    cut: bool = False
    """Close the connection in the middle of the answer."""

    @property
    def leaves_no_turn(self) -> bool:
        """Whether the answer is a fault, which does not come back in the conversation."""
        fault = self.status is not None or self.block is not None or self.body is not None or self.cut
        return fault or self.finish != "STOP" or not (self.say or self.calls)

    def filled(self, captured: Mapping[str, str]) -> Rule:
        """The rule with `${…}` in its texts and arguments replaced by what was captured."""
        return msgspec.structs.replace(
            self, say=_fill(self.say, captured), calls=tuple(_fill(call, captured) for call in self.calls)
        )


class Script(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The answers of one plugin to one playbook."""

    rules: Annotated[tuple[Rule, ...], msgspec.Meta(min_length=1)]


def read_script(file: Path) -> Script:
    """The script. Raises `ConfigurationError` with file and line."""
    facts = file.stat()
    return _cached(file, facts.st_mtime_ns, facts.st_size)


def choose(script: Script, seen: Conversation, spent: Mapping[int, int]) -> tuple[int, Rule] | None:
    """The rule that answers, by its number from 1; None when none fits. `spent` counts the uses that left no turn."""
    for number, rule in enumerate(script.rules, start=1):
        if seen.used[number] + spent.get(number, 0) < rule.times:
            captured = rule.when.fits(seen)
            if captured is not None:
                return number, rule.filled(captured)
    return None


def describe(seen: Conversation) -> str:
    """What the bot sent last, in a line, for people who mend a script."""
    said = [
        f"{result.name} {'failed' if result.is_error else 'said'} {_short(result.text)!r}" for result in seen.results
    ]
    if seen.told or not seen.step:
        said.append(f"the user said {_short(seen.told or seen.prompt)!r}")
    used = ", ".join(str(number) for number in sorted(seen.used)) or "none"
    return f"step {seen.step}, rules used: {used}; {'; '.join(said)}; tools: {', '.join(seen.request.declared)}"


@functools.lru_cache(maxsize=256)
def _cached(file: Path, _changed: int, _size: int) -> Script:
    return read_document(file, Script)


def _was_made(made: Made, seen: Conversation) -> bool:
    return any(
        call.name == made.tool and any(made.contains in str(value) for value in call.args.values() or [""])
        for call in seen.calls
    )


def _many(value: T | tuple[T, ...]) -> tuple[T, ...]:
    return value if isinstance(value, tuple) else (value,)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]} … {text[-_SHOWN // 2 :]}"


def _fill(value: J, captured: Mapping[str, str]) -> J:
    filled: object = value
    if isinstance(value, str):
        filled = _CAPTURED.sub(lambda name: captured.get(name[1], name[0]), value)
    elif isinstance(value, dict):
        filled = {key: _fill(item, captured) for key, item in value.items()}
    elif isinstance(value, list):
        filled = [_fill(item, captured) for item in value]
    return cast("J", filled)
