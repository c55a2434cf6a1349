"""Puts the page together: what the trace says as escaped text, our own style and script.

A policy in the page lets nothing else run or load.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from bot.base.redact import Redactor
from bot.trace.events import RunStarted, Seal
from bot.trace.inert import visible
from bot.trace.page.blocks import Block, patch_blocks
from bot.trace.page.charts import HEIGHT, WIDTH, timeline, tokens
from bot.trace.page.story import Story, tell
from bot.trace.reader import read, verify

_HERE = Path(__file__).parent
_PATCH = 400_000
_PROMPT = 60_000
_GOOD = {"changed": "good", "no_change": "good", "skipped": "plain", "": "odd"}


def render(trace: Path, *, published: Path | None = None, patch: bytes = b"", seal: Seal | None = None) -> str:
    """One self-contained HTML document. `published` is the trace of the publishing, `patch` the change in full.

    Raises `WorldError` when a trace cannot be read.
    """
    story = tell(read(trace), read(published) if published else ())
    redactor = Redactor(())  # nothing is known of the run's own secrets here: the trace has lost them already
    style, script = _part("page.css"), _part("page.js")
    values: dict[str, Any] = {
        "story": story,
        "start": story.started,
        "end": story.finished,
        "title": _title(story),
        "outcome": story.finished.outcome if story.finished else "unfinished",
        "tone": _GOOD.get(story.finished.outcome if story.finished else "", "bad"),
        "facts": _facts(story),
        "told": _told(story.started),
        "verdict": verify(trace, seal),
        "sealed": seal is not None,
        "tokens": tokens(story.spent),
        "marks": timeline(story),
        "tests": [item for item in story.items if item.green is not None],
        "patch": list(patch_blocks(redactor.text(patch[:_PATCH].decode("utf-8", "replace")))),
        "width": WIDTH,
        "height": HEIGHT,
        "style": style,
        "script": script,
        "policy": f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'",
    }
    return str(_template().render(values))


def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(_HERE)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"seconds": _seconds, "visible": visible, "count": "{:,}".format}
    return environment.get_template("page.html.j2")


def _part(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _title(story: Story) -> str:
    start = story.started
    return visible(f"{start.playbook} on {start.plugin}") if start else "execution trace"


def _facts(story: Story) -> list[tuple[str, str]]:
    start, end = story.started, story.finished
    facts: list[tuple[str, str]] = []
    if start is not None:
        model = str(start.model.get("name")) if start.model else "none, a script"
        sandbox = f"{start.sandbox.get('level', 'none')}, network {start.sandbox.get('network', 'none')}"
        facts += [("model", model), ("campaign", start.campaign), ("base", start.base_sha[:12] or "none")]
        facts += [("branch", start.branch), ("sandbox", sandbox), ("fleet-bot", start.bot_version)]
    if end is not None:
        facts.append(("time", _seconds(end.duration_ms / 1000)))
        if end.usage.calls:
            most = "at most " if end.usage.estimated else ""
            facts += [("tokens", f"{end.usage.total:,} in {end.usage.calls} calls")]
            facts += [("cost", f"{most}${end.usage.cost_usd:.4f}")]
    return [(name, visible(value)) for name, value in facts if value]


def _told(start: RunStarted | None) -> list[Block]:
    """What the model was given before its first turn."""
    if start is None:
        return []
    names = "\n".join(f"{tool.get('name')}: {tool.get('description')}" for tool in start.tools)
    given = "\n".join(f"{name}: {value}" for name, value in start.variables.items())
    texts = {"playbook, as rendered": start.prompt, "variables": given, "system prompt": start.system, "tools": names}
    found = [Block(title=name, kind="prose", text=visible(text)) for name, text in texts.items() if text.strip()]
    for block in found:
        block.cut(_PROMPT)
    return found


def _seconds(value: float) -> str:
    if value < 0.0995:
        return f"{value * 1000:.0f} ms" if value else ""
    return f"{value:.1f} s" if value < 90 else f"{int(value // 60)} min {int(value % 60)} s"
