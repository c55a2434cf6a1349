"""`fleet-bot trace replay`: run a recorded task again, without a model and without a key."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.base.errors import UsageError
from bot.base.values import Network, Plugin, Task
from bot.cli.output import emit_json
from bot.cli.trace_files import FILE, paint_for, run_trace

if TYPE_CHECKING:
    from bot.fleet.manifest import Manifest
    from bot.ports import Remote
    from bot.task.recording import Replayed
    from bot.task.replay import Allowed
    from bot.wiring import Wiring


@click.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--repo", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A clone with the base.")
@click.option("--no-tools", is_flag=True, help="Only the conversation; what tools gave comes from the trace.")
@click.option("--network", type=click.Choice(["none", "loopback", "full"]), help="What commands may reach at most.")
@click.option("--manifest", type=click.Path(path_type=Path), default=Path("fleet.yaml"), help="The fleet (fleet.yaml).")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def replay(
    files: tuple[Path, ...], repo: Path | None, no_tools: bool, network: Network | None, manifest: Path, as_json: bool
) -> int:
    """Run recorded tasks again, with no model and no key, and say where they first come out otherwise.

    The tools run in the sandbox, on a checkout of the recorded base: from the plugin of the manifest, or from --repo.
    Ends with 1 when a run diverged. No model is ever asked: what the trace has no reply for is a divergence.
    """
    found = [(path, _one(path, repo, network, manifest, tools=not no_tools)) for path in map(run_trace, files)]
    if as_json:
        emit_json([{"file": str(path.resolve()), **_plain(result)} for path, result in found])
    else:
        for path, result in found:
            _tell(path, result)
    return 0 if all(result.same for _, result in found) else 1


def _one(path: Path, repo: Path | None, network: Network | None, manifest: Path, *, tools: bool) -> Replayed:
    from bot.settings import forget_secrets, from_environment
    from bot.task.recite import recite
    from bot.task.replay import replay as run_again
    from bot.wiring import Wiring

    if not tools:
        return recite(path)
    fleet = _fleet(manifest, needed=repo is None)
    with Wiring(from_environment(os.environ), fleet) as wiring:
        forget_secrets()

        def remote(task: Task) -> Remote:
            return _remote(wiring, task, repo)

        return run_again(path, wiring.workshop(), remote, _allowed(path, fleet, network))


def _fleet(manifest: Path, *, needed: bool) -> Manifest:
    from bot.fleet.manifest import Manifest, read_manifest

    return read_manifest(manifest) if needed or manifest.exists() else Manifest(file=manifest)


def _remote(wiring: Wiring, task: Task, repo: Path | None) -> Remote:
    """Never where the trace says: that may be anybody's."""
    if repo is not None:
        from bot.forge.path import PathForge

        return PathForge().remote(str(repo.resolve()))
    plugin = _plugin(wiring.manifest, task.plugin.name)
    if plugin is None:
        msg = f"{wiring.manifest.file} has no plugin {task.plugin.name}."
        raise UsageError(msg, "Say where its repository is with --repo PATH.")
    return wiring.forge(plugin.repo).remote(plugin.repo)


def _allowed(path: Path, fleet: Manifest, network: Network | None) -> Allowed:
    from bot.task.recording import look
    from bot.task.replay import Allowed

    plugin = _plugin(fleet, look(path).started.plugin)
    if plugin is None:
        return Allowed(network=network or "none")
    return Allowed(network=network or plugin.network, setup=plugin.setup)


def _plugin(fleet: Manifest, name: str) -> Plugin | None:
    return next((plugin for plugin in fleet.plugins if plugin.name == name), None)


def _plain(result: Replayed) -> dict[str, object]:
    import msgspec

    plain: dict[str, object] = msgspec.to_builtins(result)
    return plain


def _tell(path: Path, result: Replayed) -> None:
    paint = paint_for(sys.stdout)
    mark = paint("✓", fg="green", bold=True) if result.same else paint("✗", fg="red", bold=True)
    what = {"tools": "events", "conversation": "events of the conversation", "nothing": "events"}[result.how]
    ended = f", to the same end: {result.outcome}" if result.outcome else ""
    line = f"{result.events} {what} came again{ended}" if result.same else f"diverged after {result.events} {what}"
    sys.stdout.write(f"{mark} {path}: {line}\n")
    apart = result.divergence
    if apart is not None:
        from bot.trace.inert import visible

        sys.stdout.write(f"  line {apart.seq}, turn {apart.turn}: {visible(apart.event)} {visible(apart.about)}\n")
        sys.stdout.write(f"  {visible(apart.field)} differs\n")
        sys.stdout.write(paint(f"    recorded: {visible(apart.expected)}", fg="red") + "\n")
        sys.stdout.write(paint(f"    now:      {visible(apart.actual)}", fg="green") + "\n")
    for note in result.notes:
        sys.stdout.write(paint(f"  {note}", dim=True) + "\n")
