"""Where the model's key comes from. The only module that reads `.env` files, and it takes nothing else from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.base.errors import ConfigurationError

KEY = "GEMINI_API_KEY"


def find_key(given: str | None, project: Path, environ: Mapping[str, str]) -> str | None:
    """The key, or None when there is none anywhere.

    In this order: `given` (`--api-key`, or the Action's input), `.env` of the project, environment, `~/.env`. Inside
    Actions only the first and the environment count: the files of a checkout are not where secrets belong there.
    Raises `ConfigurationError` for a `.env` that cannot be read.
    """
    return next((key for key in _candidates(given, project, environ) if key), None)


def missing_key() -> ConfigurationError:
    """The error that says all four ways to give a key."""
    return ConfigurationError(
        "There is no key for the model.",
        f"Give it in one of four ways, looked up in this order: --api-key KEY; a line {KEY}=… in the file .env beside "
        f"fleet.yaml; the environment variable {KEY}; a line {KEY}=… in ~/.env. "
        "Inside GitHub Actions only the input api-key and the environment count.",
    )


def _candidates(given: str | None, project: Path, environ: Mapping[str, str]) -> Iterator[str]:
    on_actions = environ.get("GITHUB_ACTIONS", "").lower() == "true"
    yield (given or "").strip()
    if not on_actions:
        yield _in_file(project / ".env")
    yield environ.get(KEY, "").strip()
    if not on_actions:
        home = environ.get("HOME")
        yield _in_file((Path(home) if home else Path.home()) / ".env")


def _in_file(file: Path) -> str:
    if not file.is_file():
        return ""
    from dotenv import dotenv_values

    try:
        found = dotenv_values(file, interpolate=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{file} cannot be read: {error.strerror if isinstance(error, OSError) else 'it is not UTF-8'}."
        raise ConfigurationError(msg, "Correct the file, or give the key another way.") from None
    return (found.get(KEY) or "").strip()
