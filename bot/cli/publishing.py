"""Publishing as people see it: each result as it comes, and a report however it ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.base.errors import ConfigurationError
from bot.base.values import Playbook
from bot.cli.output import people
from bot.cli.progress import ProgressDisplay
from bot.fleet import run as campaign
from bot.fleet.report import write_reports
from bot.task.proposal import Proposal
from bot.wiring import Wiring

KnownPlaybook = Callable[[str], Playbook | None]
Certified = Callable[[Proposal, Path], str]
"""Whether a run stayed inside what was certified, in one line; empty where there is no certificate."""


def publish_folder(wiring: Wiring, folder: Path, known: KnownPlaybook, certified: Certified) -> list[campaign.Result]:
    """Publish every proposal below a folder, shown as it goes. `known` is a playbook by its id."""
    with _Publishing(folder) as going:
        return campaign.publish_all(folder.absolute(), wiring.press(known, certified), done=going.done)


def publish_these(
    wiring: Wiring, results: list[campaign.Result], known: KnownPlaybook, out: Path, certified: Certified
) -> list[campaign.Result]:
    """Publish what was just proposed into `out`, shown as it goes. `known` is a playbook by its id."""
    with _Publishing(out, results) as going:
        return campaign.publish_results(results, wiring.press(known, certified), done=going.done)


class _Publishing:
    """Shows what is published. When that is stopped, by ^C or a token that is refused, it reports what was done."""

    def __init__(self, out: Path, proposed: list[campaign.Result] | None = None) -> None:
        self._out = out.absolute()
        self._results = {result.folder: result for result in proposed or ()}
        self._published = 0
        self._display = ProgressDisplay(len(self._results))

    def __enter__(self) -> Self:
        self._display.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._display.__exit__(kind, error, tb)
        if not isinstance(error, KeyboardInterrupt | ConfigurationError):
            return
        if self._published:
            write_reports(list(self._results.values()), self._out)
        so_far = (
            f"{self._published} published, see {self._out / 'report.json'}" if self._published else "none published"
        )
        people().print(f"stopped: {so_far}; go on with: fleet-bot publish {self._out}", markup=False)

    def done(self, result: campaign.Result) -> None:
        """A proposal was published, or could not be."""
        self._published += 1
        self._results[result.folder] = result
        self._display.done(result)
