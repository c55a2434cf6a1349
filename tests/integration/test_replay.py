"""A recorded run, run again: no model, no key, the tools for real, every event held against the trace."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gemini_wire import KEY as WIRE_KEY
from gemini_wire import GeminiWire
from small_playbooks import STAMP_WITH_TEXT
from small_world import KEY, Done, World, commit, git

from bot.base.clock import SystemClock
from bot.models.gemini import GeminiModel
from bot.task.recite import recite

PLUGIN = {
    "calc.sh": "add() { echo $(($1 - $2)); }\n",
    "test.sh": ". ./calc.sh\ntest $(add 0 0) = 0\n",
}
TEST = {"command": "sh test.sh && echo fine", "paths": ["test.sh"]}
FIX = """
    rules:
      - when: {step: 0}
        calls: [{read_file: {path: test.sh}}, {read_file: {path: calc.sh}}, {run_shell_command: {command: pwd; date; echo pid $$}}]
      - when: {result: {tool: run_shell_command, contains: workspace}}
        calls: [{edit_file: {path: test.sh, old: "= 0\\n", new: "= 0 && test $(add 1 2) = 3\\n"}}]
      - when: {result: {tool: edit_file, contains: test.sh}}
        calls: [{run_shell_command: {command: sh test.sh && echo fine || echo broken}}]
      - when: {result: {tool: run_shell_command, contains: broken}}
        calls: [{edit_file: {path: calc.sh, old: "$1 - $2", new: "$1 + $2"}}]
      - when: {result: {tool: edit_file, contains: calc.sh}}
        calls: [{run_shell_command: {command: sh test.sh && seq 5000}}]
      - say: The sign was wrong.
    """
MEND = """
    ---
    id: mend
    version: 1.0.0
    summary: Mend what is broken.
    pull_request: {title: Mended, body: Mended.}
    ---
    Mend it.
    """
NO_KEY = {"GEMINI_API_KEY": "", "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:9"}


def fixed(world: World) -> Path:
    """A bug fix by the virtual Gemini; its trace."""
    world.plugin("calc", PLUGIN, test=TEST)
    world.playbook("mend", MEND)
    world.script("calc", "mend", FIX)
    done = world.run("mend")
    assert done.code == 0, done.out + done.err
    return Path(done.task("calc")["trace"])


def replay(world: World, *words: str, env: dict[str, str] | None = None) -> Done:
    """`fleet-bot trace replay`."""
    playbooks, world.playbooks = world.playbooks, world.folder / "nowhere"
    try:
        return world.fleet_bot("trace", "replay", *words, env=env)
    finally:
        world.playbooks = playbooks


def altered(trace: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of a trace in which each line was changed; replay looks at what it says, not at hashes."""
    lines = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        change(line)
    copy = trace.with_name("altered.jsonl")
    copy.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines), encoding="utf-8")
    return copy


def test_an_agents_run_comes_out_the_same_from_the_plugin_without_model_and_key(world: World) -> None:
    trace = fixed(world)
    work = world.folder / "work" / "calc"
    commit(work, {"calc.sh": "moved on\n"})
    git(work, "push", "--quiet", "origin", "main")
    asked = len(world.gemini.requests)
    done = replay(world, str(trace.parent), "--json", env=NO_KEY)
    assert done.code == 0, done.out + done.err
    [result] = done.json
    lines = trace.read_text(encoding="utf-8").splitlines()
    assert (result["same"], result["how"], result["outcome"]) == (True, "tools", "changed")
    assert result["events"] == len(lines)
    assert len(world.gemini.requests) == asked


def test_another_repository_with_the_base_serves_as_well_and_one_without_it_is_refused(world: World) -> None:
    trace = fixed(world)
    world.entries.clear()
    words = [str(trace), "--repo"]
    assert replay(world, *words, str(world.bare("calc"))).code == 0
    other = world.folder / "other"
    other.mkdir()
    git(other, "init", "--quiet", "--initial-branch=main")
    commit(other, {"a": "b"})
    done = replay(world, *words, str(other))
    assert done.code == 1
    assert "does not have the recorded base" in done.err


def test_the_first_thing_that_comes_out_otherwise_is_named(world: World) -> None:
    trace = fixed(world)

    def worse(line: dict[str, Any]) -> None:
        if line["event"] == "command_run" and line["phase"] == "agent" and "seq 5000" in line["command"]:
            line["stdout"] = "1\n2\nthree\n" + line["stdout"][6:]
            line["stdout_blob"] = None

    done = replay(world, str(altered(trace, worse)), "--json")
    assert done.code == 1
    apart = done.json[0]["divergence"]
    assert (apart["event"], apart["about"]) == ("command_run", "sh test.sh && seq 5000")
    assert apart["field"] == "stdout, line 3"
    assert (apart["expected"], apart["actual"]) == ("three", "3")
    shown = replay(world, str(trace.with_name("altered.jsonl")))
    assert f"line {apart['seq']}" in shown.out


def test_a_changed_file_of_the_agent_shows_as_another_content(world: World) -> None:
    trace = fixed(world)

    def other(line: dict[str, Any]) -> None:
        for part in line.get("parts", ()):
            if part.get("name") == "edit_file" and part["args"]["path"] == "calc.sh":
                part["args"]["new"] = "$2 + $1"

    apart = replay(world, str(altered(trace, other)), "--json").json[0]["divergence"]
    assert (apart["event"], apart["field"]) == ("tool_requested", "args.new")


def test_what_the_trace_has_no_reply_for_is_never_asked_of_a_model(world: World) -> None:
    trace = fixed(world)
    lines = trace.read_text(encoding="utf-8").splitlines(keepends=True)
    last = max(number for number, line in enumerate(lines) if '"event":"model_requested"' in line)
    (trace.parent / "gap.jsonl").write_text("".join(lines[: last + 1]) + lines[-1], encoding="utf-8")
    asked = len(world.gemini.requests)
    done = replay(world, str(trace.parent / "gap.jsonl"), "--json")
    assert done.code == 1
    assert not done.json[0]["same"]
    assert len(world.gemini.requests) == asked


def test_a_trace_that_a_kill_cut_is_replayed_as_far_as_it_goes(world: World) -> None:
    trace = fixed(world)
    lines = trace.read_text(encoding="utf-8").splitlines(keepends=True)
    cut = trace.with_name("cut.jsonl")
    cut.write_text("".join(lines[:20]) + lines[20][:30], encoding="utf-8")
    for more in ([], ["--no-tools"]):
        done = replay(world, str(cut), "--json", *more)
        assert done.code == 0, done.out
        assert "unfinished" in " ".join(done.json[0]["notes"])
    assert replay(world, str(cut), "--json").json[0]["events"] == 20


def test_a_script_comes_out_the_same(world: World) -> None:
    world.playbook("stamp", STAMP_WITH_TEXT)
    world.plugin("a", {"README.md": "a\n", "big.sh": "seq 5000\n"}, test="sh big.sh")
    row = world.run("stamp", "--var", "text=hello").task("a")
    done = replay(world, row["trace"], "--json", env=NO_KEY)
    assert done.code == 0, done.out + done.err
    assert done.json[0]["outcome"] == "changed"
    assert replay(world, row["trace"], "--no-tools", "--json").json[0]["how"] == "nothing"


def test_a_limit_is_reached_where_it_was_reached(world: World) -> None:
    world.plugin("a", {"README.md": "a\n"}, limits={"steps": 2})
    world.playbook("mend", MEND)
    world.script("a", "mend", "rules: [{calls: [{list_files: {path: .}}], times: 9}]")
    row = world.run("mend").task("a")
    assert row["outcome"] == "blocked"
    for more in ([], ["--no-tools"]):
        done = replay(world, row["trace"], "--json", *more)
        assert done.code == 0, done.out
        assert done.json[0]["outcome"] == "blocked"


def test_a_turn_that_redaction_changed_is_told(world: World) -> None:
    world.plugin("a", {"README.md": "a\n"})
    world.playbook("mend", MEND.replace("Mended.}", "Mended.}\n    allow_empty: true"))
    world.script(
        "a", "mend", f"rules: [{{when: {{step: 0}}, calls: [{{list_files: {{path: {KEY}}}}}]}}, {{say: Nothing.}}]"
    )
    row = world.run("mend").task("a")
    done = replay(world, row["trace"], "--json")
    assert done.code == 0, done.out
    assert done.json[0]["redacted_turns"] == [1]
    assert "not replayable over the wire" in " ".join(done.json[0]["notes"]).lower()


def test_a_set_up_of_a_strange_trace_gets_no_network_unasked(world: World) -> None:
    world.playbook("stamp", STAMP_WITH_TEXT)
    world.plugin("a", {"README.md": "a\n"}, setup="true")
    row = world.run("stamp").task("a")
    assert replay(world, row["trace"]).code == 0
    world.entries[0]["setup"] = "false"
    assert replay(world, row["trace"]).code == 2
    assert replay(world, row["trace"], "--network", "full").code == 0


def test_the_same_thought_signatures_go_over_the_wire_again(world: World) -> None:
    trace = fixed(world)
    replies = [
        line
        for line in map(json.loads, trace.read_text(encoding="utf-8").splitlines())
        if line["event"] == "model_replied"
    ]
    recorded = [_signatures(reply["raw"]) for reply in replies]
    assert any(recorded)
    answers = iter(replies)

    def answer(_: dict[str, Any]) -> dict[str, Any]:
        reply = next(answers)
        usage = reply["usage"]
        counts = {"promptTokenCount": usage["prompt"], "candidatesTokenCount": usage["output"]}
        candidate = {"content": reply["raw"], "finishReason": reply["finish_raw"]}
        return {"candidates": [candidate], "usageMetadata": counts}

    with GeminiWire(answer, key=WIRE_KEY) as wire:
        recite(trace, GeminiModel(key=WIRE_KEY, name="gemini-3.8-flash", base_url=wire.url, clock=SystemClock()))
    assert wire.complaints == []
    assert len(wire.requests) == len(replies)
    for number, (_, _, body) in enumerate(wire.requests):
        sent = [_signatures(content) for content in body["contents"] if content["role"] == "model"]
        assert sent == recorded[:number]


def _signatures(content: dict[str, Any]) -> list[bytes]:
    found = [part["thoughtSignature"] for part in content["parts"] if "thoughtSignature" in part]
    return [
        base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_" if "-" in text or "_" in text else None)
        for text in found
    ]
