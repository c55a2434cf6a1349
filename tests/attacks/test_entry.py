"""How a run begins: what it is given, and what may lie where it wants to work."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import attack_table
import pytest
from arena import Arena, sh
from attack_table import attack
from small_world import World

from bot.base.errors import SandboxError
from bot.base.git import environment
from bot.base.values import Network
from bot.sandbox.ground import Ground
from bot.sandbox.launcher import Launcher
from bot.task.run import _places
from bot.wiring import Settings, forget_secrets, from_environment


@attack(
    "44",
    "A scratch folder that somebody made beforehand under a name to be guessed; a shared cache",
    "a fresh folder of mode 0700 for each process, no cache",
)
def test_scratch_folders_cannot_be_made_beforehand(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from bot.fleet.manifest import read_manifest
    from bot.wiring import Wiring

    temporary = tmp_path / "tmp"
    temporary.mkdir()
    for name in ("fleet-bot", "fleet-bot-agent", "agent"):
        (temporary / name).symlink_to("/etc")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    world.entries.append({"name": "a", "repo": "acme/a"})
    with Wiring(Settings(), read_manifest(world.write_manifest())) as wiring:
        place = wiring.scratch()
        assert place.parent.stat().st_mode & 0o777 == 0o700
        assert place.stat().st_mode & 0o777 == 0o700
        assert place.parent.parent == temporary
    assert not place.parent.exists()


@attack("44", "Where no sandbox can be had", "the run refuses")
@pytest.mark.parametrize("network", ["none", "loopback", "full"])
def test_without_a_sandbox_nothing_runs(network: Network) -> None:
    bare = Ground(system="linux", machine="x86_64")
    with pytest.raises(SandboxError, match="No sandbox"):
        Launcher(ground=bare).facts(network)


@attack(
    "+", "Keys and tokens in what git, set-ups and tests inherit", "an environment made from a list, not by leaving out"
)
def test_no_child_inherits_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "GEMINI_API_KEY",
        "GITHUB_TOKEN",
        "GIT_SSH_COMMAND",
        "GIT_CONFIG_PARAMETERS",
        "GIT_EXEC_PATH",
        "LD_PRELOAD",
        "GIT_DIR",
        "PYTHONPATH",
    ):
        monkeypatch.setenv(name, "evil")
    assert "evil" not in environment().values()
    assert "s3cret" not in str(environment("https://github.com/a/b", "other"))
    monkeypatch.setenv("HTTPS_PROXY", "http://user:pw@proxy:1")
    settings = from_environment(os.environ | {"PIP_INDEX_URL": "https://u:pw@index/simple", "NO_PROXY": "x"})
    assert "pw@" not in str(settings.reaching)
    forget_secrets()
    assert "GEMINI_API_KEY" not in os.environ


@attack(
    "+",
    "A variable for set-ups (`PIP_FIND_LINKS`, `SSL_CERT_DIR`) that names `/`, the home folder or one above it",
    "not shown to the set-up",
)
def test_a_set_up_does_not_see_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "home" / "me"
    (home / "wheels").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    wanted = {"PIP_FIND_LINKS": f"/ {home} {home.parent} {home}/wheels {home}/../me", "SSL_CERT_DIR": "/etc"}
    assert _places(wanted) == (home / "wheels",)


@attack(
    "+",
    "A set-up that leaves pipes, links, deep folders, files without rights, a `.git` of its own",
    "carried over as files only; an error of this run at worst",
)
def test_a_hostile_set_up(arena: Arena) -> None:
    done = arena.attack(
        sh("ls -la; cat link 2>&1; git log --oneline"),
        ("write_file", {"path": "x.txt", "content": "x\n"}),
        entry={
            "setup": f"mkfifo p; ln -s {arena.canary} link; rm -rf .git; git init -q .; git config core.fsmonitor 'touch owned';"
            "mkdir -p closed/in; chmod 000 closed; echo 'x' > README.md; exit 0"
        },
    )
    assert not any("7b1f" in told for told in done.told)
    assert done.outcome == "changed", done.reason
    assert done.proposal.files == ("x.txt",)
    assert not any((arena.folder / "scratch").iterdir())


def test_every_case_of_the_list_has_a_test_or_waits_for_the_action() -> None:
    assert attack_table.covered() | attack_table.later() >= set(range(1, 46))


def test_the_table_of_attacks_is_the_one_of_the_suite() -> None:
    page = attack_table.PAGE.read_text(encoding="utf-8")
    assert attack_table.replaced(page, attack_table.table()) == page, "run pytest tests/attacks -n 0 --write-security"
