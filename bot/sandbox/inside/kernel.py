"""The few Linux calls that Python has no function for, by ctypes: prctl, Landlock, seccomp, capabilities."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable

_PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 4, 24, 36, 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF, _SECCOMP = 444, 445, 446, 317
_RULE_PATH_BENEATH, _VERSION_FLAG = 1, 1
_CAPABILITY_VERSION_3 = 0x20080522

SCOPED_ABI = 6
"""The first Landlock version that confines signals and abstract sockets (Linux 6.12)."""
_READ = 0b1101
"""EXECUTE, READ_FILE, READ_DIR."""
_MAKE_DEVICES = 1 << 6 | 1 << 11
"""MAKE_CHAR, MAKE_BLOCK."""
_IOCTL_DEVICE = 1 << 15
_OF_FILES = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
"""EXECUTE, WRITE_FILE, READ_FILE, TRUNCATE, IOCTL_DEV: all that a rule about a single file may grant."""
_ALL_FILE_RIGHTS = (1 << 16) - 1
_ALL_NET_RIGHTS = 0b11
_SCOPES = 0b11
"""Abstract UNIX sockets, signals."""

_libc = ctypes.CDLL(None, use_errno=True)
if hasattr(_libc, "syscall"):
    _libc.syscall.restype = ctypes.c_long


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def landlock_abi() -> int:
    """The version of Landlock that the kernel offers; 0 without."""
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)))


def no_new_privileges() -> None:
    """Make setuid programs and file capabilities powerless, for good."""
    _checked(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def hide_memory() -> None:
    """Keep other processes of the same user out of this one's memory, open files and environment."""
    _checked(_libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0))


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    _checked(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


def drop_capabilities() -> None:
    """Give up all capabilities, now and for programs started later. Only root has any."""
    for capability in range(64):
        if _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break
    head = _CAPABILITY_VERSION_3.to_bytes(4, "little") + bytes(4)
    _checked(_libc.capset(head, bytes(24)))


def confine_files(readable: Iterable[str], writable: Iterable[str], *, network: bool) -> None:
    """Landlock: nothing but these files and folders can be opened; signals and abstract sockets stay inside.

    A path that does not exist is left out. Without `network`, TCP is refused too. Needs version 6.
    """
    ruleset = _ruleset(_ALL_FILE_RIGHTS, 0 if network else _ALL_NET_RIGHTS)
    for paths, rights in ((readable, _READ), (writable, _ALL_FILE_RIGHTS & ~_MAKE_DEVICES & ~_IOCTL_DEVICE)):
        for path in paths:
            _allow(ruleset, path, rights)
    _enter(ruleset)


def confine_signals() -> None:
    """A nested Landlock domain that restricts no files: its processes cannot signal those outside of it."""
    _enter(_ruleset(0, 0))


def filter_calls(assembled: bytes) -> None:
    """Install a seccomp filter, for this process and all it starts."""
    code = ctypes.create_string_buffer(assembled, len(assembled))
    head = (len(assembled) // 8).to_bytes(8, "little") + ctypes.addressof(code).to_bytes(8, "little")
    _checked(_libc.syscall(_SECCOMP, 1, 0, head))


def _ruleset(files: int, net: int) -> int:
    attributes = b"".join(value.to_bytes(8, "little") for value in (files, net, _SCOPES))
    return _checked(_libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0))


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        granted = rights if os.path.isdir(path) else rights & _OF_FILES  # noqa: PTH112
        rule = granted.to_bytes(8, "little") + place.to_bytes(4, "little")
        _checked(_libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0))
    finally:
        os.close(place)


def _enter(ruleset: int) -> None:
    try:
        _checked(_libc.syscall(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)
