"""Folders being emptied, whatever a run left in them."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path


def empty(folder: Path) -> None:
    """Delete everything in a folder, whatever modes its former user left, however deep; never follows a symlink."""
    try:
        _delete_below(folder)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        # Deeper than a path can say: these two go down with file descriptors.
        subprocess.run(["chmod", "-R", "u+rwx", "--", str(folder)], check=True, stdin=subprocess.DEVNULL)
        for entry in os.scandir(folder):
            subprocess.run(["rm", "-rf", "--", entry.path], check=True, stdin=subprocess.DEVNULL)


def _delete_below(folder: Path) -> None:
    emptied = [folder]
    waiting = [folder]
    # The standard library's own walk recurses, and a hostile tree is deeper than the stack.
    while waiting:
        current = waiting.pop()
        current.chmod(0o700)
        for entry in os.scandir(current):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))
                emptied.append(Path(entry.path))
            else:
                Path(entry.path).unlink()
    for place in reversed(emptied[1:]):
        place.rmdir()
