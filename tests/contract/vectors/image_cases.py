"""Group `image`: the rest of the image steps."""

from __future__ import annotations

from step_cases import Case


def image() -> list[Case]:
    """All cases, ids unique."""
    return []
