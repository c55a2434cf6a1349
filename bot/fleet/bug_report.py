"""What somebody reported, from the command line to a `Report`: words, an issue or ticket, a file with an error."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from bot.base.documents import read_text
from bot.base.errors import UsageError
from bot.base.values import Report, is_path
from bot.fleet import repository
from bot.fleet.error_reports import commit_in as commit_in
from bot.fleet.error_reports import error_of, ticket_in, title_in, versions_in
from bot.fleet.manifest import Manifest

Fetch = Callable[[str, int], Report]
_TICKET = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,29}-[0-9]{1,9}")
_NUMBER = re.compile(r"#?([0-9]{1,9})")
_SLUG = re.compile(r"([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)#([0-9]{1,9})")
_ISSUE_PATH = re.compile(r"/([^/]+/[^/]+)/(?:issues|pull)/([0-9]{1,9})/?")
_LONGEST = 200_000
_WORDS = "Write a number (7), a ticket (TICKET-123), owner/repo#7 or the URL of an issue."


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What `--issue` points at: an issue of the forge when `number` is set, a ticket of another system otherwise."""

    ticket: str
    """How the branch is called for it."""
    repo: str | None = None
    number: int | None = None
    url: str | None = None


def find_report(
    *,
    bug: str | None,
    issue: str | None,
    file: Path | None,
    plugins: tuple[str, ...],
    manifest: Manifest,
    fetch: Fetch,
) -> Report | None:
    """The report that a command line gives, or None when it gives none.

    `bug` is text, or `@FILE`; `file` holds a production error; `fetch` reads an issue of the forge, and is only called
    when `issue` is one. Texts are put together when several are given. Raises `UsageError`.
    """
    reference = parse_reference(issue) if issue is not None else None
    error = error_of(_file(file)).report if file is not None else None
    text = "\n\n".join(part for part in (_bug(bug), error.text if error else "") if part)
    if reference is None:
        return _report(text, error, None) if bug is not None or file is not None else None
    if reference.number is None:
        if not text:
            msg = f"{reference.ticket} is no issue that can be read here, and there is no report beside it."
            raise UsageError(msg, "Give the bug's text too, with --bug or --error-report.")
        return _report(text, error, reference)
    repo = reference.repo or _only_repo(plugins, manifest)
    fetched = fetch(repo, reference.number)
    both = "\n\n".join(part for part in (fetched.text, text) if part)
    return msgspec.structs.replace(
        fetched,
        text=_clipped(both),
        ticket=reference.ticket,
        issue=fetched.issue or (f"{repo}#{reference.number}" if _on_a_forge(repo) else None),
        url=fetched.url or reference.url,
        commit=fetched.commit or (error.commit if error else None) or commit_in(both),
        version=fetched.version or (error.version if error else None) or next(iter(versions_in(both)), None),
    )


def parse_reference(text: str) -> Reference:
    """What the words after `--issue` mean. Raises `UsageError` when they are no issue and no ticket."""
    words = text.strip()
    if found := _NUMBER.fullmatch(words):
        return Reference(ticket=f"issue-{int(found[1])}", number=int(found[1]))
    if (found := _SLUG.fullmatch(words)) and _on_a_forge(found[1]):
        return Reference(ticket=f"issue-{int(found[2])}", repo=found[1], number=int(found[2]))
    if _TICKET.fullmatch(words):
        return Reference(ticket=words)
    if words.startswith(("https://", "http://")):
        path = urlsplit(words).path
        if found := _ISSUE_PATH.fullmatch(path):
            if _on_a_forge(found[1]):
                return Reference(ticket=f"issue-{int(found[2])}", repo=found[1], number=int(found[2]), url=words)
        elif tickets := _TICKET.findall(path):
            return Reference(ticket=tickets[-1], url=words)
    msg = f"{text!r} is no issue."
    raise UsageError(msg, _WORDS)


def _report(text: str, error: Report | None, reference: Reference | None) -> Report:
    if not text.strip():
        msg = "The report is empty."
        raise UsageError(msg, "Say what is wrong, for example --bug 'slug(\"\") raises IndexError'.")
    about = error or Report(text="")
    return Report(
        text=_clipped(text),
        ticket=reference.ticket if reference else about.ticket or ticket_in(text),
        url=(reference.url if reference else None) or about.url,
        title=about.title or title_in(text),
        commit=about.commit or commit_in(text),
        version=about.version or next(iter(versions_in(text)), None),
        source=about.source,
    )


def _clipped(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    half = _LONGEST // 2
    return f"{text[:half]}\n… {len(text) - _LONGEST} characters left out …\n{text[-half:]}"


def _bug(bug: str | None) -> str:
    if bug is None or not bug.startswith("@"):
        return bug or ""
    return _file(Path(bug[1:]))


def _file(file: Path | None) -> str:
    if file is None:
        return ""
    text, problems = read_text(file)
    if problems:
        msg = f"The report {problems[0].file}: {problems[0].what}."
        raise UsageError(msg, "Give a text file, UTF-8.")
    return text


def _on_a_forge(repo: str) -> bool:
    """Whether it is `owner/name`."""
    return repository.trouble(repo) is None and not is_path(repo) and repo.count("/") == 1


def _only_repo(plugins: tuple[str, ...], manifest: Manifest) -> str:
    """The repository that a bare number means: that of the plugins named, when it is one."""
    repos = {plugin.repo for plugin in manifest.plugins if not plugins or plugin.name in plugins}
    if len(repos) != 1:
        msg = "It is not clear which repository the issue is in."
        raise UsageError(msg, "Name the plugin, or write owner/repo#7.")
    return repos.pop()
