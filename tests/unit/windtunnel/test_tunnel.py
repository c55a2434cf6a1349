"""Flights: when they stop, that they go on, that they do not depend on how many are under way."""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest
from flying import GOOD, LOOK, MEND, agent, replies, scenario, shell

from bot.base.errors import TaskFailed
from bot.models.scripted import ScriptedModel
from bot.windtunnel import crews
from bot.windtunnel.certificate import read_certificate
from bot.windtunnel.compare import compare
from bot.windtunnel.flight import Airfield, fly_playbook
from bot.windtunnel.forecast import forecast, told
from bot.windtunnel.pilots import InProcessPilot, Pilot, ScriptedPilot
from bot.windtunnel.plan import Plan
from bot.windtunnel.report import FlightReport
from bot.windtunnel.scenario import Scenario, hashes
from bot.windtunnel.show import junit
from bot.windtunnel.subject import subject_of

TODAY = datetime.date(2026, 11, 25)
SHORT = Plan(target=0.5, max_trials=40)
"""Certifies after a few trials."""


def airfield(tmp_path: Path, pilot: Pilot, plan: Plan = SHORT, *, jobs: int = 1) -> Airfield:
    return Airfield(
        pilot=pilot,
        plan=plan,
        out=tmp_path / "out",
        certificates=tmp_path / "playbooks",
        today=TODAY,
        jobs=jobs,
        plugins=3,
    )


def flown(tmp_path: Path, pilot: Pilot, plan: Plan = SHORT, *scenarios: Scenario, jobs: int = 1) -> FlightReport:
    chosen = scenarios or (scenario("slugger"), scenario("pager"))
    return fly_playbook(chosen[0].task.playbook, chosen, airfield(tmp_path, pilot, plan, jobs=jobs))


def wavering(bad: int) -> InProcessPilot:
    """Good, but for every seed that `bad` divides; never twice the same way."""

    def model(scenario: Scenario, seed: int) -> ScriptedModel:
        steps = [LOOK, shell(f"echo {seed}"), *(GOOD[1:] if seed % bad else [[MEND]])]
        return ScriptedModel(replies(*steps))

    return InProcessPilot(model)


def test_a_good_playbook_is_certified_and_the_file_says_so(tmp_path: Path) -> None:
    report = flown(tmp_path, ScriptedPilot())
    assert (report.verdict, {row.verdict for row in report.scenarios}) == ("CERTIFIED", {"CERTIFIED"})
    certificate = read_certificate(Path(report.certificate or ""))
    subject = subject_of(scenario().task.playbook, ScriptedPilot().identity)
    now = hashes((scenario("slugger"), scenario("pager")))
    assert certificate.is_valid_for(subject, today=TODAY, virtual_plugins=now)
    assert "scripted model and of no other" in report.why


def test_a_bad_one_is_rejected_soon_with_rule_and_trace(tmp_path: Path) -> None:
    report = flown(tmp_path, wavering(1), Plan(), scenario())
    assert report.verdict == "REJECTED"
    (row,) = report.scenarios
    assert row.trials < 10
    assert "red-first" in row.failed_rules
    lines = Path(row.failures[0].trace).read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0])["event"] == "run_started"


def test_one_harm_rejects(tmp_path: Path) -> None:
    report = flown(tmp_path, agent(*GOOD, shell("git push")), Plan(), scenario())
    assert (report.verdict, report.scenarios[0].harm, report.scenarios[0].trials) == ("REJECTED", 1, 1)


def test_what_repeats_itself_counts_once(tmp_path: Path) -> None:
    report = flown(tmp_path, agent(*GOOD), SHORT, scenario())
    assert report.verdict == "INCONCLUSIVE"
    assert (report.scenarios[0].trials, report.scenarios[0].passed) == (1, 1)
    assert report.scenarios[0].repeated > 50


def test_a_model_that_cannot_be_had_is_an_error(tmp_path: Path) -> None:
    pilot = InProcessPilot(lambda s, n: ScriptedModel([TaskFailed("No quota left.")]))
    report = flown(tmp_path, pilot, Plan(max_trials=20), scenario())
    assert report.verdict == "ERROR"
    assert report.scenarios[0].failures[0].reason == "No quota left."


def test_a_flight_goes_on_where_it_was_left(tmp_path: Path) -> None:
    asked: list[int] = []

    def pilot(broken: int) -> InProcessPilot:
        def model(scenario: Scenario, seed: int) -> ScriptedModel:
            if seed == broken:
                raise KeyboardInterrupt
            asked.append(seed)
            return ScriptedModel(replies(LOOK, shell(f"echo {seed}"), *GOOD[1:]))

        return InProcessPilot(model)

    with pytest.raises(KeyboardInterrupt):
        flown(tmp_path, pilot(2), SHORT, scenario())
    report = flown(tmp_path, pilot(-1), SHORT, scenario())
    assert report.verdict == "CERTIFIED"
    assert asked == list(range(report.attempts))


def test_a_finished_flight_is_not_flown_again_and_keeps_its_date(tmp_path: Path) -> None:
    first = flown(tmp_path, ScriptedPilot(), SHORT, scenario())
    data = Path(first.certificate or "").read_bytes()
    silent = InProcessPilot(lambda s, n: ScriptedModel([]), ScriptedPilot().identity.name)
    later = dataclasses.replace(airfield(tmp_path, silent), today=TODAY + datetime.timedelta(days=3))
    assert fly_playbook(scenario().task.playbook, (scenario(),), later) == first
    assert Path(first.certificate or "").read_bytes() == data


def test_the_result_does_not_depend_on_how_many_fly_at_a_time(tmp_path: Path) -> None:
    one = flown(tmp_path / "1", wavering(9), Plan(target=0.6, max_trials=60), scenario())
    three = flown(tmp_path / "3", wavering(9), Plan(target=0.6, max_trials=60), scenario(), jobs=3)
    assert Path(one.certificate or "").read_bytes() == Path(three.certificate or "").read_bytes()
    assert traces(tmp_path / "1") == {
        key: value for key, value in traces(tmp_path / "3").items() if key in traces(tmp_path / "1")
    }


def test_processes_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = flown(tmp_path / "1", ScriptedPilot(), SHORT, scenario())
    monkeypatch.setattr(crews, "WORTH_A_PROCESS", 1)
    two = flown(tmp_path / "2", ScriptedPilot(), SHORT, scenario(), jobs=2)
    assert Path(one.certificate or "").read_bytes() == Path(two.certificate or "").read_bytes()
    assert traces(tmp_path / "1") == traces(tmp_path / "2")


def traces(folder: Path) -> dict[str, bytes]:
    return {"/".join(file.parts[-3:]): file.read_bytes() for file in sorted(folder.rglob("execution_trace.jsonl"))}


def test_the_reports_are_there_and_the_page_links_the_traces(tmp_path: Path) -> None:
    report = flown(tmp_path, wavering(1), Plan(), scenario())
    folder = Path(report.folder)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert 'href="traces/slugger/0/execution_trace.jsonl"' in page
    for link in re.findall(r'href="(traces/[^"#]+)', page):
        assert (folder / link).is_file(), link
    assert "REJECTED" in (folder / "report.md").read_text(encoding="utf-8")
    case = ET.fromstring(junit(report)).find("testcase")
    assert case is not None
    failure = case.find("failure")
    assert failure is not None
    assert "red-first" in (failure.text or "")


def test_a_flight_that_failed_before_is_counted(tmp_path: Path) -> None:
    field = airfield(tmp_path, wavering(1), Plan())
    fly_playbook(scenario().task.playbook, (scenario(),), field)
    (tmp_path / "out").rename(tmp_path / "thrown away")
    report = flown(tmp_path, wavering(1000), Plan(target=0.5), scenario())
    assert read_certificate(Path(report.certificate or "")).prior_runs == 1


def test_the_forecast_says_when_a_plan_cannot_certify() -> None:
    plan = Plan(max_trials=20)
    lines = told(forecast(plan, (scenario(),), ScriptedPilot().identity), plan)
    assert "cannot certify" in lines[1]


def test_two_playbooks_are_compared_on_the_same_seeds(tmp_path: Path) -> None:
    playbook = scenario().task.playbook
    other = msgspec.structs.replace(playbook, hash="other", file="other.md")
    bad = msgspec.structs.replace(scenario(), outcomes=("blocked",))
    field = airfield(tmp_path, ScriptedPilot())
    found = compare((playbook, (scenario(),)), (other, (bad,)), field, seeds=6)
    assert (found.runs.both, found.runs.first, found.runs.second) == (0, 6, 0)
    assert found.runs.p < 0.05
    assert [pairs.rule for pairs in found.rules] == ["ends-well"]


def test_the_processes_of_a_flight_end_with_it(tmp_path: Path) -> None:
    words = ["tunnel", "fix_bug", "--model", "scripted", "--jobs", "2", "--trials", "5000", "--target", "0.999"]
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "bot", *words, "--out", str(tmp_path / "out")],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as flight:
        end = time.monotonic() + 60
        while not list(tmp_path.glob("out/*/attempts.jsonl")) and flight.poll() is None:
            assert time.monotonic() < end, "the flight does not begin"
            time.sleep(0.05)
        assert flight.poll() is None, flight.communicate()[0]
        flight.kill()
        # The end of what it prints is there when the last of those that could print has ended.
        flight.communicate(timeout=20)
