"""Seeded 16 kHz signals for the micro frontend, in integers only: the same on every machine and in every Python."""

from __future__ import annotations

from collections.abc import Callable

LENGTH = 16_000
Signal = list[int]


class Noise:
    """Linear congruential generator (Numerical Recipes)."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def below(self, limit: int) -> int:
        """An integer from 0 to limit - 1."""
        self.state = (1_664_525 * self.state + 1_013_904_223) % (1 << 32)
        return (self.state >> 8) * limit >> 24


def noise(amplitude: int, seed: int) -> Signal:
    """Uniform from -amplitude - 1 to amplitude."""
    source = Noise(seed)
    return [source.below(2 * amplitude + 2) - amplitude - 1 for _ in range(LENGTH)]


def chirp(amplitude: int) -> Signal:
    """A triangle whose frequency rises from 50 Hz to 7 kHz."""
    phase, values = 0, []
    for i in range(LENGTH):
        phase = (phase + 205 + i * 28_467 // LENGTH) % 65_536
        values.append((abs(phase - 32_768) - 16_384) * amplitude // 16_384)
    return values


def square(low: int, high: int, half: int) -> Signal:
    """`half` samples of each level in turn."""
    return [high if i // half % 2 else low for i in range(LENGTH)]


def bursts(seed: int) -> Signal:
    """Noise that is between 1 and 32768 loud, 20 ms each."""
    source = Noise(seed)
    values: Signal = []
    while len(values) < LENGTH:
        amplitude = 1 << source.below(16)
        values += [source.below(2 * amplitude) - amplitude for _ in range(320)]
    return values


def clicks() -> Signal:
    """The least value every 481 samples, silence between."""
    return [-32_768 if i % 481 == 0 else 0 for i in range(LENGTH)]


def onset() -> Signal:
    """Silence, then full noise."""
    loud = noise(32_767, 9)
    return [0 if i < 5_000 else value for i, value in enumerate(loud)]


SIGNALS: dict[str, Callable[[], Signal]] = {
    "silence": lambda: [0] * LENGTH,
    "least": lambda: [-32_768] * LENGTH,
    "greatest": lambda: [32_767] * LENGTH,
    **{f"noise-{a}": (lambda a=a: noise(a, a)) for a in (1, 10, 100, 1_000, 10_000, 32_767)},
    **{f"chirp-{a}": (lambda a=a: chirp(a)) for a in (3, 300, 30_000)},
    "square": lambda: square(-32_768, 32_767, 20),
    "slow-square": lambda: square(-9_000, 9_000, 1_600),
    "bursts-1": lambda: bursts(1),
    "bursts-2": lambda: bursts(2),
    "clicks": clicks,
    "onset": onset,
}
