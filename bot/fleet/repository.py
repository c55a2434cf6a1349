"""How the manifest names a repository: `owner/name`, an https URL, or a folder of this machine."""

from __future__ import annotations

import re
from pathlib import Path

from bot.base.values import is_path

_OWNER = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:_[A-Za-z0-9]{1,20})?"
_REPO = r"(?!\.{1,2}(?:/|$))[A-Za-z0-9._][A-Za-z0-9._-]{0,99}"
_SLUG = re.compile(rf"{_OWNER}/{_REPO}")
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9][A-Za-z0-9-]{0,62})*(?::[0-9]{1,5})?"
_URL = re.compile(rf"https://{_HOST}(?:/{_REPO}){{2,8}}/?")
_FORMS = "write owner/name, https://host/owner/name, or a path such as ./name"


def trouble(repo: str) -> tuple[str, str] | None:
    """What is wrong with a repository's name and what to write instead, or None."""
    if re.search(r"[\x00-\x20\x7f]", repo):
        return "has white space or control characters", _FORMS
    if is_path(repo):
        return _path_trouble(repo)
    if _SLUG.fullmatch(repo):
        return ("ends in .git", f"write {repo.removesuffix('.git')}") if repo.endswith(".git") else None
    if repo.startswith("https://"):
        return _url_trouble(repo)
    if repo.startswith("http://"):
        return "is not encrypted", f"write https://{repo.removeprefix('http://')}"
    if re.match(r"(?:ssh://)?git@|[a-z+-]+::|[a-z+]+://", repo):
        return "uses a transport that is not allowed here", _FORMS
    return "names no repository", _FORMS


def absolute(repo: str, folder: Path) -> str:
    """The repository as tasks know it: a path made absolute, seen from `folder`; everything else as it is."""
    if not is_path(repo):
        return repo
    return str((folder / Path(repo).expanduser()).resolve())


def identity(repo: str) -> str:
    """The same text for the same repository, so that two entries for one are found; forges ignore case."""
    return repo if is_path(repo) else repo.removesuffix("/").removesuffix(".git").casefold()


def _path_trouble(repo: str) -> tuple[str, str] | None:
    parts = repo.split("/")
    if repo.startswith("~") and not repo.startswith("~/"):
        return "is in somebody's home folder", "write ~/… or an absolute path"
    if ".." in parts[1:]:
        return "climbs out of its folder", "write the absolute path, or ../name for a neighbour"
    return None


def _url_trouble(repo: str) -> tuple[str, str] | None:
    if _URL.fullmatch(repo):
        return None
    if "@" in repo:
        return "has a user name or a password in it", "write it without; the token comes from GITHUB_TOKEN"
    return "is no plain URL of a repository", "write https://host/owner/name"
