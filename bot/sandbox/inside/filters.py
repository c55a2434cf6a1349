"""The seccomp filter, as a list of BPF instructions. Pure; x86-64 only.

It is a deny-list with three answers: EPERM for what a sandboxed program has no business with, ENOSYS where a program is
known to fall back to something older (`clone3`, `io_uring`), and allow. Calls through another ABI of the processor
(i386, x32) have other numbers and would slip through a list of names, so they are refused as a whole.
"""

from __future__ import annotations

import errno

AUDIT_ARCH_X86_64 = 0xC000003E
ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _ARGUMENT_0, _ARGUMENT_1, _ARGUMENT_2 = 0, 4, 16, 24, 32

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
_CLONE, _CLONE3, _SOCKET, _IOCTL = 56, 435, 41, 16
_NAMESPACES = 0x7E020000
"""CLONE_NEW* for mount, cgroup, UTS, IPC, user, PID and network."""
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C


def _table(text: str) -> dict[str, int]:
    """Names and numbers of system calls on x86-64; lines that begin with # say what they are."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return {name: int(number) for name, _, number in (word.partition("=") for word in " ".join(lines).split())}


DENIED = _table(
    """
    # Other processes' memory and open files.
    ptrace=101 process_vm_readv=310 process_vm_writev=311 pidfd_getfd=438 process_madvise=440 kcmp=312
    # Namespaces and mounts.
    unshare=272 setns=308 mount=165 umount2=166 pivot_root=155 chroot=161 fsopen=430
    fsconfig=431 fsmount=432 fspick=433 move_mount=429 open_tree=428 mount_setattr=442 open_tree_attr=467
    # Files by handle instead of by path.
    open_by_handle_at=304 name_to_handle_at=303
    # The kernel's own machinery, with a history of holes.
    bpf=321 perf_event_open=298 userfaultfd=323 keyctl=250 add_key=248 request_key=249
    fanotify_init=300 lookup_dcookie=212 uselib=134 personality=135 modify_ldt=154
    # The machine.
    kexec_load=246 kexec_file_load=320 init_module=175 finit_module=313 delete_module=176
    reboot=169 swapon=167 swapoff=168 acct=163 quotactl=179 quotactl_fd=443 syslog=103
    vhangup=153 ioperm=173 iopl=172 settimeofday=164 clock_settime=227 adjtimex=159
    clock_adjtime=305 sethostname=170 setdomainname=171
    """
)
UNKNOWN = {"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "clone3": _CLONE3}
"""Answered as by a kernel that does not have them, so that programs fall back."""
SHARED_MEMORY = _table(
    """
    # System V IPC and POSIX queues are named machine-wide where there is no IPC namespace.
    shmget=29 shmat=30 shmctl=31 semget=64 semop=65 semctl=66 semtimedop=220
    msgget=68 msgsnd=69 msgrcv=70 msgctl=71 mq_open=240 mq_unlink=241
    """
)

Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, constant: `struct sock_filter`."""


def program(families: tuple[int, ...], *, ipc: bool) -> list[Instruction]:
    """The filter. `families` are the address families that `socket` may name; `socketpair` is always allowed.

    `ipc` allows System V IPC and message queues; to be set only where they have a namespace of their own.
    """
    denied = DENIED if ipc else DENIED | SHARED_MEMORY
    lines: list[Instruction] = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, AUDIT_ARCH_X86_64),
        (_RETURN, 0, 0, KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, 0x40000000),
        (_RETURN, 0, 0, _error(errno.ENOSYS)),
    ]
    for number in sorted(denied.values()):
        lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _error(errno.EPERM))]
    for number in sorted(UNKNOWN.values()):
        lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _error(errno.ENOSYS))]
    lines += _section(_CLONE, [(_LOAD, 0, 0, _ARGUMENT_0), (_ANY_BIT, 0, 1, _NAMESPACES)], otherwise=ALLOW)
    terminal = [(_LOAD, 0, 0, _ARGUMENT_1), (_EQUAL, 1, 0, _TIOCSTI), (_EQUAL, 0, 1, _TIOCLINUX)]
    lines += _section(_IOCTL, terminal, otherwise=ALLOW)
    return [*lines, *_sockets(families), (_RETURN, 0, 0, ALLOW)]


def assembled(lines: list[Instruction]) -> bytes:
    """The program as the kernel takes it: eight bytes an instruction."""
    return b"".join(
        code.to_bytes(2, "little") + bytes((yes, no)) + constant.to_bytes(4, "little")
        for code, yes, no, constant in lines
    )


def _section(number: int, test: list[Instruction], *, otherwise: int) -> list[Instruction]:
    """For one system call: EPERM when `test` falls through, `otherwise` when it jumps over one."""
    body = [*test, (_RETURN, 0, 0, _error(errno.EPERM)), (_RETURN, 0, 0, otherwise)]
    return [(_EQUAL, 0, len(body), number), *body]


def _sockets(families: tuple[int, ...]) -> list[Instruction]:
    refuse = (_RETURN, 0, 0, _error(errno.EPERM))
    body: list[Instruction] = [(_LOAD, 0, 0, _ARGUMENT_0)]
    for family in families:
        if family == AF_NETLINK:
            # Routing only (getifaddrs, getaddrinfo), which is protocol 0.
            body += [(_EQUAL, 0, 4, family), (_LOAD, 0, 0, _ARGUMENT_2), (_EQUAL, 0, 1, 0), (_RETURN, 0, 0, ALLOW)]
            body += [refuse]
        else:
            body += [(_EQUAL, 0, 1, family), (_RETURN, 0, 0, ALLOW)]
    body.append(refuse)
    return [(_EQUAL, 0, len(body), _SOCKET), *body]


def _error(number: int) -> int:
    return 0x00050000 | number
