"""What the environment says, and what each command's collaborators can do."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import pytest

from bot.base.errors import ConfigurationError
from bot.base.values import Playbook, Plugin, Task
from bot.fleet.manifest import CampaignBudget, Manifest
from bot.models.gemini import GeminiModel
from bot.ports import ForgeRead, ForgeWrite
from bot.settings import Settings, from_environment
from bot.wiring import Wiring

MANIFEST = Manifest(file=Path("fleet.yaml"))
TASK = Task(
    plugin=Plugin(name="a", repo="acme/a"),
    playbook=Playbook(id="p", version="1.0.0", summary="x"),
    campaign="p-1",
    variables={},
    prompt="x",
    limits=Plugin(name="a", repo="acme/a").limits,
    branch="b",
)


def test_proposing_is_given_no_way_to_write_to_a_forge() -> None:
    with Wiring(Settings(github_token="t"), MANIFEST) as wiring:
        forge = wiring.workshop().forge
    reading = {name for name in dir(ForgeRead) if not name.startswith("_")}
    writing = {name for name in dir(ForgeWrite) if not name.startswith("_")} - reading
    assert writing
    assert {name for name in dir(forge) if not name.startswith("_")} == reading
    assert not any(isinstance(getattr(forge, name, None), Wiring) for name in dir(forge))


def test_connections_are_closed_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []
    with Wiring(Settings(github_token="t"), MANIFEST) as wiring:
        forge = wiring.forge("acme/a")
        monkeypatch.setattr(forge, "close", lambda: closed.append(True))
    assert closed == [True]


@pytest.mark.parametrize("name", ["GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_GENAI_USE_VERTEXAI"])
def test_vertex_by_the_sdks_own_variables_needs_no_key(name: str) -> None:
    environ = {name: "True", "GOOGLE_CLOUD_PROJECT": "acme", "GOOGLE_CLOUD_LOCATION": "europe-west4"}
    settings = from_environment(environ)
    assert settings.may_ask
    with Wiring(settings, MANIFEST) as wiring:
        model = wiring.model(TASK)
        assert isinstance(model, GeminiModel)
        assert model.identity == wiring.model_id
        assert (wiring.model_id.adapter, wiring.model_id.endpoint) == ("vertex", "vertex:europe-west4")


def test_vertex_needs_a_project_or_a_key() -> None:
    settings = from_environment({"GOOGLE_GENAI_USE_VERTEXAI": "1"})
    assert not settings.may_ask
    with Wiring(settings, MANIFEST) as wiring, pytest.raises(ConfigurationError, match="no key"):
        wiring.model(TASK)
    assert from_environment({"GOOGLE_GENAI_USE_VERTEXAI": "1"}, api_key="k").may_ask


def test_of_two_words_about_vertex_the_newer_one_counts() -> None:
    environ = {"GOOGLE_GENAI_USE_ENTERPRISE": "false", "GOOGLE_GENAI_USE_VERTEXAI": "true"}
    assert from_environment(environ).vertex is None


@pytest.mark.parametrize(
    "settings", [Settings(api_key="k"), Settings(api_key="k", gemini_base_url="http://127.0.0.1:9")]
)
def test_who_will_answer_is_who_answers(settings: Settings) -> None:
    with Wiring(settings, MANIFEST) as wiring:
        assert wiring.model(TASK).identity == wiring.model_id


def test_the_campaigns_budget_is_the_manifests_unless_the_command_line_says_another() -> None:
    manifest = Manifest(file=Path("fleet.yaml"), campaign=CampaignBudget(cost_usd=2.0, tokens=1000))
    with Wiring(Settings(), manifest) as wiring:
        assert wiring.budget() == CampaignBudget(cost_usd=2.0, tokens=1000)
        assert wiring.budget(cost_usd=5.0) == CampaignBudget(cost_usd=5.0, tokens=1000)
        assert wiring.budget(share=0.25) == CampaignBudget(cost_usd=0.5, tokens=250)


def test_tasks_that_begin_at_the_same_moment_share_one_root_that_is_gone_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    together = threading.Barrier(16)
    with Wiring(Settings(), MANIFEST) as wiring:

        def begin() -> None:
            together.wait()
            wiring.scratch()

        threads = [threading.Thread(target=begin) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        [root] = tmp_path.iterdir()
        assert len(list(root.iterdir())) == 16
    assert list(tmp_path.iterdir()) == []
