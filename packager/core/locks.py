"""Advisory locks on files and folders; they vanish with the process that holds them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform != "win32":
    import fcntl


def open_for_lock(path: Path, *, create: bool = False) -> int:
    """Return a descriptor of a file or folder for `lock`; `os.close` it to unlock. Raises OSError."""
    return os.open(path, (os.O_RDWR | os.O_CREAT) if create else os.O_RDONLY, 0o644)


def lock(descriptor: int, *, exclusive: bool, wait: bool) -> bool:
    """Lock an open file or folder, or change the lock held by the descriptor.

    Returns False where another process holds it and `wait` is false. Where the system has no such locks it
    returns True and protects nothing.
    """
    if sys.platform == "win32":
        return True
    flags = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    try:
        fcntl.flock(descriptor, flags | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
