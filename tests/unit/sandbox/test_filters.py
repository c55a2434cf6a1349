"""The filter of system calls, run on a small model of the kernel's interpreter."""

from __future__ import annotations

import errno

from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.inside import filters
from bot.sandbox.inside.filters import ALLOW, AUDIT_ARCH_X86_64, DENIED, KILL_PROCESS, SHARED_MEMORY, UNKNOWN, program

EPERM, ENOSYS = 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
SPECIAL = {41, 16, 56}
"""socket, ioctl, clone: their arguments count."""


def answer(lines: list[filters.Instruction], number: int, *arguments: int, arch: int = AUDIT_ARCH_X86_64) -> int:
    data = number.to_bytes(4, "little") + arch.to_bytes(4, "little") + bytes(8)
    data += b"".join(
        (argument & (1 << 64) - 1).to_bytes(8, "little") for argument in (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    )
    at, value = 0, 0
    while True:
        code, yes, no, constant = lines[at]
        at += 1
        match code:
            case 0x20:
                value = int.from_bytes(data[constant : constant + 4], "little")
            case 0x15:
                at += yes if value == constant else no
            case 0x35:
                at += yes if value >= constant else no
            case 0x45:
                at += yes if value & constant else no
            case 0x06:
                return constant


def test_every_listed_call_is_answered_as_listed() -> None:
    lines = program((), ipc=False)
    assert {answer(lines, number) for number in (DENIED | SHARED_MEMORY).values()} == {EPERM}
    assert {answer(lines, number) for number in UNKNOWN.values()} == {ENOSYS}
    with_ipc = program((), ipc=True)
    assert {answer(with_ipc, number) for number in SHARED_MEMORY.values()} == {ALLOW}


@given(st.integers(0, 0x3FFFFFFF), st.booleans())
def test_every_other_call_is_allowed(number: int, ipc: bool) -> None:
    listed = set((DENIED | SHARED_MEMORY | UNKNOWN).values()) | SPECIAL
    if number not in listed:
        assert answer(program((), ipc=ipc), number) == ALLOW


@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF))
def test_another_abi_of_the_processor_gets_nothing(number: int, arch: int) -> None:
    lines = program((1, 2, 10, 16), ipc=True)
    if arch != AUDIT_ARCH_X86_64:
        assert answer(lines, number, arch=arch) == KILL_PROCESS
    assert answer(lines, number | 0x40000000) == ENOSYS


@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF), st.sets(st.sampled_from([1, 2, 10, 16])))
def test_only_the_families_of_the_policy_have_sockets(family: int, protocol: int, families: set[int]) -> None:
    lines = program(tuple(families), ipc=True)
    fine = family in families and (family != 16 or protocol == 0)
    assert answer(lines, 41, family, 1, protocol) == (ALLOW if fine else EPERM)
    assert answer(lines, 53, family, 1, protocol) == ALLOW


@given(st.integers(0, (1 << 64) - 1))
def test_a_clone_with_a_namespace_is_refused(flags: int) -> None:
    namespaces = 0x20000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
    assert answer(program((), ipc=True), 56, flags) == (EPERM if flags & namespaces else ALLOW)


@given(st.integers(0, (1 << 64) - 1))
def test_input_cannot_be_pushed_into_a_terminal(request: int) -> None:
    refused = request & 0xFFFFFFFF in {0x5412, 0x541C}
    assert answer(program((), ipc=True), 16, 0, request) == (EPERM if refused else ALLOW)
    assert answer(program((), ipc=True), 16, 0, request & ~0xFFFFFFFF | 0x5412) == EPERM


def test_it_is_assembled_as_the_kernel_reads_it() -> None:
    assert filters.assembled([(0x15, 1, 2, 0x01020304)]) == bytes([0x15, 0, 1, 2, 4, 3, 2, 1])
