"""A trace told to a person at a terminal, and by the command line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from sample_traces import command, finished, full_run, open_trace, proposal, publishing, started, write_full

from bot.cli.main import cli
from bot.trace.events import GuardRefused, ModelReplied, Note, ToolRequested
from bot.trace.reader import read
from bot.trace.render import told, uncoloured
from bot.trace.steps import steps, target_of

Told = Callable[..., list[str]]


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "execution_trace.jsonl"
    seal = write_full(path)
    (tmp_path / "proposal.json").write_text(json.dumps(proposal(seal)))
    return path


def invoke(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["trace", *words], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return int(result.return_value or 0), result.output


def test_lines_fold_into_steps(trace: Path) -> None:
    found = [(step.actor, step.what, step.target, step.good, step.deviation) for step in steps(read(trace))]
    assert found == [
        ("fleet-bot", "setup", "pip install -e .", True, ""),
        ("model", "retry", "", False, "retry"),
        ("model", "reply", "", True, ""),
        ("agent", "run_shell_command", "pytest -q", False, "failed"),
        ("agent", "write_file", "src/x.py", True, ""),
        ("agent", "write_file", ".github/workflows/x.yml", False, "refused"),
        ("agent", "read_file", "nowhere", False, "failed"),
        ("fleet-bot", "nudge", "stuck", True, "nudge"),
        ("fleet-bot", "limit", "steps", False, "limit"),
        ("fleet-bot", "verification", "proven", True, ""),
        ("fleet-bot", "commit", "c" * 12, True, ""),
    ]


def test_what_was_in_flight_is_a_step_that_did_not_end(tmp_path: Path) -> None:
    sink = open_trace(tmp_path / "t.jsonl")
    sink.append(ToolRequested(call="1.0", tool="x", args={"a": 1, "b": [2]}))
    (step,) = steps(read(tmp_path / "t.jsonl"))
    assert (step.ended, step.deviation, step.target) == (False, "stopped", "a=1, b=[2]")


def test_a_red_suite_that_we_run_ourselves_is_an_answer_and_no_deviation(tmp_path: Path) -> None:
    sink = open_trace(tmp_path / "t.jsonl")
    sink.append(command("pytest", 1, None, phase="verify", timed_out=True))
    sink.append(GuardRefused(call="9.9", tool="x", by="rule", rule="r", message="m"))
    verified, refused = steps(read(tmp_path / "t.jsonl"))
    assert (verified.good, verified.deviation, verified.result) == (False, "", "time-out")
    assert refused.deviation == "refused"


def test_a_call_is_about_its_command_or_path() -> None:
    assert target_of({"path": "x", "content": "y"}) == "x"
    assert target_of({"command": "ls"}) == "ls"
    assert target_of({}) == ""


def test_show_tells_the_run(trace: Path) -> None:
    code, text = invoke("show", str(trace))
    assert code == 0
    for part in (
        "fix_bug 1.0.0 on slugger",
        "campaign fix_bug-3f2a, gemini-3-pro, base 111111111111",
        "sandbox bubblewrap, network none",
        "… 3 lines folded (--full)",
        "turn 1",
        "✗ run_shell_command pytest -q  → approved; exit 1, 2 passed, 1 failed  0.3 s",
        "… 6 lines folded (--full)",
        "· write_file src/x.py  → modified src/x.py +3 -1; version 1.0.0 → 1.0.1",
        "refused by policy protected: a protected path",
        "! nudge stuck",
        "changed: the whole suite is green",
        "24 events, 0.0 s, 120 tokens, $0.0100",
    ):
        assert part in text
    assert "\x1b" not in text


def test_show_unfolds_and_narrows(trace: Path) -> None:
    assert "folded" not in invoke("show", "--full", str(trace))[1]
    failed = invoke("show", "--only", "failed", str(trace))[1]
    assert "src/x.py" not in failed
    assert "run_shell_command pytest -q" in failed
    second = invoke("show", "--turn", "2", str(trace))[1]
    assert "nudge" in second
    assert "pytest -q" not in second


def test_show_as_json_is_one_document(trace: Path) -> None:
    code, text = invoke("show", "--json", "--only", "failed", str(trace.parent))
    document = json.loads(text)
    assert code == 0
    assert document["file"] == str(trace.resolve())
    assert [step["what"] for step in document["steps"]][:2] == ["retry", "run_shell_command"]
    assert json.loads(invoke("show", "--json", "--turn", "77", str(trace))[1])["steps"] == []


def test_nothing_in_a_trace_steers_the_terminal(tmp_path: Path) -> None:
    sink = open_trace(tmp_path / "t.jsonl")
    evil = "\x1b]0;owned\x07\x1b[2J\u202e\x9b31m"
    sink.append(started(plugin=evil, prompt=evil))
    sink.append(command(evil, 1, None, stdout=evil + "\rover\n"))
    sink.append(finished(reason=evil, outcome="failed"))
    text = "\n".join(told(read(tmp_path / "t.jsonl"), uncoloured, full=True))
    assert not any(char in text for char in "\x1b\x07\x9b\u202e\r")


def test_colours_are_put_only_by_us(trace: Path) -> None:
    marked = list(told(read(trace), lambda text, **style: f"<{text}>" if any(style.values()) else text))
    assert any("<changed>: the whole suite is green" in line for line in marked)


def test_a_trace_without_an_end_or_a_beginning_is_shown_too(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    sink = open_trace(path)
    sink.append(Note(message="x"))
    assert "killed, or still going on" in invoke("show", str(path))[1]
    sink.append(started(model=None))
    sink.append(
        ModelReplied(
            parts=({"kind": "text", "text": "w" * 400},),
            raw=None,
            finish="blocked",
            finish_raw="",
            usage=finished().usage,
        )
    )
    text = invoke("show", str(path))[1]
    assert "a script" in text
    assert "! reply" in text
    assert "w" * 159 + "…" in text
    path.write_text(path.read_text().replace('"event":"note"', '"event":"telepathy"'))
    assert "1 lines are of kinds" in invoke("show", str(path))[1]


def test_verify_holds_a_trace_against_the_seal_beside_it(trace: Path) -> None:
    code, text = invoke("verify", str(trace))
    assert (code, "complete and unchanged" in text, "held against the seal of the proposal" in text) == (0, True, True)
    lines = trace.read_bytes().splitlines(keepends=True)
    trace.write_bytes(b"".join(lines[:-1]))
    code, text = invoke("verify", str(trace))
    assert code == 1
    assert f"line {len(lines)}: the seal says {len(lines)} lines" in text


def test_verify_says_unfinished_with_one(tmp_path: Path) -> None:
    sink = open_trace(tmp_path / "t.jsonl")
    for body, turn in full_run()[:6]:
        sink.append(body, turn=turn)
    code, text = invoke("verify", str(tmp_path / "t.jsonl"))
    assert code == 1
    assert "unfinished" in text
    assert "1.0 run_shell_command" in text
    assert "no seal" in text


def test_verify_looks_at_both_traces_of_a_folder(trace: Path) -> None:
    seal = json.loads((trace.parent / "proposal.json").read_text())["trace"]
    journal = open_trace(trace.parent / "publish_trace.jsonl", previous=seal["head"])
    for body in publishing():
        journal.append(body)
    journal.close()
    code, text = invoke("verify", "--json", str(trace.parent))
    document = json.loads(text)
    assert code == 0
    assert [(entry["ok"], entry["sealed"], entry["events"]) for entry in document] == [
        (True, True, 24),
        (True, False, 4),
    ]
    assert "pull request #12  → created" in invoke("show", str(trace.parent / "publish_trace.jsonl"))[1]
    (trace.parent / "publish_trace.jsonl").write_bytes(trace.read_bytes())
    assert invoke("verify", str(trace.parent))[0] == 1


def test_a_folder_without_a_trace_is_said(tmp_path: Path, fleet_bot: list[str]) -> None:
    done = subprocess.run([*fleet_bot, "trace", "verify", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 1
    assert "There is no trace in" in done.stderr
    done = subprocess.run([*fleet_bot, "trace", "show", str(tmp_path / "nowhere")], capture_output=True, text=True)
    assert done.returncode == 2


def test_a_broken_proposal_is_no_seal(trace: Path) -> None:
    (trace.parent / "proposal.json").write_text("{")
    code, text = invoke("verify", str(trace))
    assert (code, "no seal to hold it against" in text) == (0, True)
