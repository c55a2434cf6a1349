"""`fleet-bot trace` at the command line: files, folders, exit codes, one JSON document."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from sample_traces import command, finished, open_trace, proposal, publishing, started, write_full

from bot.cli.main import run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As a published run leaves it."""
    seal = write_full(tmp_path / "execution_trace.jsonl")
    seal = msgspec.structs.replace(seal, file="execution_trace.jsonl")
    journal = open_trace(tmp_path / "publish_trace.jsonl", previous=seal.head)
    for body in publishing():
        journal.append(body)
    journal.close()
    (tmp_path / "proposal.json").write_text(json.dumps(proposal(seal)), encoding="utf-8")
    (tmp_path / "changes.patch").write_text("diff --git a/x b/x\n@@ -0,0 +1 @@\n+brand new\n", encoding="utf-8")
    return tmp_path


def other(path: Path) -> Path:
    sink = open_trace(path)
    sink.append(started())
    sink.append(command("make \x1b[2J", 1, None), turn=1)
    sink.append(finished(outcome="failed", reason="no"))
    sink.close()
    return path


def test_the_page_has_seal_publishing_and_patch_of_the_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["trace", "html", str(folder)]) == 0
    page = folder / "execution_trace.html"
    assert capsys.readouterr().out == f"{page}\n"
    text = page.read_text(encoding="utf-8")
    for said in ("as sealed", "publishing", "brand new"):
        assert said in text
    assert run(["trace", "html", str(folder), "-o", "-"]) == 0
    assert capsys.readouterr().out == text
    assert run(["trace", "html", str(folder), "-o", str(folder / "no" / "such.html")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_the_page_of_the_publishing_alone(folder: Path) -> None:
    assert run(["trace", "html", str(folder / "publish_trace.jsonl")]) == 0
    assert "pull/12" in (folder / "publish_trace.html").read_text(encoding="utf-8")


def test_two_runs_side_by_side(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine, theirs = str(folder), str(other(folder / "b.jsonl"))
    assert run(["trace", "diff", mine, mine, "--exit-code"]) == 0
    assert "0 different" in capsys.readouterr().out
    assert run(["trace", "diff", mine, theirs]) == 0
    told = capsys.readouterr().out
    assert "outcome: changed → failed" in told
    assert "only in A" in told
    assert "\x1b" not in told
    assert run(["trace", "diff", mine, theirs, "--exit-code", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert not document["same"]
    assert {move["kind"] for move in document["moves"]} >= {"only_a"}
    assert run(["trace", "diff", mine, theirs, "--full"]) == 0


@pytest.mark.parametrize("kind", ["otel", "perfetto"])
def test_an_export_goes_to_stdout_or_a_file(folder: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    assert run(["trace", "export", str(folder), "--to", kind]) == 0
    printed = capsys.readouterr().out
    assert run(["trace", "export", str(folder), "--to", kind, "-o", str(folder / "x.json")]) == 0
    assert (folder / "x.json").read_text(encoding="utf-8") == printed
    json.loads(printed)
    assert run(["trace", "export", str(folder), "--to", kind, "-o", str(folder / "no" / "x.json")]) == 1


def test_a_trace_without_its_task_is_not_replayed_and_says_why(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for more in (["--no-tools"], ["--repo", str(folder)]):
        assert run(["trace", "replay", str(folder), *more]) == 2
        assert "older version" in capsys.readouterr().err
    assert run(["trace", "replay", str(folder / "publish_trace.jsonl"), "--no-tools"]) == 2
    assert "does not begin with the start of a run" in capsys.readouterr().err
