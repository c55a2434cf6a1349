"""Proposals on disk: nothing that was paid for is lost to an attempt that comes to nothing."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bot.base.canonical import sha256
from bot.base.clock import SystemClock
from bot.base.errors import WorldError
from bot.base.redact import Redactor
from bot.base.values import Outcome, Usage
from bot.task.proposal import Proposal
from bot.task.store import TRACE, find, finished, patch_of, place_for_attempt, read, settle, write
from bot.trace.events import Note, RunFinished
from bot.trace.writer import TraceWriter

PATCH = b"diff --git a/a b/a\n"


def proposed(folder: Path, outcome: Outcome = "changed", key: str = "k", name: str = "a") -> Proposal:
    """A whole proposal, as a run leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TRACE).unlink(missing_ok=True)
    trace = TraceWriter(folder / TRACE, run="c/a", redactor=Redactor([]), clock=SystemClock())
    trace.append(Note(message=outcome))
    trace.append(RunFinished(outcome=outcome, reason="r", usage=Usage(), duration_ms=1.0, events=0, head=""))
    proposal = Proposal(
        plugin=name,
        repo="o/a",
        playbook="p",
        campaign="c",
        task_key=key,
        outcome=outcome,
        reason="r",
        patch_sha256=sha256(PATCH),
        trace=trace.seal(),
    )
    write(folder, proposal, PATCH)
    return proposal


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    proposal = proposed(tmp_path / "a")
    assert read(tmp_path / "a") == proposal
    assert patch_of(tmp_path / "a", proposal) == PATCH


def test_a_finished_proposal_is_not_made_again_and_another_key_is(tmp_path: Path) -> None:
    proposal = proposed(tmp_path / "a")
    assert finished(tmp_path / "a", "k") == proposal
    assert finished(tmp_path / "a", "other") is None
    assert finished(tmp_path / "b", "k") is None


@pytest.mark.parametrize("outcome", ["blocked", "failed", "error", "skipped"])
def test_what_came_to_nothing_is_tried_again(tmp_path: Path, outcome: Outcome) -> None:
    proposed(tmp_path / "a", outcome)
    assert finished(tmp_path / "a", "k") is None


@pytest.mark.parametrize(
    ("part", "harm"),
    [
        ("changes.patch", "gone"),
        ("changes.patch", "changed"),
        (TRACE, "gone"),
        (TRACE, "changed"),
        ("proposal.json", "gone"),
    ],
)
def test_a_proposal_with_a_part_gone_or_changed_is_made_again(tmp_path: Path, part: str, harm: str) -> None:
    proposed(tmp_path / "a")
    file = tmp_path / "a" / part
    if harm == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes().replace(b"a", b"b", 1))
    assert finished(tmp_path / "a", "k") is None


def test_a_first_attempt_writes_where_the_proposal_belongs(tmp_path: Path) -> None:
    assert place_for_attempt(tmp_path / "a") == tmp_path / "a"
    proposed(tmp_path / "a", "failed")
    assert place_for_attempt(tmp_path / "a") == tmp_path / "a"


@pytest.mark.parametrize("earlier", ["changed", "blocked"])
@pytest.mark.parametrize("now", ["failed", "error", "skipped"])
def test_work_is_not_replaced_by_an_attempt_that_came_to_nothing(
    tmp_path: Path, earlier: Outcome, now: Outcome
) -> None:
    kept = proposed(tmp_path / "a", earlier)
    place = place_for_attempt(tmp_path / "a")
    assert place != tmp_path / "a"
    proposed(place, now, "new")
    assert settle(place, tmp_path / "a", now) == place
    assert read(tmp_path / "a") == kept
    assert find(tmp_path) == (tmp_path / "a",)


@pytest.mark.parametrize("now", ["changed", "no_change", "blocked"])
def test_an_attempt_that_came_to_something_takes_the_place_and_keeps_the_journal(tmp_path: Path, now: Outcome) -> None:
    proposed(tmp_path / "a")
    (tmp_path / "a" / "publish_trace.jsonl").write_text("published\n")
    place = place_for_attempt(tmp_path / "a")
    new = proposed(place, now, "new")
    assert settle(place, tmp_path / "a", now) == tmp_path / "a"
    assert read(tmp_path / "a") == new
    assert (tmp_path / "a" / "publish_trace.jsonl").read_text() == "published\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("moment", ["before the new one came", "before the old one went"])
def test_cut_off_while_one_takes_the_others_place_nothing_is_lost(tmp_path: Path, moment: str) -> None:
    kept = proposed(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / ".a.old")
    if moment == "before the old one went":
        kept = proposed(tmp_path / "a", key="new")
    assert finished(tmp_path / "a", kept.task_key) == kept
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_what_an_interrupted_attempt_left_is_thrown_away(tmp_path: Path) -> None:
    proposed(tmp_path / "a")
    place = place_for_attempt(tmp_path / "a")
    place.mkdir()
    (place / "half").write_text("x")
    assert place_for_attempt(tmp_path / "a") == place
    assert not place.exists()


def test_a_plugin_may_be_called_blobs(tmp_path: Path) -> None:
    proposed(tmp_path / "c" / "blobs")
    proposed(tmp_path / "c" / "a")
    (tmp_path / "c" / "a" / "blobs").mkdir()
    assert find(tmp_path) == (tmp_path / "c" / "a", tmp_path / "c" / "blobs")


def test_what_is_no_proposal_is_named(tmp_path: Path) -> None:
    (tmp_path / "proposal.json").write_text("{}")
    with pytest.raises(WorldError, match="no proposal that this version reads"):
        read(tmp_path)


def test_a_full_disk_leaves_the_earlier_proposal_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = proposed(tmp_path / "a")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(WorldError, match="No space left"):
        write(tmp_path / "a", msgspec.structs.replace(kept, reason="new"), b"")
    assert read(tmp_path / "a") == kept
    assert patch_of(tmp_path / "a", kept) == PATCH
