"""Looks at processes that tests have stopped."""

import time
from pathlib import Path


def gone(pid: int, seconds: float = 10) -> bool:
    """Whether a process ends within some seconds (a zombie has ended)."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False
