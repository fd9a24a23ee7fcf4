"""Seeded contents of files: noise with white space at its ends, of lengths around the sizes that magika looks at."""

from __future__ import annotations

from micro_signals import Noise

SPACE = b" \t\n\v\f\r"
SIZES = (1, 5, 100, 1_023, 1_024, 1_025, 2_047, 2_048, 2_049, 4_095, 4_096, 4_097, 5_000, 9_000)
PADDING = (0, 1, 5, 1_000, 4_090, 4_096, 5_000)


def contents(count: int = 200) -> list[bytes]:
    """The first is empty."""
    source, made = Noise(7), [b""]
    while len(made) < count:
        size = SIZES[source.below(len(SIZES))]
        body = bytearray(source.below(256) for _ in range(size))
        before, after = (min(size, PADDING[source.below(len(PADDING))]) for _ in range(2))
        body[:before] = bytes(SPACE[source.below(len(SPACE))] for _ in range(before))
        body[size - after :] = bytes(SPACE[source.below(len(SPACE))] for _ in range(after))
        made.append(bytes(body))
    return made
