"""Where the cache and the logs live: never in the user's project."""

from __future__ import annotations

import os
from pathlib import Path


def cache_root() -> Path:
    """Return `$XDG_CACHE_HOME/packager`, or `~/.cache/packager`. The folder may not exist yet."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path is invalid and to be ignored.
    base = Path(named) if named and Path(named).is_absolute() else Path.home() / ".cache"
    return base / "packager"


def log_root() -> Path:
    """Return the folder of job logs, beneath the cache. The folder may not exist yet."""
    return cache_root() / "logs"
