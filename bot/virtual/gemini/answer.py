"""What the virtual Gemini answers to one request: the script's rule for it, or an error."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import jsonschema_rs
import msgspec

from bot.base.errors import ConfigurationError
from bot.virtual.gemini.conversation import Conversation, converse
from bot.virtual.gemini.render import Answer, refused, render
from bot.virtual.gemini.route import MODELS, Header, admit, not_found
from bot.virtual.gemini.script import Rule, choose, describe, read_script
from bot.virtual.gemini.wire import Generate, WireError, invalid, parse, tokens


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """One request that was answered."""

    path: str
    status: int
    plugin: str = ""
    playbook: str = ""
    step: int = 0
    rule: int = 0
    """Which rule answered, from 1; 0: none did."""
    message: str = ""
    """The error that was answered."""


class Answerer:
    """Answers requests, from many threads at once; knows nothing of sockets."""

    def __init__(self, script: Callable[[str, str], Path | None], key: str) -> None:
        """As `VirtualGemini`."""
        self._script, self._key = script, key
        self._lock = threading.Lock()
        self._spent: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self._played: defaultdict[Path, set[int]] = defaultdict(set)
        self.requests: list[Called] = []

    def look(self, path: str, header: Header) -> Answer:
        """Answer a GET: the list of models, or one of them."""
        try:
            route = admit(path, header, self._key)
            models = [model for model in MODELS if route.model in {None, str(model["name"]).removeprefix("models/")}]
            if route.verb is not None or not models:
                raise not_found(route)
        except WireError as error:
            return self._refuse(path, error)
        self.requests.append(Called(path=path, status=200))
        return Answer(body={"models": models} if route.model is None else models[0])

    def reply(self, path: str, header: Header, raw: bytes) -> Answer:
        """Answer a POST: `generateContent` or `countTokens`."""
        seen: Conversation | None = None
        try:
            route = admit(path, header, self._key)
            if route.model is None or route.verb not in {"generateContent", "countTokens"}:
                raise not_found(route)
            if route.verb == "countTokens":
                self.requests.append(Called(path=path, status=200))
                return Answer(body={"totalTokens": tokens(parse(raw))})
            seen = converse(parse(raw))
            number, rule = self._choose(seen)
            answer = render(rule, number, seen, route.model, raw)
        except WireError as error:
            return self._refuse(path, error, seen)
        self._log(path, answer.status, seen, rule=number, message=rule.message)
        return answer

    def unused(self) -> dict[Path, tuple[int, ...]]:
        """As `VirtualGemini.unused`."""
        with self._lock:
            played = {file: set(rules) for file, rules in self._played.items()}
        found = {
            file: tuple(number for number in range(1, len(read_script(file).rules) + 1) if number not in rules)
            for file, rules in played.items()
        }
        return {file: numbers for file, numbers in found.items() if numbers}

    def _choose(self, seen: Conversation) -> tuple[int, Rule]:
        file = self._script(seen.plugin, seen.playbook)
        if file is None:
            msg = f"The virtual Gemini has no answers for the playbook {seen.playbook} on the plugin {seen.plugin}."
            raise invalid(msg)
        try:
            script = read_script(file)
        except (ConfigurationError, OSError) as error:
            msg = f"The virtual Gemini cannot read its answers: {error}"
            raise invalid(msg) from None
        with self._lock:
            spent = self._spent[seen.key]
            chosen = choose(script, seen, spent)
            if chosen is None:
                msg = f"{_place(file)}: no rule fits what was sent ({describe(seen)})."
                raise invalid(msg)
            number, rule = chosen
            self._played[file].add(number)
            if rule.leaves_no_turn:
                spent[number] += 1
            elif not rule.calls:
                # The conversation is over; one that begins alike gets the same faults again.
                del self._spent[seen.key]
        if not rule.unchecked:
            _check_calls(rule, seen.request, f"{_place(file)}: rule {number}")
        return number, rule

    def _refuse(self, path: str, error: WireError, seen: Conversation | None = None) -> Answer:
        self._log(path, error.code, seen, message=error.message)
        return refused(error)

    def _log(self, path: str, status: int, seen: Conversation | None, *, rule: int = 0, message: str = "") -> None:
        called = Called(path=path, status=status, rule=rule, message=message)
        if seen is not None:
            called = msgspec.structs.replace(called, plugin=seen.plugin, playbook=seen.playbook, step=seen.step)
        self.requests.append(called)


def _check_calls(rule: Rule, request: Generate, place: str) -> None:
    allowed = request.tool_config.function_calling_config.allowed_function_names
    for call in rule.calls:
        for name, args in call.items():
            tool = request.declared.get(name)
            if tool is None or (allowed and name not in allowed):
                msg = f"{place} calls {name}, which the bot does not offer."
                raise invalid(msg)
            schema = tool.parameters_json_schema
            if schema is not None and (problem := next(jsonschema_rs.iter_errors(schema, args), None)):
                msg = f"{place} calls {name} with arguments that do not fit: {problem.message}."
                raise invalid(msg)
    mode = request.tool_config.function_calling_config.mode
    if mode == "ANY" and not rule.calls and not rule.leaves_no_turn:
        msg = f"{place} only talks, but the bot insists on a call; use `when: {{forced: true}}`."
        raise invalid(msg)


def _place(file: Path) -> str:
    return "/".join(file.parts[-3:])
