"""The ways into the virtual Gemini: paths, keys, models."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from typing import Any

import msgspec

from bot.virtual.gemini.wire import GOOGLE, WireError

_ROUTE = re.compile(
    r"^/(?P<version>v1|v1beta|v1beta1)/"
    r"(?P<vertex>(?:projects/[^/]+/locations/[^/]+/)?publishers/google/)?"
    r"models(?:/(?P<model>[A-Za-z0-9._-]+))?(?::(?P<verb>[A-Za-z]+))?$"
)

Header = Callable[[str], str | None]
"""A header's value by its name, in any case."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """What a path asks for."""

    version: str
    vertex: bool
    model: str | None
    verb: str | None


def admit(path: str, header: Header, key: str) -> Route:
    """Look at path and key. Raises `WireError` when there is no such route, no key, a wrong one, or no such model."""
    match = _ROUTE.match(path.partition("?")[0])
    if match is None:
        msg = "The requested URL was not found on this server."
        raise WireError(404, "NOT_FOUND", msg)
    vertex = match["vertex"] is not None
    bearer = (header("authorization") or "").removeprefix("Bearer ")
    given = header("x-goog-api-key") or (bearer if vertex else "")
    if not given:
        raise _unregistered(vertex)
    if not hmac.compare_digest(given.encode(), key.encode()):
        raise _wrong_key(vertex)
    if match["model"] is not None and not _exists(match["model"], match["version"]):
        raise not_found(Route(version=match["version"], vertex=vertex, model=match["model"], verb=match["verb"]))
    return Route(version=match["version"], vertex=vertex, model=match["model"], verb=match["verb"])


def _exists(model: str, version: str) -> bool:
    return model.startswith(("gemini-", "gemma-")) and not (model.endswith("-latest") and version == "v1")


def _model(name: str) -> dict[str, Any]:
    methods = ["generateContent", "countTokens"]
    limits = {"inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536}
    return {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": methods} | limits


def not_found(route: Route) -> WireError:
    """The model or the method is not there."""
    what = f"models/{route.model} is not found for API version {route.version}, or is not supported for {route.verb}."
    return WireError(404, "NOT_FOUND", f"{what} Call ModelService.ListModels to see the list of available models.")


def _unregistered(vertex: bool) -> WireError:
    if vertex:
        return WireError(401, "UNAUTHENTICATED", "Request is missing required authentication credential.")
    said = "Method doesn't allow unregistered callers (callers without established identity). Please use API Key."
    return WireError(403, "PERMISSION_DENIED", said)


def _wrong_key(vertex: bool) -> WireError:
    if vertex:
        return WireError(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
    info = {
        "@type": f"{GOOGLE}.ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }
    return WireError(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", (info,))


MODELS = tuple(_model(name) for name in ("gemini-3.8-flash", "gemini-3.1-pro-preview", "gemini-flash-latest"))
"""What the list of models holds; every other name that begins with `gemini-` is there too."""
