"""A push that moves one branch only while it is where we saw it, and says why it could not."""

from __future__ import annotations

import re
from pathlib import Path

from bot.base.errors import ConfigurationError, ForgeError, GitError, TaskBlocked
from bot.base.git import GitDir, environment
from bot.forge.words import plain
from bot.ports import Remote

_TIMEOUT = 900.0
_HTTP = re.compile(r"The requested URL returned error: (\d{3})")
_MOVED = ("stale info", "fetch first", "non-fast-forward", "cannot lock ref", "failed to update ref", "needs force")
_BROKEN = ("internal server error", "unpacker error", "failed to store", "missing necessary objects")
_WORKFLOWS = ("without `workflows` permission", "without `workflow` scope")
_LOGIN = ("Authentication failed", "could not read Username", "could not read Password", "invalid credentials")


def push(remote: Remote, objects: Path, commit: str, branch: str, expect: str | None, *, repo: str) -> None:
    """Push `commit` from the git-dir `objects` to `branch`, only while that is at `expect` (None: absent).

    `repo` is how people call it. Raises `TaskBlocked` when the server's rules refuse it or the branch moved meanwhile,
    `ConfigurationError` when the token is refused, and `ForgeError` otherwise; then it may have happened or not.
    """
    ref = f"refs/heads/{branch}"
    _push(remote, objects, commit, ref, f"--force-with-lease={ref}:{expect or ''}", shown=branch, repo=repo)


def keep(remote: Remote, objects: Path, commit: str, ref: str, *, repo: str) -> None:
    """Push `commit` to a `ref` outside of the branches, which never moves once it is there. Raises as `push` does."""
    _push(remote, objects, commit, ref, "--no-force", shown=ref, repo=repo)


def _push(remote: Remote, objects: Path, commit: str, ref: str, lease: str, *, shown: str, repo: str) -> None:
    refspec = f"{commit}:{ref}"
    words = ("push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", lease, "--", remote.url, refspec)
    try:
        said = GitDir(objects).run(*words, env=environment(remote.url, remote.token), timeout=_TIMEOUT)
    except GitError as error:
        row = _row(error.output, ref)
        if row is None:
            raise _unreached(error.what, repo) from error
        raise _refused(row, error.what, shown, repo) from error
    row = _row(said, ref)
    # The exit code alone is no proof: the row of our ref is.
    if row is None or row[0] == "!":
        raise _refused(row or ("!", "git did not say what became of it"), "", shown, repo)


def _row(output: bytes, ref: str) -> tuple[str, str] | None:
    """Flag and summary of a ref in `git push --porcelain`: `flag TAB from:to TAB summary`."""
    for line in output.decode("utf-8", "surrogateescape").split("\n"):
        fields = line.split("\t")
        if len(fields) == 3 and fields[1].endswith(f":{ref}"):
            return fields[0].strip() or " ", fields[2]
    return None


def _refused(row: tuple[str, str], errors: str, branch: str, repo: str) -> TaskBlocked | ForgeError:
    summary = row[1]
    shown = plain(branch)
    if any(word in summary for word in _MOVED):
        msg = f"The branch {shown} of {repo} was moved meanwhile."
        return TaskBlocked(msg, "Look at its commits, then run again.")
    reason = plain(" ".join(filter(None, [_reason(summary), _remote_words(errors)])))
    if any(word in summary.lower() for word in _BROKEN):
        msg = f"The push to {shown} of {repo} failed on the server: {reason}"
        return ForgeError(msg, "Run again.", 500)
    msg = f"{repo} refused the push to {shown}: {reason}"
    if any(word in summary for word in _WORKFLOWS):
        cure = "Publish with a token that has `workflows: write`. A workflow's GITHUB_TOKEN never has it."
        return TaskBlocked(msg, cure)
    return TaskBlocked(msg, "Let its rules accept the branch, or take the plugin out of the campaign.")


def _unreached(errors: str, repo: str) -> ConfigurationError | ForgeError:
    found = _HTTP.search(errors)
    status = int(found[1]) if found else 0
    said = plain(_remote_words(errors))
    if status == 401 or any(word in errors for word in _LOGIN):
        msg = f"The token was refused for a push to {repo}."
        return ConfigurationError(msg, "Set GITHUB_TOKEN to a token that is valid and may write there.")
    if status == 403:
        msg = f"The token may not push to {repo}" + (f": {said}" if said else ".")
        return ForgeError(msg, "Give the token write access to its contents.", 403)
    if status == 404 or "not found" in errors.lower():
        msg = f"{repo} is not there or not visible to the token."
        return ForgeError(msg, "Correct `repo` in fleet.yaml, or give the token access.", 404)
    return ForgeError(f"The push to {repo} failed: {said or plain(errors)}", "Run again.", status)


def _reason(summary: str) -> str:
    found = re.search(r"\((.*)\)\s*$", summary)
    return found[1] if found else summary


def _remote_words(errors: str) -> str:
    lines = [line.partition("remote:")[2].strip() for line in errors.splitlines() if "remote:" in line]
    return " ".join(line for line in lines if line)
