"""What the bot sent, checked as the real service checks it, and what can be read out of it.

Thought signatures carry which rule of the script made the turn, and a seal over its calls: so the server needs no
memory of a conversation, and notices when a turn does not come back as it was sent.
"""

from __future__ import annotations

import re
from collections import Counter

import msgspec

from bot.base.canonical import canonical, digest, sha256, spelled_out
from bot.virtual.gemini.wire import Content, FunctionCall, FunctionResponse, Generate, invalid

_PLUGIN = re.compile(r"^Plugin: (\S+)\s*$", re.MULTILINE)
_PLAYBOOK = re.compile(r"^Playbook: (\S+)(?: (\S+))?\s*$", re.MULTILINE)
_SALT = "virtual gemini"


class Signature(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a thought signature says."""

    rule: int
    """The rule of the script that made the turn, counted from 1."""
    step: int
    calls: str
    """Hash of the turn's calls."""

    def encode(self) -> bytes:
        """As opaque bytes."""
        payload = msgspec.msgpack.encode(self)
        return _seal(payload) + payload


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A request, checked."""

    request: Generate
    plugin: str
    playbook: str
    step: int
    """How many turns the model has had."""
    used: Counter[int]
    """Rule → how many turns it made."""

    @property
    def prompt(self) -> str:
        """The first thing said to the model."""
        return self.request.contents[0].text

    @property
    def told(self) -> str:
        """What is said in the last turn, besides responses."""
        return self.request.contents[-1].text if self.step else ""

    @property
    def results(self) -> tuple[FunctionResponse, ...]:
        """The tool results of the last turn."""
        return self.request.contents[-1].responses

    @property
    def calls(self) -> tuple[FunctionCall, ...]:
        """All calls made so far."""
        return tuple(call for content in self.request.contents for call in content.calls)

    @property
    def forced(self) -> bool:
        """Whether the model has to answer with a call."""
        return self.request.tool_config.function_calling_config.mode == "ANY"

    @property
    def key(self) -> str:
        """The same for all requests of one conversation."""
        return digest([self.request.system, self.request.contents[0]])


def calls_digest(calls: tuple[FunctionCall, ...]) -> str:
    """A short hash of a turn's calls."""
    return sha256(canonical(spelled_out([[call.name, call.args, call.id] for call in calls])))[:16]


def converse(request: Generate) -> Conversation:
    """Check a request. Raises `WireError` 400 with the service's reason."""
    _check_tools(request)
    _check_turns(request.contents)
    _check_answers(request.contents)
    plugin, playbook = _PLUGIN.search(request.system), _PLAYBOOK.search(request.system)
    if plugin is None or playbook is None:
        raise invalid("The virtual Gemini finds no lines `Plugin: …` and `Playbook: …` in the system instruction.")
    return Conversation(
        request=request,
        plugin=plugin[1],
        playbook=playbook[1],
        step=sum(content.role == "model" for content in request.contents),
        used=Counter(signature.rule for signature in _signatures(request.contents)),
    )


def _check_tools(request: Generate) -> None:
    names = [tool.name for group in request.tools for tool in group.function_declarations]
    for name in names:
        if names.count(name) > 1:
            msg = f"Duplicate function declaration found: {name}"
            raise invalid(msg)
    for tool in request.declared.values():
        if tool.parameters is not None and tool.parameters_json_schema is not None:
            msg = f"parameters and parameters_json_schema of {tool.name} are mutually exclusive."
            raise invalid(msg)
    for name in request.tool_config.function_calling_config.allowed_function_names:
        if name not in names:
            msg = f"allowed_function_names: {name} is not declared."
            raise invalid(msg)


def _check_turns(contents: tuple[Content, ...]) -> None:
    if not contents:
        raise invalid("* GenerateContentRequest.contents: contents is not specified\n")
    for number, content in enumerate(contents):
        place = f"GenerateContentRequest.contents[{number}]"
        if content.role not in {"user", "model"}:
            raise invalid("Please use a valid role: user, model.")
        if not content.parts:
            msg = f"* {place}.parts: contents.parts must not be empty.\n"
            raise invalid(msg)
        for index, part in enumerate(content.parts):
            data = [part.text, part.function_call, part.function_response]
            if sum(item is not None for item in data) != 1:
                msg = f"* {place}.parts[{index}].data: required oneof field 'data' must have one initialized field\n"
                raise invalid(msg)
        if content.role == "user" and content.calls:
            raise invalid("Function calls come from the model: a user turn must not hold a function call.")
        if content.role == "model" and (number == 0 or contents[number - 1].role == "model"):
            raise invalid("Please ensure that multiturn requests alternate between user and model.")
    if contents[-1].role != "user":
        raise invalid("Please ensure that multiturn requests end with a user role or a function response.")


def _check_answers(contents: tuple[Content, ...]) -> None:
    for number, content in enumerate(contents):
        calls = contents[number - 1].calls if number else ()
        answers = content.responses
        if answers and not calls:
            raise invalid("Please ensure that function response turn comes immediately after a function call turn.")
        if len(answers) != len(calls):
            raise invalid(
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn."
            )
        for call, answer in zip(calls, answers, strict=True):
            if call.name != answer.name or call.id != answer.id:
                msg = (
                    f"The function response {answer.name} ({answer.id}) does not answer the function call {call.name} "
                    f"({call.id}): responses come in the order of the calls, with their name and id."
                )
                raise invalid(msg)


def _signatures(contents: tuple[Content, ...]) -> list[Signature]:
    # Only the current turn is checked for missing ones, as the service does: what came after the last text of the user.
    texts = [number for number, content in enumerate(contents) if content.role == "user" and not content.responses]
    found: list[Signature] = []
    for number, content in enumerate(contents):
        if content.role != "model":
            continue
        signed = [part for part in content.parts if part.signature is not None]
        first = next((part for part in content.parts if part.function_call is not None), None)
        if first is not None and first.function_call and first not in signed and number > texts[-1]:
            msg = (
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to "
                f"work correctly. Function call `default_api:{first.function_call.name}`, position {number + 1}."
            )
            raise invalid(msg)
        found += [_read(part.signature or b"", content) for part in signed[:1]]
        if len(signed) > 1:
            raise invalid("Corrupted thought signature: a turn came back with more of them than it had.")
    return found


def _read(data: bytes, content: Content) -> Signature:
    seal, payload = data[:16], data[16:]
    try:
        signature = msgspec.msgpack.decode(payload, type=Signature)
    except msgspec.DecodeError:
        raise invalid("Corrupted thought signature.") from None
    if seal != _seal(payload):
        raise invalid("Corrupted thought signature.")
    if signature.calls != calls_digest(content.calls):
        raise invalid("Corrupted thought signature: the function calls of the turn are not those that it was made for.")
    return signature


def _seal(payload: bytes) -> bytes:
    return bytes.fromhex(sha256(_SALT.encode() + payload))[:16]
