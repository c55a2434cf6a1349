"""What a sandbox must hold against: each case tries it from inside and looks for the effect outside."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.base.errors import SandboxError
from bot.ports import Sandbox


@pytest.fixture
def canary(confined) -> Path:
    file = confined.folder / "canary"
    file.write_text("canary-secret")
    return file


@pytest.fixture
def ear() -> Iterator[int]:
    """A listener outside, on TCP; the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process of the same user, outside."""
    with subprocess.Popen(["sleep", "60"], env={"SECRET": "canary-secret"}) as process:
        yield process
        process.kill()


def script(sandbox: Sandbox, python: str, code: str, **more: object) -> str:
    """Run Python inside; what it printed, errors of the interpreter included."""
    done = sandbox.run(f"{python} -I -S -c {shlex.quote(code)}", timeout=30, **more)  # type: ignore[arg-type]
    return (done.stdout + done.stderr).decode()


# Files ---------------------------------------------------------------------------------------------------------------


def test_nothing_outside_can_be_read_written_or_deleted(confined, canary: Path) -> None:
    sandbox = confined()
    for command in (
        f"cat {canary}",
        f"ln -s {canary} link; cat link",
        f"ln {canary} hard; cat hard",
        f"cp {canary} copy; cat copy",
        f"cd ..; cat ./{canary.name}",
        "cat /etc/shadow /root/.bashrc ~/.netrc /proc/1/root/etc/hostname",
    ):
        done = sandbox.run(command, timeout=10)
        assert b"canary-secret" not in done.stdout + done.stderr, command
    for command in (
        f"echo evil > {canary}",
        f"ln -sf {canary} out; echo evil > out",
        f"rm -f {canary}",
        f"mv {canary} moved",
        f"truncate -s 0 {canary}",
        f"touch {canary.parent}/new",
        f"mkdir {canary.parent}/folder",
    ):
        sandbox.run(command, timeout=10)
    assert canary.read_text(encoding="utf-8") == "canary-secret"
    assert not (canary.parent / "new").exists()
    assert not (canary.parent / "folder").exists()


def test_the_trusted_git_dir_is_out_of_reach(confined) -> None:
    sandbox = confined()
    place = confined.git.path
    done = sandbox.run(f"ls {place}; cat {place}/HEAD; echo evil > {place}/config", timeout=10)
    assert b"ref:" not in done.stdout
    assert "evil" not in (place / "config").read_text(encoding="utf-8")


def test_the_system_is_read_only(confined) -> None:
    done = confined().run(
        "for place in / /usr /usr/bin /etc /bin /lib /dev /proc/sys/kernel; do touch $place/evil && echo $place; done",
        timeout=10,
    )
    assert done.stdout == b""


def test_metadata_of_files_outside_is_safe_or_named_as_a_hole(confined, canary: Path) -> None:
    canary.chmod(0o600)
    sandbox = confined()
    sandbox.run(f"chmod 777 {canary}", timeout=10)
    kept = canary.stat().st_mode & 0o777 == 0o600
    assert kept or any("Modes" in note for note in sandbox.facts.notes)


# Processes -----------------------------------------------------------------------------------------------------------


def test_no_process_outside_can_be_signalled(confined, bystander: subprocess.Popen[bytes]) -> None:
    sandbox = confined()
    sandbox.run(f"kill -9 {bystander.pid}; kill -9 -1; kill -9 -{bystander.pid}", timeout=10)
    time.sleep(0.05)
    assert bystander.poll() is None


def test_neither_environment_nor_memory_of_another_process_can_be_read(
    confined, bystander: subprocess.Popen[bytes]
) -> None:
    done = confined().run(
        f"for pid in {bystander.pid} {os.getpid()} $PPID 1; do "
        "cat /proc/$pid/environ /proc/$pid/maps /proc/$pid/fd/*; head -c 1 /proc/$pid/mem; ls /proc/$pid/cwd/; done",
        timeout=10,
    )
    assert done.stdout == b"", done.stdout[:300]


def test_the_worker_cannot_be_killed_stopped_or_interrupted_from_inside(confined) -> None:
    sandbox = confined()
    for name in ("KILL", "STOP", "INT", "TERM", "HUP", "QUIT", "SEGV", "CHLD", "PIPE", "USR1"):
        sandbox.run(f"kill -{name} $PPID; kill -{name} 1", timeout=10)
        assert sandbox.run("echo alive", timeout=10).stdout == b"alive\n", name


def test_privileges_cannot_be_gained(confined) -> None:
    lines = dict(
        line.split(":\t", 1)
        for line in confined().run("cat /proc/self/status", timeout=10).stdout.decode().splitlines()
        if ":\t" in line
    )
    assert lines["NoNewPrivs"] == "1"
    assert lines["Seccomp"] == "2"
    assert {lines[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} <= {"0" * 16}


_CALLS = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
for name, number, *arguments in (
    ("unshare", 272, 0x10000000), ("setns", 308, 0, 0), ("mount", 165, 0, 0, 0, 0, 0), ("ptrace", 101, 16, 1, 0, 0),
    ("keyctl", 250, 0, 0), ("bpf", 321, 0, 0, 0), ("perf_event_open", 298, 0, 0, -1, -1, 0), ("chroot", 161, b"."),
    ("open_by_handle_at", 304, 0, 0, 0), ("process_vm_readv", 310, 1, 0, 0, 0, 0, 0), ("userfaultfd", 323, 0),
    ("pidfd_getfd", 438, 0, 0, 0), ("clone newuser", 56, 0x10000011, 0, 0, 0, 0), ("reboot", 169, 0, 0, 0, 0),
    ("tiocsti", 16, 0, 0x5412, b"x"), ("tiocsti high bits", 16, 0, 0x100005412, b"x"),
    ("clone3", 435, 0, 0), ("io_uring_setup", 425, 1, 0), ("x32 getpid", 0x40000000 + 39),
):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[a if isinstance(a, bytes) else ctypes.c_long(a) for a in arguments])
    print(name, "=", errno.errorcode.get(ctypes.get_errno(), result), sep="")
"""


def test_dangerous_system_calls_are_refused(confined, python: str) -> None:
    said = dict(line.split("=") for line in script(confined(), python, _CALLS).splitlines())
    unknown = {said.pop(name) for name in ("clone3", "io_uring_setup", "x32 getpid")}
    assert unknown == {"ENOSYS"}
    assert set(said.values()) == {"EPERM"}, said


def test_there_is_no_core_file_and_no_endless_file(confined) -> None:
    done = confined().run("ulimit -c; truncate -s 100G big; ls big 2>/dev/null; sh -c 'kill -SEGV $$'; ls", timeout=10)
    assert done.stdout.split() in ([b"0"], [b"0", b"big", b"big"])
    big = confined.workspace / "big"
    assert not big.exists() or big.stat().st_size == 0


# Network -------------------------------------------------------------------------------------------------------------

_REACH = """
import socket, sys
port, abstract, path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
for name, attempt in (
    ("tcp", lambda: socket.create_connection(("127.0.0.1", port), 2)),
    ("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port))),
    ("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)),
    ("vsock", lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)),
    ("alg", lambda: socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)),
    ("uevents", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15)),
    ("abstract", lambda: socket.socket(socket.AF_UNIX).connect(chr(0) + abstract)),
    ("path", lambda: socket.socket(socket.AF_UNIX).connect(path)),
):
    try:
        attempt()
        print(name)
    except OSError:
        pass
"""


def reached(sandbox: Sandbox, python: str, port: int, folder: Path) -> set[str]:
    name = f"fleet-bot-test-{os.getpid()}"
    path = str(folder / "s")
    with socket.socket(socket.AF_UNIX) as abstract, socket.socket(socket.AF_UNIX) as named:
        abstract.bind("\0" + name)
        abstract.listen()
        named.bind(path)
        named.listen()
        line = shlex.join([python, "-I", "-S", "-c", _REACH, str(port), name, path])
        done = sandbox.run(line, timeout=30)
    assert done.stderr == b""
    return set(done.stdout.decode().split())


def test_without_network_nothing_can_be_reached(confined, python: str, ear: int, tmp_path: Path) -> None:
    assert reached(confined("none"), python, ear, tmp_path) == set()


def test_with_the_full_network_only_the_internet_can_be_reached(
    confined, python: str, ear: int, tmp_path: Path
) -> None:
    assert reached(confined("full"), python, ear, tmp_path) == {"tcp", "udp"}


def test_a_loopback_of_its_own_reaches_itself_and_nothing_outside(
    confined, python: str, ear: int, tmp_path: Path
) -> None:
    if confined.level == "landlock":
        with pytest.raises(SandboxError, match="needs a network namespace"):
            confined("loopback")
        return
    sandbox = confined("loopback")
    # A datagram to a port where nobody listens is sent; it ends in the sandbox's own loopback.
    assert reached(sandbox, python, ear, tmp_path) <= {"udp"}
    code = (
        "import socket\nwith socket.create_server(('127.0.0.1', 0)) as s:\n"
        " socket.create_connection(s.getsockname()).close(); print('served')"
    )
    assert script(sandbox, python, code) == "served\n"


# History -------------------------------------------------------------------------------------------------------------

_EVIL = """
set -e
mark="touch {mark}"
git init -q .
for hook in pre-commit post-checkout post-index-change fsmonitor-watchman reference-transaction; do
    printf '#!/bin/sh\\n%s-$0\\n' "$mark" > .git/hooks/$hook; chmod +x .git/hooks/$hook
done
git config core.fsmonitor "$mark-fsmonitor"
git config filter.evil.clean "$mark-clean; cat"
git config filter.evil.smudge "$mark-smudge; cat"
git config diff.evil.textconv "$mark-textconv"
git config diff.external "$mark-external"
echo '* filter=evil diff=evil' > .gitattributes
printf '[submodule "x"]\\n path = x\\n url = ext::sh -c %s\\n' "$mark-ext" > .gitmodules
mkdir inner; cd inner; git init -q .
echo a > file; git add file; git -c user.name=a -c user.email=a@b commit -qm x
"""
_MORE = """
git config core.fsmonitor "touch {mark}-inner-fsmonitor"
git config filter.evil.clean "touch {mark}-inner-clean; cat"
echo '* filter=evil' > .gitattributes
echo b > file
"""


def test_git_in_the_workspace_is_never_obeyed(opener, tmp_path: Path) -> None:
    sandbox = opener()
    mark = tmp_path / "executed"
    evil, more = _EVIL.format(mark=mark), _MORE.format(mark=mark)
    for line in (evil, f"sleep 1; cd inner; {more}"):
        done = sandbox.run(line, timeout=20, env={"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"})
        assert done.exit_code == 0, done.stderr
        for stray in tmp_path.glob("executed*"):
            stray.unlink()  # Without confinement the agent's own git ran them.
        tree = sandbox.snapshot()
    sandbox.run("echo more > inner/file; rm -f inner/.gitattributes", timeout=10)
    seen = [effect.path for effect in sandbox.changes(tree, sandbox.snapshot())]
    sandbox.restore(tree)
    assert seen == ["inner/.gitattributes", "inner/file"]
    assert list(tmp_path.glob("executed*")) == []


def test_a_hostile_tree_neither_hangs_nor_breaks_a_snapshot(opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.base.staging._FIRST_TRY_SECONDS", 2.0)
    sandbox = opener()
    sandbox.run("echo 1 > tracked; mkdir sub; echo 1 > sub/tracked", timeout=10)
    before = sandbox.snapshot()
    sandbox.run(
        "rm tracked; mkfifo tracked pipe; ln -s loop loop; ln -s . sub/self; truncate -s 3G huge; mkdir closed; "
        "echo 1 > closed/file; chmod 0 closed; echo 1 > secret; chmod 0 secret; mkdir -p .GIT; echo x > .GIT/config; "
        "mkdir trap; mkfifo trap/.gitignore trap/.gitattributes; echo 1 > trap/file; : > $(printf 'a\\nb')",
        timeout=20,
    )
    after = sandbox.snapshot()
    paths = {effect.path for effect in sandbox.changes(before, after)}
    assert paths - {"closed/file"} == {"a\nb", "loop", "secret", "sub/self", "tracked", "trap/file"}
    sandbox.restore(before)
    assert sandbox.snapshot() == before
    assert (opener.workspace / "tracked").read_text() == "1\n"


# Breaking the sandbox itself -----------------------------------------------------------------------------------------


def test_a_worker_that_is_killed_is_an_error_and_leaves_nothing_behind(confined) -> None:
    sandbox = confined()
    channel = sandbox._worker  # type: ignore[attr-defined]
    victim = _worker_below(channel._process.pid)
    killer = threading.Timer(0.3, os.kill, (victim, 9))
    killer.start()
    with pytest.raises(SandboxError, match="broke"):
        sandbox.run("(sleep 1.5; touch late) & sleep 20", timeout=30)
    time.sleep(1.5)
    assert list(confined.workspace.iterdir()) == []
    with pytest.raises(SandboxError):
        sandbox.read("a")


def test_a_worker_that_hangs_is_given_up(confined, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.sandbox.client._GRACE_SECONDS", 0.5)
    sandbox = confined()
    os.kill(_worker_below(sandbox._worker._process.pid), 19)  # type: ignore[attr-defined]
    began = time.monotonic()
    with pytest.raises(SandboxError, match="no answer"):
        sandbox.run("true", timeout=0.5)
    assert time.monotonic() - began < 15


def _worker_below(pid: int) -> int:
    """The worker is the only child of bwrap, or of its keeper."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0])
