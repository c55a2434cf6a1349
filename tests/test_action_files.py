"""`action.yml` and the workflows: in agreement with the code and its page, pinned, without power they do not need."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from bot.fleet.control import control_files
from bot.gha.inputs import COMMANDS, OUTPUTS, SECRETS, Inputs, read_inputs, variable

ROOT = Path(__file__).resolve().parent.parent
ACTION = ROOT / "action.yml"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PAGE = ROOT / "docs" / "github.md"
BIN = Path(sys.executable).parent
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
FIELDS = {field.name.replace("_", "-"): field for field in msgspec.structs.fields(Inputs)}


def load(file: Path) -> dict[str, Any]:
    return parsed(file.read_text(encoding="utf-8"))


def parsed(text: str) -> dict[str, Any]:
    # BaseLoader: `on` is a word, and every value is the text that stands there.
    found: dict[str, Any] = yaml.load(text, yaml.BaseLoader)
    return found


CALLERS = {name: load(ROOT / ".github" / "workflows" / name) for name in ("fix.yml", "fleet.yml")} | {
    f"init {name.rpartition('/')[2]}": parsed(text)
    for name, text in control_files("acme/fleet-bot", "1" * 40, "v1.0.0", []).items()
    if "/workflows/" in name
}
"""What calls `campaign.yml`: our own callers, and those that `fleet-bot init` writes."""
WAITING = {"cancel-in-progress": "false", "queue": "max"}
"""A hundred may wait. Without `queue` one does, and a newer one takes its place.
https://github.blog/changelog/2026-05-07-github-actions-concurrency-groups-now-allow-larger-queues"""


def steps(document: dict[str, Any]) -> list[dict[str, Any]]:
    jobs = document.get("jobs", {"action": document.get("runs", {})})
    return [step for job in jobs.values() for step in job.get("steps", [])]


def text_of(node: object) -> str:
    return yaml.safe_dump(node)


def job(name: str) -> dict[str, Any]:
    found: dict[str, Any] = load(ROOT / ".github" / "workflows" / "campaign.yml")["jobs"][name]
    return found


def test_the_action_takes_what_the_code_reads_and_gives_what_it_writes() -> None:
    action = load(ACTION)
    assert set(action["inputs"]) == set(FIELDS) | set(SECRETS)
    run = next(step for step in action["runs"]["steps"] if step.get("id") == "run")
    expected = {variable(field.name): f"${{{{ inputs.{name} }}}}" for name, field in FIELDS.items()}
    expected |= {name: f"${{{{ inputs.{given} }}}}" for given, name in SECRETS.items()}
    assert run["env"] == expected | {"PYTHONSAFEPATH": "1"}
    assert {name: held["value"] for name, held in action["outputs"].items()} == {
        name: f"${{{{ steps.run.outputs.{name} }}}}" for name in OUTPUTS
    }
    assert {name: held["description"] for name, held in action["outputs"].items()} == OUTPUTS


def test_the_defaults_of_the_action_are_those_of_the_code() -> None:
    inputs = load(ACTION)["inputs"]
    assert read_inputs({variable(name): str(inputs[name].get("default", "")) for name in FIELDS}) == Inputs()


def test_the_page_names_every_input_and_output() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE))
    assert set(FIELDS) | set(SECRETS) | set(OUTPUTS) <= rows
    assert all(f"`{command}`" in page for command in COMMANDS)


@pytest.mark.parametrize("file", [ACTION, *WORKFLOWS], ids=lambda file: file.name)
def test_every_action_of_others_is_pinned_by_its_commit(file: Path) -> None:
    used = [step["uses"] for step in steps(load(file)) if "uses" in step]
    used += [held["uses"] for held in load(file).get("jobs", {}).values() if "uses" in held]
    for name in used:
        assert name.startswith(("./", "$/")) or PINNED.fullmatch(name), name
    for line in file.read_text(encoding="utf-8").splitlines():
        if re.search(r"\buses: [^.$]", line):
            assert re.search(r"@[0-9a-f]{40} # v\d", line), line


@pytest.mark.parametrize("file", [ACTION, *WORKFLOWS], ids=lambda file: file.name)
def test_no_expression_is_part_of_a_script(file: Path) -> None:
    for step in steps(load(file)):
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_permissions_are_nothing_unless_a_job_says_what_for(file: Path) -> None:
    document = load(file)
    assert document["permissions"] in ({}, "{}")
    assert all(held.get("permissions") for held in document["jobs"].values())


def test_only_the_propose_job_has_the_key_and_it_can_write_nothing() -> None:
    propose = job("propose")
    assert propose["permissions"] == {"contents": "read"}
    assert set(re.findall(r"secrets\.([\w-]+)", text_of(propose))) == {"api-key"}
    for name in ("plan", "publish", "report"):
        assert "api-key" not in text_of(job(name))


def test_the_certificate_is_looked_for_by_the_model_that_will_answer() -> None:
    for name in ("plan", "propose"):
        [step] = [step for step in job(name)["steps"] if step.get("id") == name]
        assert step["with"]["model"] == "${{ inputs.model }}", name


def test_the_plan_job_may_read_when_its_run_was_created() -> None:
    assert job("plan")["permissions"]["actions"] == "read"


def test_only_the_publish_job_has_the_token_that_writes() -> None:
    for name in ("plan", "propose", "report"):
        assert "write-token" not in text_of(job(name))
        assert job(name)["permissions"].get("contents") == "read"
    assert "write-token" in text_of(job("publish"))


def test_the_private_key_of_an_app_is_where_nothing_of_a_repository_runs() -> None:
    for name in ("propose", "report"):
        assert "app-private-key" not in text_of(job(name))
    for name in ("plan", "publish"):
        assert "app-private-key" in text_of(job(name))


def test_proposals_are_kept_after_a_failure_and_one_shard_does_not_stop_the_others() -> None:
    propose = job("propose")
    assert propose["strategy"]["fail-fast"] == "false"
    assert propose["steps"][-1]["if"] == "${{ !cancelled() }}"
    assert "!cancelled()" in job("publish")["if"]


def test_a_campaign_is_published_by_one_job_at_a_time_and_the_next_ones_wait() -> None:
    group = "fleet-bot-publish-${{ needs.plan.outputs.campaign }}"
    assert job("publish")["concurrency"] == {"group": group} | WAITING


def test_no_more_propose_jobs_run_at_a_time_than_the_models_quota_takes() -> None:
    assert job("propose")["strategy"]["max-parallel"] == "${{ inputs.parallel }}"
    asked = load(ROOT / ".github" / "workflows" / "campaign.yml")["on"]["workflow_call"]["inputs"]
    assert (asked["parallel"]["type"], asked["parallel"]["default"]) == ("number", "5")
    assert 1 <= int(asked["shards"]["default"]) <= 256


@pytest.mark.parametrize("name", CALLERS)
def test_an_issue_and_the_clock_have_one_run_at_a_time_and_the_next_ones_wait(name: str) -> None:
    groups = {
        # An event of another label is in no group but its own.
        "fix.yml": "fleet-bot-fix-"
        "${{ github.event.label.name == 'fleet-bot:fix' && github.event.issue.number || github.run_id }}",
        "fleet.yml": "fleet-bot-${{ github.event_name }}-"
        "${{ github.event_name == 'schedule' && 'clock' || github.run_id }}",
    }
    assert CALLERS[name]["concurrency"] == {"group": groups[name.rpartition(" ")[2]]} | WAITING


@pytest.mark.parametrize("name", CALLERS)
def test_a_caller_allows_what_the_four_jobs_ask_for(name: str) -> None:
    """GitHub starts no run otherwise."""
    level = {"read": 1, "write": 2}
    [caller] = CALLERS[name]["jobs"].values()
    for role in ("plan", "propose", "publish", "report"):
        for scope, asked in job(role)["permissions"].items():
            assert level[caller["permissions"].get(scope, "read")] >= level[asked], (role, scope)
            assert scope in caller["permissions"], (role, scope)


def test_no_checkout_leaves_a_token_behind() -> None:
    for file in WORKFLOWS:
        for step in steps(load(file)):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] == "false"


@pytest.mark.parametrize(
    "words",
    [
        [
            "zizmor",
            "--offline",
            "--no-progress",
            "--strict-collection",
            "--persona",
            "pedantic",
            "action.yml",
            ".github",
        ],
        ["check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS)],
        ["actionlint", "-no-color", *map(str, WORKFLOWS)],
    ],
    ids=lambda words: " ".join(words[:3]),
)
def test_the_linters_find_nothing(words: list[str]) -> None:
    tool = BIN / words[0]
    if not tool.exists():
        pytest.skip(f"{words[0]} has no wheel for this machine")
    done = subprocess.run([str(tool), *words[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
