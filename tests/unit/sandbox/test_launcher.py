"""Less than what was asked for is refused, with what to do about it, unless best effort will do."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.base.errors import SandboxError
from bot.base.git import GitDir
from bot.sandbox import bubblewrap, places
from bot.sandbox.ground import Ground
from bot.sandbox.launcher import Launcher, Room

NOTHING = Ground(system="linux", machine="x86_64")
BROKEN = Ground(system="linux", machine="x86_64", bubblewrap=Path("/bin/false"), landlock=3, restricted=True)


def test_where_neither_level_can_be_had_nothing_runs() -> None:
    with pytest.raises(SandboxError) as caught:
        Launcher(ground=NOTHING).facts("none")
    assert "bwrap is not installed" in caught.value.what
    assert "Landlock 6" in caught.value.what
    assert "apt install bubblewrap" in caught.value.cure
    assert "best-effort" in caught.value.cure


def test_a_level_that_does_not_start_is_not_had_and_ubuntu_is_told_its_switch() -> None:
    with pytest.raises(SandboxError) as caught:
        Launcher(ground=BROKEN).facts("none")
    assert "bubblewrap: The sandbox broke" in caught.value.what
    assert "apparmor_restrict_unprivileged_userns=0" in caught.value.cure


@pytest.mark.parametrize(
    ("ground", "word"),
    [
        (Ground(system="linux", machine="aarch64", bubblewrap=Path("/usr/bin/bwrap"), landlock=7), "aarch64"),
        (Ground(system="darwin", machine="arm64"), "darwin"),
    ],
)
def test_another_machine_is_refused_by_name(ground: Ground, word: str) -> None:
    with pytest.raises(SandboxError, match=word):
        Launcher(ground=ground).facts("none")


def test_loopback_without_namespaces_is_refused_with_that_reason() -> None:
    ground = Ground(system="linux", machine="x86_64", landlock=7)
    with pytest.raises(SandboxError, match="needs a network namespace"):
        Launcher(ground=ground).facts("loopback")


def test_no_confinement_at_all_has_to_be_asked_for() -> None:
    with pytest.raises(SandboxError, match="confines nothing"):
        Launcher(level="none").facts("none")


def test_best_effort_runs_unconfined_and_says_so_loudly(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "p").mkdir()
    launcher = Launcher(best_effort=True, ground=NOTHING)
    sandbox = launcher.open(
        Room(workspace=tmp_path / "w", history=GitDir(tmp_path / "git"), private=tmp_path / "p", network="none")
    )
    try:
        assert (sandbox.facts.level, sandbox.facts.network) == ("none", "full")
        assert "Nothing is confined" in sandbox.facts.notes[0]
        assert "bwrap is not installed" in sandbox.facts.notes[1]
        assert sandbox.run("echo ran", timeout=10).stdout == b"ran\n"
    finally:
        sandbox.close()


def test_the_self_test_runs_once_for_each_network(monkeypatch: pytest.MonkeyPatch) -> None:
    proven: list[str] = []
    monkeypatch.setattr("bot.sandbox.launcher.prove", lambda _open, network: proven.append(network))
    launcher = Launcher(level="landlock", ground=Ground(system="linux", machine="x86_64", landlock=7))
    assert launcher.facts("none") is launcher.facts("none")
    launcher.facts("full")
    assert proven == ["none", "full"]


def test_a_sandbox_that_leaks_does_not_pass_the_self_test(monkeypatch: pytest.MonkeyPatch) -> None:
    ground = Ground(system="linux", machine="x86_64", landlock=7)
    launcher = Launcher(level="landlock", ground=ground)
    leaky = Launcher(best_effort=True, ground=NOTHING)
    monkeypatch.setattr(launcher, "_start", lambda room, _facts: leaky.open(room))
    with pytest.raises(SandboxError) as caught:
        launcher.facts("none")
    for could in ("write a file outside", "read a file outside", "make a network socket", "the machine's own network"):
        assert could in caught.value.what


def test_the_interpreter_is_shown_without_what_lies_beside_it() -> None:
    shown = places.interpreter_folders()
    assert Path("/") not in shown
    assert Path.home() not in shown
    assert all(not (folder / ".env").exists() for folder in shown)


def test_the_system_s_bwrap_is_preferred_and_the_carried_one_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = tmp_path / "bwrap"
    own.write_text("")
    own.chmod(0o755)
    monkeypatch.setattr(bubblewrap, "_SYSTEM_PLACES", (str(tmp_path / "none"), str(own)))
    assert bubblewrap.find() == own
    monkeypatch.setattr(bubblewrap, "_SYSTEM_PLACES", ())
    carried = bubblewrap.find()
    assert carried is None or carried.name == "bwrap"
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bubblewrap.find() == own
    monkeypatch.setenv("PATH", "/nonexistent")
    assert bubblewrap.find() is None


def test_an_inner_place_is_mounted_after_the_outer_one(tmp_path: Path) -> None:
    outer, inner = tmp_path / "w", tmp_path / "w" / "ro"
    folders = {"temporary": tmp_path / "t", "shared": tmp_path / "s"}
    line = bubblewrap.arguments(Path("bwrap"), network="none", writable=(outer,), readonly=(inner,), **folders)
    assert line.index(str(outer)) < line.index(str(inner))
    assert "--share-net" not in line
