"""The demo's story: refused, rejected with the rule, repaired, certified, cleared."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from bot.base.errors import RefusedError
from bot.demo.flights import Hangar, unexpected
from bot.fleet.manifest import Manifest
from bot.fleet.plan import Plan, make_plan
from bot.fleet.playbook import find_playbooks, read_playbook
from bot.virtual.plugin import find_virtual_fleet, read_virtual_fleet

TODAY = datetime.date(2026, 11, 25)


def campaign(playbook: str, *names: str) -> Plan:
    fleet = {plugin.name: plugin.entry for plugin in read_virtual_fleet(find_virtual_fleet())}
    manifest = Manifest(file=Path("fleet.yaml"), plugins=tuple(fleet[name] for name in names))
    return make_plan(manifest, read_playbook(find_playbooks(None)[playbook]))


def test_the_draft_is_rejected_and_the_shipped_playbook_cleared(tmp_path: Path) -> None:
    hangar, planned = Hangar(tmp_path, today=TODAY), campaign("bump_version", "tally", "brittle")
    with pytest.raises(RefusedError, match="no certificate"):
        hangar.cleared(planned)
    draft, shipped = hangar.rehearse(planned)
    assert (unexpected(draft), unexpected(shipped)) == (None, None)
    assert "no certificate" in draft.before
    assert "verdict is REJECTED" in draft.after
    assert {"logged"} <= set(draft.flight.scenarios[0].failed_rules)
    assert "scripted model and of no other" in shipped.flight.why
    assert (shipped.after, hangar.cleared(planned)) == ("", planned)


def test_a_second_demo_in_the_same_folder_flies_nothing_anew(tmp_path: Path) -> None:
    planned = campaign("update_description", "greeter", "steady")
    (first,) = Hangar(tmp_path, today=TODAY).rehearse(planned)
    (second,) = Hangar(tmp_path, today=TODAY).rehearse(planned)
    assert second.flight == first.flight
    assert (bool(first.before), second.before) == (True, "")


def test_one_plugin_needs_no_flight_and_its_pull_request_says_so(tmp_path: Path) -> None:
    hangar, planned = Hangar(tmp_path, today=TODAY), campaign("update_description", "greeter")
    assert hangar.rehearse(planned) == ()
    assert "No valid certificate" in hangar.cleared(planned).tasks[0].notes[0]
