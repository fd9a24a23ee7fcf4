"""The micro frontend's constants, computed as TensorFlow's `lite/experimental/microfrontend` and kissfft 1.3 do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import cos, floor, log, log2, pi
from typing import Any

import numpy as np

WINDOW_BITS = 12
WEIGHT_BITS = 12
SNR_BITS = 12
OUTPUT_BITS = 6
NOISE_BITS = 14
LOG_BITS = 16
SEGMENT_BITS = 7
INTERVALS = 32
LOG_ONE = 1 << LOG_BITS
LOG_COEFFICIENT = round(LOG_ONE * log(2.0))
INT16_MAX = 32767

LN2_HIGH, LN2_LOW = np.float32(6.9313812256e-01), np.float32(9.0580006145e-06)
LOG1P = (0.66666668653, 0.40000000596, 0.28571429849, 0.22222198546, 0.18183572590, 0.15313838422, 0.14798198640)
SQRT2, SQRT2_LESS_1 = (np.uint32(bits).view(np.float32) for bits in (0x3FB504F7, 0x3ED413D7))
"""Constants of fdlibm's float logarithm."""

SEGMENTS = 1 << SEGMENT_BITS
LOG_TABLE = tuple(round(LOG_ONE * (log2(1 + i / SEGMENTS) - i / SEGMENTS)) for i in range(SEGMENTS + 1))
"""What a straight line lacks to log2(1 + x) at each of 128 segments of x."""


@dataclass(frozen=True)
class Settings:
    """What the tables depend on; lengths in samples, limits in Hz."""

    rate: int
    window: int
    step: int
    channels: int
    lower: float
    upper: float
    smoothing_bits: int
    smoothing: tuple[float, float]
    remaining: float
    gain: bool
    strength: float
    offset: float
    gain_bits: int

    @property
    def fft(self) -> int:
        """The power of two that holds a window."""
        return 1 << (self.window - 1).bit_length()

    @property
    def correction_bits(self) -> int:
        """Bits that the transform's and the weights' scaling leave."""
        return self.fft.bit_length() - 1 - WEIGHT_BITS // 2

    @property
    def gain_shift(self) -> int:
        """Shift of the signal times its gain."""
        return self.gain_bits - self.correction_bits - SNR_BITS


@dataclass(frozen=True)
class Tables:
    """Integers that the computation works with.

    `window[n]`: Hann, 12 bits. `cosines[k]`: cos(2 pi k / fft), 15 bits. `start`: first bin; channel c takes the next
    `widths[c]` bins with `weights` and gives the rest (`unweights`) to the channel after it; channel 0 is only for what
    it gives. `smoothing`: of even and odd channels, and the part of the signal that always remains, 14 bits.
    `gains`: 125 numbers of the gain curve, empty without gain control.
    """

    window: tuple[int, ...]
    cosines: tuple[int, ...]
    start: int
    widths: tuple[int, ...]
    weights: tuple[int, ...]
    unweights: tuple[int, ...]
    smoothing: tuple[int, int]
    remaining: int
    gains: tuple[int, ...]


@cache
def tables(settings: Settings) -> Tables:
    """All constants of a setting."""
    start, widths, weights, unweights = _filterbank(settings)
    even, odd = (int(np.float32(x) * np.float32(1 << NOISE_BITS)) for x in settings.smoothing)
    return Tables(
        window=_window(settings.window),
        cosines=tuple(floor(0.5 + INT16_MAX * cos(2 * pi * k / settings.fft)) for k in range(settings.fft)),
        start=start,
        widths=widths,
        weights=weights,
        unweights=unweights,
        smoothing=(even, odd),
        remaining=int(np.float32(settings.remaining) * np.float32(1 << NOISE_BITS)),
        gains=_gains(settings) if settings.gain else (),
    )


def _window(size: int) -> tuple[int, ...]:
    """Hann at half steps; every operation in float32."""
    step = np.float32(pi * 2.0 / size)
    half, one = np.float32(0.5), np.float32(1 << WINDOW_BITS)
    values = [half - half * np.float32(cos(step * (np.float32(i) + half))) for i in range(size)]
    return tuple(floor(value * one + half) for value in values)


def _mel(hertz: Any) -> Any:
    """float32 mel of a float32 frequency, 1127 ln(1 + f / 700); every operation in float32."""
    return np.float32(1127.0) * log1pf(hertz / np.float32(700.0))


def log1pf(x: Any) -> Any:
    """float32 ln(1 + x) of x >= 0 by fdlibm's float method, every operation in float32.

    glibc before 2.41 and newlib have it; an exact logarithm, or that of this machine's C library, would move a few
    weights by one. 1 + x = 2^k (1 + f), f from sqrt(1/2) - 1 to sqrt(2) - 1; ln(1 + f) by a polynomial of f / (2 + f).
    """
    one, half, two = np.float32(1), np.float32(0.5), np.float32(2)
    k, f, lost = np.float32(0), x, np.float32(0)
    if x >= SQRT2_LESS_1:
        total = one + x
        fraction, exponent = np.frexp(total)
        k, f = np.float32(exponent - 1), fraction * two
        lost = (one - (total - x) if k > 0 else x - (total - one)) / total
        if f >= SQRT2:
            k, f = k + one, f * half
        f = f - one
    square = half * f * f
    s = f / (two + f)
    polynomial = np.float32(0)
    for coefficient in reversed(LOG1P):
        polynomial = s * s * (np.float32(coefficient) + polynomial)
    if k == 0:
        return f - (square - s * (square + polynomial))
    return k * LN2_HIGH - ((square - (s * (square + polynomial) + (k * LN2_LOW + lost))) - f)


def _filterbank(s: Settings) -> tuple[int, tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """First bin, bins of each channel (one more than asked for), and the two weights of each bin."""
    low = _mel(np.float32(s.lower))
    spacing = (_mel(np.float32(s.upper)) - low) / np.float32(s.channels + 1)
    centers = [low + spacing * np.float32(i + 1) for i in range(s.channels + 1)]
    hertz_per_bin = np.float32(0.5 * s.rate) / np.float32(s.fft // 2)
    start = bin_ = int(np.float32(1.5) + np.float32(s.lower) / hertz_per_bin)
    widths, weights, unweights = [], [], []
    for below, center in zip([low, *centers], centers, strict=False):
        first = bin_
        while (mel := _mel(np.float32(bin_) * hertz_per_bin)) <= center:
            weight = (center - mel) / (center - below)
            weights.append(_weight(weight))
            unweights.append(_weight(np.float32(1.0) - weight))
            bin_ += 1
        widths.append(bin_ - first)
    return start, tuple(widths), tuple(weights), tuple(unweights)


def _weight(value: Any) -> int:
    return int(np.floor(value * np.float32(1 << WEIGHT_BITS) + np.float32(0.5)))


def gain(s: Settings, x: int) -> float:
    """The gain of a noise estimate x before it is rounded: 2^gain_bits (x / 2^input_bits + offset)^-strength."""
    scaled = np.float32(x) / np.float32(1 << (s.smoothing_bits - s.correction_bits))
    power = float(scaled + np.float32(s.offset)) ** -float(np.float32(s.strength))
    return float(np.float32(power) * np.float32(1 << s.gain_bits))


def _gains(s: Settings) -> tuple[int, ...]:
    """Gains of 0 and 1, a gap, then for each power of two a parabola: its value, slope and curvature, and a gap."""

    def at(x: int) -> int:
        value = gain(s, x)
        return INT16_MAX if value > INT16_MAX else int(np.float32(value) + np.float32(0.5))

    table = [at(0), at(1)]
    for interval in range(2, INTERVALS + 1):
        first = 1 << (interval - 1)
        y0, y1 = at(first), at(first + (first >> 1))
        y2 = at(first + (first - 1 if interval == INTERVALS else first))
        slope = 4 * (y1 - y0) - (y2 - y0)
        table += [y0, _int16(slope), _int16(y2 - y0 - slope), 0]
    return tuple(table[:-1])


def _int16(value: int) -> int:
    return (value + 0x8000) % 0x10000 - 0x8000
