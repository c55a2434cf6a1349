"""Which artifact of a run a proposal's trace is in."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.gha.places import placed
from bot.publish.comment import Place

RUN = "https://github.example/acme/fleet/actions/runs/5"
KNOWN = {"fleet-bot-plan": 1, "fleet-bot-proposals-2-of-12": 2, "traces-2.html": 3, "fleet-bot-proposals-3-of-12": 4}


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("fleet-bot-proposals-2-of-12/c/a", Place(trace=f"{RUN}/artifacts/2", page=f"{RUN}/artifacts/3")),
        ("fleet-bot-proposals-3-of-12/c/a", Place(trace=f"{RUN}/artifacts/4")),
        ("fleet-bot-proposals-12-of-12/c/a", None),
        ("fleet-bot-plan/c/a", None),
        ("c/a", None),
    ],
)
def test_it_is_told_by_the_folder_that_the_artifact_was_put_into(folder: str, expected: Place | None) -> None:
    assert placed(KNOWN, RUN, Path("out"))(Path("out").absolute() / folder) == expected


def test_without_the_artifact_of_the_proposals_the_page_alone_is_linked() -> None:
    of = placed({"traces-2.html": 3}, RUN, Path("out"))
    assert of(Path("out/fleet-bot-proposals-2-of-12/c/a")) == Place(trace=RUN, page=f"{RUN}/artifacts/3")
