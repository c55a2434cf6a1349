"""Where people find the traces of a run on Actions: in the artifacts of its propose jobs, each by its own address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from bot.gha.pages import file_name
from bot.publish.comment import Place

_PROPOSALS = "fleet-bot-proposals-"
"""How the artifact of a propose job is called, with the shard after it, such as `2-of-3`; and so the folder too that it
is downloaded into. `campaign.yml` names it."""


def placed(artifacts: Mapping[str, int], run_url: str, out: Path) -> Callable[[Path], Place | None]:
    """Says of a proposal's folder below `out` where its trace is; None when no artifact is known to hold it.

    `artifacts` are the run's, ids by name; `run_url` is its page.
    """

    def of(folder: Path) -> Place | None:
        name = folder.absolute().relative_to(out.absolute()).parts[0]
        page = file_name(name.removeprefix(_PROPOSALS).replace("-of-", "/"))
        whole, shown = (artifacts.get(one) for one in (name, page))
        if not name.startswith(_PROPOSALS) or (whole is None and shown is None):
            return None
        return Place(
            trace=run_url if whole is None else f"{run_url}/artifacts/{whole}",
            page=None if shown is None else f"{run_url}/artifacts/{shown}",
        )

    return of
