"""Web pages of repositories, issues and pull requests: plain HTML, no script, nothing fetched from elsewhere.

They need no token: whoever reaches loopback of this machine may look, at private repositories too.
"""

from __future__ import annotations

import colorsys
import functools
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from bot.virtual.github import artifacts, diff, markdown
from bot.virtual.github.errors import Refused, not_found
from bot.virtual.github.hub import Hub
from bot.virtual.github.records import Issue, Pull, Repository
from bot.virtual.github.shapes import number_of
from bot.virtual.github.store import NAME

if TYPE_CHECKING:
    from jinja2 import Environment

_README = re.compile(r"readme(\.md|\.markdown|\.rst|\.txt)?", re.IGNORECASE)
_MOST_FILES = 500


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser gets."""

    status: int = 200
    text: str = ""
    kind: str = "text/html; charset=utf-8"
    policy: str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'"


def page(hub: Hub, path: str) -> Page:
    """The page at a path; 404 for what there is none of."""
    for pattern, make in _PAGES:
        if match := pattern.fullmatch(path):
            try:
                return make(hub, **match.groupdict())
            except Refused as refused:
                if refused.status != 404:
                    raise
                break
    return Page(status=404, text=_render("missing.html.j2", title="Not found", path=path))


def _index(hub: Hub) -> Page:
    return Page(text=_render("index.html.j2", title="Repositories", repositories=hub.store.all()))


def _repository(hub: Hub, name: str) -> Page:
    repository = _found(hub, name)
    bare = hub.bare(name)
    branch, branches = bare.default_branch(), bare.branches()
    files = bare.git.paths(branches[branch]) if branch in branches else []
    readme = next((file for file in files if _README.fullmatch(file)), None)
    text = bare.git.blob(branches[branch], readme) if readme else None
    return Page(
        text=_render(
            "repository.html.j2",
            title=name,
            repository=repository,
            clone=f"{hub.url}/{name}.git",
            branch=branch,
            branches=branches,
            files=files[:_MOST_FILES],
            more=max(len(files) - _MOST_FILES, 0),
            readme=None if text is None else text.decode("utf-8", "replace"),
            pulls=[issue for issue in reversed(repository.issues.values()) if issue.pull],
            issues=[issue for issue in reversed(repository.issues.values()) if not issue.pull],
        )
    )


def _issue(hub: Hub, name: str, number: str) -> Page:
    repository = _found(hub, name)
    issue = repository.issue(int(number))
    return _conversation(hub, repository, issue, issue.pull)


def _pull(hub: Hub, name: str, number: str) -> Page:
    repository = _found(hub, name)
    issue, pull = repository.pull(int(number))
    return _conversation(hub, repository, issue, pull)


def _conversation(hub: Hub, repository: Repository, issue: Issue, pull: Pull | None = None) -> Page:
    given: dict[str, Any] = {}
    if pull is not None:
        bare = hub.bare(repository.full_name)
        given["compared"] = bare.compare(pull.head_sha, pull.base_sha)
        given["files"] = diff.files(bare.diff(pull.head_sha, pull.base_sha))
        newest = {status.context: status for status in repository.statuses if status.sha == pull.head_sha}
        given["statuses"] = list(newest.values())
    title = f"{issue.title} · {'Pull request' if pull else 'Issue'} #{issue.number} · {repository.full_name}"
    text = _render("conversation.html.j2", title=title, repository=repository, issue=issue, pull=pull, **given)
    return Page(text=text)


def _diff(hub: Hub, name: str, number: str) -> Page:
    _, pull = _found(hub, name).pull(int(number))
    text = hub.bare(name).diff(pull.head_sha, pull.base_sha)
    return Page(text=text, kind="text/plain; charset=utf-8")


def _run(hub: Hub, name: str, run: str) -> Page:
    found = artifacts.of_run(hub, name, int(run))
    rows = [(one.name, f"/{name}/actions/runs/{run}/artifacts/{one.id}") for one in found]
    return _listed(hub, name, f"Artifacts of run {run}", rows)


def _artifact(hub: Hub, name: str, run: str, number: str) -> Page:
    found = next((one for one in artifacts.of_run(hub, name, int(run)) if one.id == int(number)), None)
    if found is None:
        raise not_found()
    place = artifacts.folder_of(hub, name, int(run)) / found.name
    if place.is_file():
        # What a run made is shown as it is, and without an origin it can reach nothing here.
        kind = "text/html" if place.suffix == ".html" else "text/plain"
        text = place.read_text(encoding="utf-8", errors="replace")
        return Page(text=text, kind=f"{kind}; charset=utf-8", policy="sandbox allow-scripts")
    rows = [(str(file.relative_to(place)), "") for file in sorted(place.rglob("*")) if file.is_file()]
    return _listed(hub, name, f"Artifact {found.name}", rows)


def _listed(hub: Hub, name: str, title: str, rows: list[tuple[str, str]]) -> Page:
    return Page(text=_render("listed.html.j2", title=title, repository=hub.store.get(name), rows=rows))


def _avatar(hub: Hub, number: str) -> Page:
    return Page(
        text='<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8">'
        f'<circle cx="4" cy="4" r="4" fill="{_color(int(number))}"/></svg>',
        kind="image/svg+xml",
    )


def _found(hub: Hub, name: str) -> Repository:
    hub.store.get(name)
    return hub.follow(name)


def _color(number: int) -> str:
    parts = colorsys.hls_to_rgb(number % 360 / 360, 0.42, 0.5)
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def _when(seconds: int) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def _state(issue: Issue) -> str:
    if issue.pull and issue.pull.merged is not None:
        return "merged"
    return "draft" if issue.pull and issue.pull.draft and issue.state == "open" else issue.state


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("bot.virtual.github", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    from markupsafe import Markup

    # Markup says "already safe", which is what `markdown.render` promises.
    made.filters["markdown"] = lambda text: Markup(markdown.render(text))
    made.filters |= {"when": _when, "state": _state, "color": lambda name: _color(number_of(name))}
    return made


def _render(template: str, **given: object) -> str:
    return _environment().get_template(template).render(given)


_AT = rf"/(?P<name>{NAME.pattern}?)"
_PAGES: tuple[tuple[re.Pattern[str], Callable[..., Page]], ...] = (
    (re.compile("/"), _index),
    (re.compile(r"/avatars/(?P<number>[0-9]{1,18})"), _avatar),
    (re.compile(rf"{_AT}(?:/issues|/pulls)?/?"), _repository),
    (re.compile(rf"{_AT}/issues/(?P<number>[0-9]{{1,9}})"), _issue),
    (re.compile(rf"{_AT}/pull/(?P<number>[0-9]{{1,9}})"), _pull),
    (re.compile(rf"{_AT}/pull/(?P<number>[0-9]{{1,9}})\.diff"), _diff),
    (re.compile(rf"{_AT}/actions/runs/(?P<run>[0-9]{{1,18}})"), _run),
    (re.compile(rf"{_AT}/actions/runs/(?P<run>[0-9]{{1,18}})/artifacts/(?P<number>[0-9]{{1,18}})"), _artifact),
)
