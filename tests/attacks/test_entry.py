"""How a run begins: what it is given, and what may lie where it wants to work."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

import attack_table
import pytest
from arena import Arena, sh
from attack_table import attack
from github import Auth, Github
from small_world import TOKEN, Done, World

from bot.base.errors import SandboxError
from bot.base.git import environment
from bot.base.values import Network
from bot.sandbox.ground import Ground
from bot.sandbox.launcher import Launcher
from bot.settings import Settings, forget_secrets, from_environment
from bot.task.workshop import places

STAMP = """
    ---
    id: stamp
    version: 1.0.0
    summary: Stamp.
    mode: script
    script: touch STAMP
    pull_request: {title: Stamp}
    ---
    """


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


@attack("44", "The same in a whole run: no level can be had, and nobody asked for best effort", "nothing of it starts")
def test_a_run_without_a_sandbox_is_refused(anywhere: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = Launcher(ground=Ground(system="linux", machine="x86_64"))
    monkeypatch.setattr("arena.launcher", lambda level: bare)
    done = anywhere.attack(sh("id"), entry={"setup": "id"})
    assert done.outcome == "error"
    assert "No sandbox" in done.reason
    assert not done.named("command_run")
    assert not done.named("tool_requested")


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
    assert places(wanted) == (home / "wheels",)


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


@attack(
    "5",
    "A comment or a pull request of somebody else that carries our markers",
    "only what our own account wrote is ever adopted",
)
def test_markers_of_somebody_else_count_for_nothing(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})
    first = world.run("stamp")
    number = first.task("a")["pull_request"]["number"]
    person = Github(auth=Auth.Token("ghp_person"), base_url=world.github.api_url, seconds_between_writes=None)
    pull = person.get_repo("acme/a").get_pull(number)
    [ours] = list(pull.get_issue_comments())
    forged = ours.body.replace("changed", "approved")
    theirs = pull.create_issue_comment(forged)
    again = world.run("stamp")
    assert again.code == 0, again.err
    bodies = {comment.id: comment.body for comment in pull.get_issue_comments()}
    assert bodies[theirs.id] == forged
    assert len(bodies) == 2


@attack(
    "45",
    "Two runs for one repository at the same time",
    "find-or-update, and a push only while the branch is where it was seen",
)
def test_two_runs_at_once_make_one_pull_request(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})
    done: list[Done] = []

    def one(number: int) -> None:
        done.append(world.process("run", "stamp", "--out", str(world.folder / f"out-{number}"), "--json", timeout=110))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert any(result.code == 0 for result in done), [result.err for result in done]
    hub = Github(auth=Auth.Token(TOKEN), base_url=world.github.api_url)
    assert hub.get_repo("acme/a").get_pulls(state="all").totalCount == 1


def test_every_case_of_the_list_has_a_test() -> None:
    assert attack_table.covered() | attack_table.elsewhere() >= set(range(1, 46))
    assert attack_table.missing() == []


def test_the_table_of_attacks_is_the_one_of_the_suite() -> None:
    page = attack_table.PAGE.read_text(encoding="utf-8")
    assert attack_table.replaced(page, attack_table.table()) == page, "run pytest tests/attacks -n 0 --write-security"
