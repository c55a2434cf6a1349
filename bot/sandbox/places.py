"""What of the machine is visible inside: the system's programs and libraries, a little of /etc, the interpreter."""

from __future__ import annotations

import sys
from pathlib import Path

SYSTEM: tuple[str, ...] = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
_NAMES = "alternatives debian_version gai.conf group host.conf hosts java-11-openjdk java-17-openjdk java-21-openjdk"
_NAMES += " ld.so.cache ld.so.conf ld.so.conf.d ld-musl-x86_64.path locale.alias localtime lsb-release magic mime.types"
_NAMES += " networks nsswitch.conf os-release passwd protocols resolv.conf services shells terminfo timezone xml"
_NAMES += " ca-certificates ca-certificates.conf ssl/certs ssl/openssl.cnf ssl/cert.pem pki/ca-trust pki/tls/certs"
_NAMES += " pki/tls/cert.pem pki/tls/openssl.cnf crypto-policies fonts"
SETTINGS: tuple[str, ...] = tuple(f"/etc/{name}" for name in _NAMES.split())
"""What programs need to find names, users, libraries, the time zone and certificates; no keys, no credentials."""


def interpreter() -> str:
    """The Python that the worker runs on: the one below our virtual environment, which starts faster."""
    return str(getattr(sys, "_base_executable", "") or sys.executable)


def interpreter_folders() -> tuple[Path, ...]:
    """Where our interpreter and its libraries are, as far as the system folders do not hold them already.

    Only the environment's own folder, never what lies beside it, where projects keep their `.env`.
    """
    wanted = {Path(prefix) for prefix in (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)}
    wanted.add(Path(interpreter()).resolve().parent.parent)
    found = []
    for folder in sorted(wanted):
        if any(folder == Path(top) or Path(top) in folder.parents for top in SYSTEM):
            continue
        if folder in {Path("/"), Path.home(), *Path.home().parents}:
            continue
        found.append(folder)
    return tuple(found)
