"""Paths and single files, without a sandbox around them; the contract suite has the same from outside."""

from __future__ import annotations

import os
import posixpath
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.inside import files
from bot.sandbox.inside.files import Refused, relative

parts = st.lists(st.sampled_from(["a", "..", ".", "", "w", "w-evil", "b c", "\udcff"]), max_size=8)


@given(parts, st.booleans())
def test_a_path_is_inside_or_refused(names: list[str], absolute: bool) -> None:
    path = ("/" if absolute else "") + "/".join(names)
    try:
        found = relative("/x/w", path)
    except Refused:
        # A way out and in again is refused as well.
        assert path.startswith("/") or not path or ".." in names
        return
    assert not found.startswith(("/", "../"))
    assert found != ".."
    assert posixpath.normpath(posixpath.join("/x/w", found)) == posixpath.normpath(posixpath.join("/x/w", path))


@pytest.mark.parametrize("path", ["\ud800", "a\0", "", "a/" * 2500])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(Refused):
        relative("/x/w", path)


def test_files_are_written_read_and_deleted(tmp_path: Path) -> None:
    work = str(tmp_path)
    files.write(work, "a/b", b"123")
    assert files.read(work, "a/b", 2)["data"] == b"12"
    files.delete(work, "a/b")
    with pytest.raises(FileNotFoundError):
        files.read(work, "a/b", 1)
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        files.write(work, "file/x", b"")


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int, _data: memoryview) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bot.sandbox.inside.files.os.write", full)
    with pytest.raises(OSError, match="No space"):
        files.write(str(tmp_path), "a", b"1")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_too_large_to_hash_is_refused(tmp_path: Path) -> None:
    os.truncate(_touched(tmp_path / "huge"), files.LARGEST + 1)
    with pytest.raises(Refused, match="too large"):
        files.read(str(tmp_path), "huge", 10)


def test_entries_stop_at_the_limit_and_pass_what_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "d").mkdir()
    os.mkfifo(tmp_path / "p")
    (tmp_path / "l").symlink_to("/etc")
    _touched(tmp_path / "f")
    assert [(name, kind) for name, kind, _, _ in files.entries(str(tmp_path), ".", 10)] == [
        (b"d", "directory"),
        (b"f", "file"),
        (b"l", "symlink"),
        (b"p", "other"),
    ]
    assert len(files.entries(str(tmp_path), ".", 1)) == 1

    def closed(_folder: bytes) -> None:
        raise PermissionError

    monkeypatch.setattr("bot.sandbox.inside.files.os.scandir", closed)
    assert files.entries(str(tmp_path), ".", 10) == []


def test_special_files_and_links_in_the_way_are_refused_by_what_they_are(tmp_path: Path) -> None:
    work = str(tmp_path)
    (tmp_path / "link").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(tmp_path)  # The name of a socket is short.
        server.bind("socket")
        os.chdir(here)
        for path, why in (("link", "symbolic"), ("link/a", "symbolic"), ("pipe", "regular"), ("socket", "regular")):
            with pytest.raises(Refused, match=why):
                files.read(work, path, 1)
    with pytest.raises(IsADirectoryError):
        files.read(work, ".", 1)


def _touched(file: Path) -> Path:
    file.touch()
    return file
