"""All traces of a job as one file that a browser opens from the workflow's artifacts, without unpacking anything."""

from __future__ import annotations

import html
from collections.abc import Iterable
from pathlib import Path

from bot.base.errors import WorldError
from bot.fleet.run import Result
from bot.task.store import PATCH, TRACE
from bot.trace.page.page import render

PAGES = "fleet-bot-page"
"""The folder beside `out` that the file lies in: an artifact of its own, not archived."""
_MOST = 64 << 20
"""Characters of pages in one file; what is beyond is in the artifact of the proposals."""
_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Execution traces</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1200px;padding:1rem;color-scheme:light dark}
summary{cursor:pointer;padding:.6rem 0;border-bottom:1px solid #8884}
iframe{width:100%;height:85vh;border:1px solid #8884}
</style></head><body><h1>Execution traces</h1>
"""


def file_name(shard: str) -> str:
    """How the file of a shard, `I/N` or empty for all, is called; and so its artifact, which is not archived."""
    return f"traces-{shard.partition('/')[0] or '1'}.html"


def write_pages(results: Iterable[Result], file: Path) -> bool:
    """Write the traces of a job into `file`: the only one, or all of them folded. False without any.

    Raises `WorldError` when it cannot be written.
    """
    pages = [(result, page) for result in results if (page := _page(result)) is not None]
    if not pages:
        return False
    text = pages[0][1] if len(pages) == 1 else _all(pages)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        msg = f"{file} cannot be written: {error.strerror or error}."
        raise WorldError(msg, "Make room, or choose another `out`.") from error
    return True


def _page(result: Result) -> str | None:
    trace, patch = Path(result.folder) / TRACE, Path(result.folder) / PATCH
    if not trace.is_file() or result.proposal.trace is None:
        return None
    return render(trace, patch=patch.read_bytes() if patch.is_file() else b"", seal=result.proposal.trace)


def _all(pages: list[tuple[Result, str]]) -> str:
    parts, room = [_HEAD], _MOST
    for result, page in pages:
        proposal = result.proposal
        name = html.escape(f"{proposal.plugin}: {proposal.playbook}, {proposal.outcome}")
        room -= len(page)
        # A page of its own, with its own policy and no origin: nothing in one trace can reach another.
        frame = f'<iframe sandbox="allow-scripts" loading="lazy" srcdoc="{html.escape(page)}"></iframe>'
        shown = frame if room >= 0 else "<p>Too large for this file; it is in the artifact of the proposals.</p>"
        parts.append(f"<details><summary>{name}</summary>{shown}</details>\n")
    return "".join([*parts, "</body></html>\n"])
