"""A clock for the scripts that run under a library's own Python: the standard library alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def best(work: Callable[[], Any], runs: int) -> float:
    """Milliseconds of the fastest run, in this thread's processor time."""
    times = []
    for _ in range(runs):
        started = time.thread_time()
        work()
        times.append(time.thread_time() - started)
    return 1000 * min(times)
