"""Production errors as their trackers send them, as a `Report`: Sentry, DataDog, or text with a stack trace.

Trackers send one thing in many wrappings (alert, webhook, answer of the API), so what counts is what is found, not
where: an exception with frames is Sentry's, an `error` with a stack is DataDog's. All of it is a stranger's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from bot.base.values import Report
from bot.fleet import stack_traces
from bot.fleet.named_versions import versions_in as versions_in

_LONGEST = 200_000
_COMMIT = re.compile(
    r"\b(?:commit|revision|rev|sha(?:1)?|git[ _-]?(?:sha|commit|head|rev))(?:[ _-]?(?:id|hash|sha))?\b"
    r"(?:\s+is\b)?[\s\"'`:=(@#]{1,8}([0-9a-f]{7,40})\b",
    re.IGNORECASE,
)
_IN_VERSION = re.compile(r"(?:^|[@+])g?([0-9a-f]{7,40})$|-\d+-g([0-9a-f]{7,40})\b", re.IGNORECASE)
"""`app@9f8e7d6…`, `1.4.2+g1a2b3c4`, `v1.4.2-3-g1a2b3c4`, or the commit itself."""
_STANDARD = r"(?!(?:UTF|SHA|MD|ISO|RFC|PEP|CVE|CWE|HTTP|IEEE|WIN|X)-)"
"""What looks like a ticket and is none."""
_TICKET = re.compile(
    rf"(?:^\[?|\b(?i:ticket)\b[\s:#]{{1,3}}\[?){_STANDARD}([A-Z][A-Z0-9_]{{1,29}}-[0-9]{{1,9}})\b(?!-)", re.MULTILINE
)
_LEADING_TICKET = re.compile(rf"^\[?{_STANDARD}[A-Z][A-Z0-9_]{{1,29}}-[0-9]{{1,9}}\]?[\s:,.-]+")
_WORD = re.compile(r"[^A-Za-z0-9_.-]+")


class FoundError(msgspec.Struct, frozen=True, kw_only=True):
    """A production error."""

    report: Report
    services: tuple[str, ...] = ()
    """What the tracker calls the thing that failed: project, service; perhaps a plugin's name."""


def error_of(value: object) -> FoundError:
    """What a tracker sent (a JSON value), or what somebody wrote (text, JSON in text too)."""
    if isinstance(value, str):
        held = _json(value)
        return _written(value) if held is None else error_of(held)
    node = value if isinstance(value, dict) else {"data": value}
    for holder in _maps(node):
        if _exceptions(holder):
            return _sentry(holder, node)
    if (issue := _map(_map(node, "data"), "issue")) or "shortId" in node:
        return _sentry(issue or node, node)
    for holder in _maps(node):
        if _datadog_error(holder):
            return _datadog(holder, node)
    return _written(msgspec.json.format(msgspec.json.encode(node), indent=2).decode())


def commit_in(text: str) -> str | None:
    """The first commit that a text names after a word such as commit, revision or SHA; lower case."""
    for found in _COMMIT.finditer(text[:_LONGEST]):
        commit = found[1].lower()
        # "commit defaced …" is a word, "revision 1234567" may be a number of another system.
        if len(commit) == 40 or (re.search("[0-9]", commit) and re.search("[a-f]", commit)):
            return commit
    return None


def commit_of_version(version: str) -> str | None:
    """The commit that a version carries, as `git describe`, setuptools-scm and Sentry's releases write it."""
    found = _IN_VERSION.search(version.strip())
    commit = (found[1] or found[2]).lower() if found else ""
    return commit if commit and not commit.isdigit() else None


def ticket_in(text: str) -> str | None:
    """The ticket that a text begins a line with, or names after the word ticket."""
    found = _TICKET.search(text[:_LONGEST])
    return found[1] if found else None


def title_in(text: str) -> str:
    """The first line of a text, without the ticket that it may begin with."""
    first = (text.strip().splitlines() or [""])[0]
    return (_LEADING_TICKET.sub("", first) or first)[:120]


def _written(text: str) -> FoundError:
    return FoundError(
        report=Report(
            text=text,
            ticket=ticket_in(text),
            title=(stack_traces.headline(text) or title_in(text))[:120],
            commit=commit_in(text) or _described(text),
            version=next(iter(versions_in(text)), None),
        )
    )


def _described(text: str) -> str | None:
    """The commit in a line such as `Version: 1.4.2+g1a2b3c4`."""
    return next((commit for version in versions_in(text) if (commit := commit_of_version(version)) is not None), None)


def _sentry(event: dict[str, Any], whole: dict[str, Any]) -> FoundError:
    issue = _map(_map(whole, "data"), "issue")
    tags = _tags(event.get("tags"))
    release, commit = _release(event, tags)
    short = next((_text(holder, "shortId") for holder in (issue, *_maps(whole)) if _text(holder, "shortId")), "")
    number = _first(event, "issue_id", "groupID", "group_id") or _first(issue, "id")
    title = _first(event, "title") or _first(issue, "title") or _first(event, "message", "culprit")
    project = _map(issue, "project") or _map(event, "project")
    facts = {
        "Release": release,
        "Environment": _first(event, "environment") or tags.get("environment", ""),
        "In": _first(event, "culprit") or _first(issue, "culprit"),
        "Times seen": _first(issue, "count"),
    }
    traces = [stack_traces.of_sentry(value, _first(event, "platform")) for value in _exceptions(event)]
    return FoundError(
        report=_report(
            title,
            facts,
            "\n\n".join(trace for trace in traces if trace),
            ticket=short or (f"sentry-{number}" if number else ""),
            url=_first(event, "web_url") or _first(issue, "permalink", "web_url"),
            commit=commit,
            version=release,
            source="sentry",
        ),
        services=_names(
            _first(project, "slug"),
            _first(project, "name"),
            _first(event, "project_slug", "project_name", "project"),
            _first(whole, "project", "project_slug", "project_name"),
            short.rpartition("-")[0].lower(),
        ),
    )


def _release(event: dict[str, Any], tags: dict[str, str]) -> tuple[str, str | None]:
    held = event.get("release")
    release = held if isinstance(held, str) else _first(_map(event, "release"), "version") or tags.get("release", "")
    named = _first(_map(_map(event, "release"), "lastCommit"), "id")
    candidates = (named, tags.get("commit", ""), tags.get("git.commit.sha", ""), release)
    return release, next((commit for text in candidates if (commit := commit_of_version(text))), None)


def _exceptions(holder: dict[str, Any]) -> list[dict[str, Any]]:
    """The exceptions of an event, in the webhook's form or in the API's, outermost cause first."""
    values = _map(holder, "exception").get("values")
    if not isinstance(values, list):
        entries = holder.get("entries")
        held = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
        values = next((_map(entry, "data").get("values") for entry in held if entry.get("type") == "exception"), None)
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _datadog_error(holder: dict[str, Any]) -> bool:
    error = _map(holder, "error")
    return bool(
        _first(error, "stack", "stack_trace", "kind")
        or _first(holder, "error.stack", "error.kind", "error_type", "error_message")
    )


def _datadog(holder: dict[str, Any], whole: dict[str, Any]) -> FoundError:
    everything = (holder, *_maps(whole))
    tags: dict[str, str] = {}
    for other in everything:
        tags = _tags(other.get("tags")) | tags
    error = _map(holder, "error")

    def pick(*names: str) -> str:
        found = (_first(other, *names) or _nested(other, *names) for other in everything)
        return next((text for text in found if text), "") or next((tags[name] for name in names if name in tags), "")

    kind = _first(error, "kind", "type") or _first(holder, "error.kind", "error_type")
    message = _first(error, "message") or _first(holder, "error.message", "error_message")
    stack = _first(error, "stack", "stack_trace") or _first(holder, "error.stack")
    version = pick("version", "last_seen_version")
    issue = pick("issue_id", "error.issue_id", "issue.id") or (_first(_map(whole, "data"), "id"))
    facts = {
        "Version": version,
        "Environment": pick("env"),
        "In": " ".join(word for word in (pick("file_path"), pick("function_name")) if word),
    }
    commit = next(
        (found for text in (pick("git.commit.sha"), version) if (found := commit_of_version(text))), commit_in(stack)
    )
    return FoundError(
        report=_report(
            ": ".join(word for word in (kind, message) if word),
            facts,
            stack,
            ticket=f"datadog-{issue[:8]}" if issue else "",
            url=pick("link", "url", "issue_url"),
            commit=commit,
            version=version,
            source="datadog",
        ),
        services=_names(
            pick("service"), pick("git.repository_url").rstrip("/").rpartition("/")[2].removesuffix(".git")
        ),
    )


def _report(
    title: str,
    facts: dict[str, str],
    trace: str,
    *,
    ticket: str,
    url: str,
    commit: str | None,
    version: str,
    source: str,
) -> Report:
    lines = [f"{name}: {value}" for name, value in facts.items() if value]
    lines += [f"Commit: {commit}"] if commit else []
    text = "\n\n".join(part for part in (title, "\n".join(lines), trace) if part)
    return Report(
        text=text or "An error without a message.",
        title=" ".join(title.split())[:120],
        ticket=_WORD.sub("-", ticket).strip("-.")[:60] or None,
        url=url if url.startswith("https://") else None,
        commit=commit,
        version=version or None,
        source=source,
    )


def _maps(node: object, depth: int = 0) -> Iterator[dict[str, Any]]:
    """All mappings in a value, from the outside in."""
    if isinstance(node, dict):
        yield node
    if depth < 8 and isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node[:50]:
            yield from _maps(child, depth + 1)


def _tags(value: object) -> dict[str, str]:
    """Tags as a mapping: they come as pairs, as `key`/`value`, as `key:value`, or so in one line."""
    found: dict[str, str] = {}
    for tag in value.split(",") if isinstance(value, str) else value if isinstance(value, list) else ():
        if isinstance(tag, str):
            key, _, word = tag.strip().partition(":")
        elif isinstance(tag, list) and len(tag) == 2:
            key, word = str(tag[0]), str(tag[1])
        elif isinstance(tag, dict):
            key, word = _text(tag, "key"), _text(tag, "value")
        else:
            continue
        found.setdefault(key, word)
    return found


def _map(holder: dict[str, Any], key: str) -> dict[str, Any]:
    found = holder.get(key)
    return found if isinstance(found, dict) else {}


def _text(holder: dict[str, Any], key: str) -> str:
    found = holder.get(key)
    return found.strip() if isinstance(found, str) else str(found) if type(found) is int else ""


def _first(holder: dict[str, Any], *keys: str) -> str:
    return next((text for key in keys if (text := _text(holder, key))), "")


def _nested(holder: dict[str, Any], *names: str) -> str:
    for name in names:
        *path, last = name.split(".")
        node = holder
        for key in path:
            node = _map(node, key)
        if path and (text := _text(node, last)):
            return text
    return ""


def _names(*words: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))


def _json(text: str) -> dict[str, Any] | list[Any] | None:
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found if isinstance(found, dict | list) else None
