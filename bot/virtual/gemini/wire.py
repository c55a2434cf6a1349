"""The wire format of `generateContent`: strict structs for what comes in, documents for what goes out.

Fields are accepted in both spellings of proto3 JSON (`parametersJsonSchema`, `parameters_json_schema`), as the real
service does; the SDK mixes them. Everything that the service does not know is an error in its words.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Any, Literal

import msgspec

from bot.base.canonical import canonical, sha256

GOOGLE = "type.googleapis.com/google.rpc"
_NAME = r"^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$"
_FREE = frozenset({"args", "response", "parameters", "parametersJsonSchema", "responseJsonSchema", "responseSchema"})
"""Fields whose content is the caller's own: keys inside stay as they are."""
_UNKNOWN = re.compile(r"Object contains unknown field `([^`]*)`(?: - at `\$\.?(.*)`)?$")
_CACHED_FROM = 1024
"""Tokens; shorter prefixes are not cached implicitly (https://ai.google.dev/gemini-api/docs/caching)."""


class WireError(Exception):
    """An error as the service answers it."""

    def __init__(self, code: int, status: str, message: str, details: tuple[dict[str, Any], ...] = ()) -> None:
        """`code` is the HTTP status, `status` its name, `details` the typed additions."""
        super().__init__(message)
        self.code, self.status, self.message, self.details = code, status, message, details

    @property
    def body(self) -> dict[str, Any]:
        """The document that goes over the wire."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = list(self.details)
        return {"error": error}


def invalid(message: str) -> WireError:
    """400 INVALID_ARGUMENT."""
    return WireError(400, "INVALID_ARGUMENT", message)


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    pass


class FunctionCall(_Strict, frozen=True, kw_only=True):
    """The model asks for a tool."""

    name: str
    args: dict[str, Any] = {}
    id: str | None = None


class FunctionResponse(_Strict, frozen=True, kw_only=True):
    """What the tool said."""

    name: str
    response: dict[str, Any]
    id: str | None = None

    @property
    def is_error(self) -> bool:
        """Whether it says that the tool failed."""
        return "error" in self.response

    @property
    def text(self) -> str:
        """`output` or `error` as text, or else the whole document."""
        said = self.response.get("error", self.response.get("output", self.response))
        return said if isinstance(said, str) else canonical(said).decode()


class Part(_Strict, frozen=True, kw_only=True):
    """One piece of a turn: exactly one of text, call and response."""

    text: str | None = None
    thought: bool = False
    thought_signature: str | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None

    @property
    def signature(self) -> bytes | None:
        """The thought signature's bytes. Raises `WireError` when it is no base64."""
        if self.thought_signature is None:
            return None
        plain = self.thought_signature.replace("-", "+").replace("_", "/").rstrip("=")
        try:
            return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        except binascii.Error:
            raise invalid("Base64 decoding failed for thought_signature.") from None


class Content(_Strict, frozen=True, kw_only=True):
    """One turn."""

    parts: tuple[Part, ...] = ()
    role: str = "user"

    @property
    def calls(self) -> tuple[FunctionCall, ...]:
        """The calls in it."""
        return tuple(part.function_call for part in self.parts if part.function_call is not None)

    @property
    def responses(self) -> tuple[FunctionResponse, ...]:
        """The responses in it."""
        return tuple(part.function_response for part in self.parts if part.function_response is not None)

    @property
    def text(self) -> str:
        """All that is said in it, thoughts left out."""
        return "\n".join(part.text for part in self.parts if part.text is not None and not part.thought)


class FunctionDeclaration(_Strict, frozen=True, kw_only=True):
    """A tool, with its parameters as the service's Schema or as JSON Schema."""

    name: Annotated[str, msgspec.Meta(pattern=_NAME)]
    description: str = ""
    parameters: dict[str, Any] | None = None
    parameters_json_schema: dict[str, Any] | None = None


class Tool(_Strict, frozen=True, kw_only=True):
    """Tools declared together."""

    function_declarations: tuple[FunctionDeclaration, ...] = ()


class FunctionCallingConfig(_Strict, frozen=True, kw_only=True):
    """Whether the model may, must or must not call."""

    mode: Literal["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"] = "AUTO"
    allowed_function_names: tuple[str, ...] = ()


class ToolConfig(_Strict, frozen=True, kw_only=True):
    """Settings of all tools."""

    function_calling_config: FunctionCallingConfig = FunctionCallingConfig()


class ThinkingConfig(_Strict, frozen=True, kw_only=True):
    """How much to think, and whether to show it."""

    include_thoughts: bool = False
    thinking_budget: int | None = None
    thinking_level: Literal["MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"] | None = None


class GenerationConfig(_Strict, frozen=True, kw_only=True):
    """How to answer."""

    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: float | None = None
    top_k: float | None = None
    seed: int | None = None
    candidate_count: Literal[1] = 1
    max_output_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    stop_sequences: tuple[str, ...] = ()
    thinking_config: ThinkingConfig = ThinkingConfig()


class Generate(_Strict, frozen=True, kw_only=True):
    """The body of `generateContent`; of `countTokens` too."""

    contents: tuple[Content, ...] = ()
    system_instruction: Content | None = None
    tools: tuple[Tool, ...] = ()
    tool_config: ToolConfig = ToolConfig()
    generation_config: GenerationConfig = GenerationConfig()

    @property
    def declared(self) -> dict[str, FunctionDeclaration]:
        """All tools by name."""
        return {tool.name: tool for group in self.tools for tool in group.function_declarations}

    @property
    def system(self) -> str:
        """The system instruction's text."""
        return self.system_instruction.text if self.system_instruction else ""


def parse(raw: bytes) -> Generate:
    """The request. Raises `WireError` in the service's words."""
    try:
        return msgspec.convert(_one_spelling(msgspec.json.decode(raw), ""), Generate)
    except msgspec.ValidationError as error:
        unknown = _UNKNOWN.search(str(error))
        if unknown is None:
            msg = f"Invalid JSON payload received. {error}"
            raise invalid(msg) from None
        where = f" at '{unknown[2]}'" if unknown[2] else ""
        msg = f'Invalid JSON payload received. Unknown name "{unknown[1]}"{where}: Cannot find field.'
        raise invalid(msg) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        msg = f"Invalid JSON payload received. {error}"
        raise invalid(msg) from None


def _one_spelling(value: object, place: str) -> object:
    if isinstance(value, list):
        return [_one_spelling(item, f"{place}[{index}]") for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    found: dict[str, object] = {}
    for key, item in value.items():
        name = re.sub(r"_([a-z])", lambda letter: letter[1].upper(), key)
        if name in found:
            msg = f"Invalid JSON payload received. Field '{name}' is given twice at '{place}'."
            raise invalid(msg)
        found[name] = item if name in _FREE else _one_spelling(item, f"{place}.{name}".lstrip("."))
    return found


def tokens(value: object) -> int:
    """How many tokens we say that a value is: a quarter of the bytes of its JSON, rounded up."""
    return -(-len(canonical(value)) // 4)


def usage(request: Generate, parts: list[dict[str, Any]], thoughts: int) -> dict[str, int]:
    """`usageMetadata`, a function of the sizes alone; what the request before this one held counts as cached."""
    fixed = tokens([request.system_instruction, request.tools])
    prompt = fixed + tokens(request.contents)
    before = fixed + tokens(request.contents[:-2]) if len(request.contents) > 2 else 0
    found = {"promptTokenCount": prompt, "candidatesTokenCount": tokens(parts), "thoughtsTokenCount": thoughts}
    if before >= _CACHED_FROM:
        found["cachedContentTokenCount"] = before
    return found | {"totalTokenCount": prompt + found["candidatesTokenCount"] + thoughts}


def response_id(raw: bytes) -> str:
    """An id as the service gives them, always the same for the same request."""
    return base64.urlsafe_b64encode(bytes.fromhex(sha256(raw))[:16]).decode().rstrip("=")
