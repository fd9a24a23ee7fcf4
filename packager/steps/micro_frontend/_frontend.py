"""The micro frontend's reference: windows of int16 samples to the logarithm of each channel, in integers."""

from __future__ import annotations

import numpy as np

from packager.steps._values import Array
from packager.steps.micro_frontend._tables import (
    LOG_BITS,
    LOG_COEFFICIENT,
    LOG_ONE,
    LOG_TABLE,
    NOISE_BITS,
    OUTPUT_BITS,
    SEGMENT_BITS,
    SNR_BITS,
    WINDOW_BITS,
    Settings,
    tables,
)


class Frontend:
    """A stream of samples to frames of features. Chunks of any size give the same frames as the whole at once.

    `scale_shift`: fraction bits of the logarithm; None for the features without it.
    """

    def __init__(self, settings: Settings, scale_shift: int | None) -> None:
        self.settings, self.tables, self.scale_shift = settings, tables(settings), scale_shift
        self._rest = np.zeros(0, np.int16)
        self._noise = np.zeros(settings.channels, np.uint64)

    def process(self, samples: Array) -> Array:
        """int16 [n] -> uint16 [frames, channels]: the frames that these samples complete."""
        s = self.settings
        self._rest = np.concatenate([self._rest, samples])
        frames = max(0, 1 + (self._rest.size - s.window) // s.step) if self._rest.size >= s.window else 0
        if frames == 0:
            return np.zeros((0, s.channels), np.uint16)
        windows = np.lib.stride_tricks.sliding_window_view(self._rest, s.window)[:: s.step][:frames]
        self._rest = self._rest[frames * s.step :]
        signal = self._energies(windows)
        for frame in signal:
            self._reduce(frame)
        if self.scale_shift is None:
            return np.minimum(signal, 0xFFFF).astype(np.uint16)
        return self._logarithms(signal, self.scale_shift)

    def _energies(self, windows: Array) -> Array:
        """int16 [frames, window] -> uint64 [frames, channels]: root of each channel's weighted energy."""
        t = self.tables
        shaped = (windows.astype(np.int32) * np.array(t.window, np.int32)) >> WINDOW_BITS
        # The least int16 has no positive twin: it never is the largest magnitude.
        largest = np.where(shaped == -32768, 0, np.abs(shaped)).max(axis=1)
        shift = (15 - bit_length(largest))[:, None]
        padded = np.zeros((len(windows), self.settings.fft), np.int32)
        padded[:, : self.settings.window] = _int16(shaped << shift)
        re, im = real_transform(padded, np.array(t.cosines, np.int32))
        energy = (re.astype(np.int64) ** 2 + im.astype(np.int64) ** 2)[:, t.start : t.start + len(t.weights)]
        given, kept = energy * np.array(t.unweights), energy * np.array(t.weights)
        ends = np.concatenate([[0], np.cumsum(t.widths)])
        zero = np.zeros((len(windows), 1), np.int64)
        kept, given = (np.concatenate([zero, np.cumsum(x, axis=1)], axis=1)[:, ends] for x in (kept, given))
        sums = np.diff(kept, axis=1)[:, 1:] + np.diff(given, axis=1)[:, :-1]
        return root(sums.astype(np.uint64)) >> shift.astype(np.uint64)

    def _reduce(self, signal: Array) -> None:
        """Noise reduction and gain control of one frame, in place: uint64 [channels] that holds uint32."""
        s, t, noise = self.settings, self.tables, self._noise
        smoothing = np.array([t.smoothing[c % 2] for c in range(s.channels)], np.uint64)
        bits, shift, one = np.uint64(s.smoothing_bits), np.uint64(NOISE_BITS), np.uint64(1 << NOISE_BITS)
        wide = _uint32(signal << bits)
        noise[:] = _uint32((wide * smoothing + noise * (one - smoothing)) >> shift)
        least = (signal * np.uint64(t.remaining)) >> shift
        signal[:] = np.maximum((wide - np.minimum(noise, wide)) >> bits, least)
        if t.gains:
            ratio = _uint32((signal * _gain(noise, np.array(t.gains))) >> np.uint64(s.gain_shift))
            low, high = np.uint64(2 + 2 * SNR_BITS - OUTPUT_BITS), np.uint64(SNR_BITS - OUTPUT_BITS)
            shrunk = _uint32((ratio >> high) - np.uint64(1 << OUTPUT_BITS))
            signal[:] = np.where(ratio < 2 << SNR_BITS, (ratio * ratio) >> low, shrunk)

    def _logarithms(self, signal: Array, scale_shift: int) -> Array:
        """uint64 that holds uint32 -> uint16: natural logarithm with `scale_shift` bits, by line and table."""
        bits = self.settings.correction_bits
        value = _uint32(signal << np.uint64(bits) if bits >= 0 else signal >> np.uint64(-bits)).astype(np.int64)
        whole = bit_length(value) - 1
        part = value - (1 << np.maximum(whole, 0))
        part = np.where(
            whole < LOG_BITS, part << np.maximum(LOG_BITS - whole, 0), part >> np.maximum(whole - LOG_BITS, 0)
        )
        table = np.array(LOG_TABLE, np.int64)
        segment = np.clip(part >> (LOG_BITS - SEGMENT_BITS), 0, len(LOG_TABLE) - 2)
        beyond = part - (segment << (LOG_BITS - SEGMENT_BITS))
        part = part + table[segment] + (((table[segment + 1] - table[segment]) * beyond) >> LOG_BITS)
        half = LOG_ONE // 2
        natural = (LOG_COEFFICIENT * ((whole << LOG_BITS) + part) + half) >> LOG_BITS
        scaled = ((natural << scale_shift) + half) >> LOG_BITS
        return np.where(value > 1, np.minimum(scaled, 0xFFFF), 0).astype(np.uint16)


def real_transform(values: Array, cosines: Array) -> tuple[Array, Array]:
    """int16 [frames, n] -> real and imaginary int16 [frames, n / 2 + 1] (held in int32): kissfft's `kiss_fftr`."""
    n = values.shape[1]
    half, quarter = n // 2, n // 4
    re, im = transform(values[:, 0::2], values[:, 1::2], cosines)
    k = np.arange(1, quarter + 1)
    a_re, a_im = _divide(re[:, k], 2), _divide(im[:, k], 2)
    b_re, b_im = _divide(re[:, half - k], 2), _divide(_int16(-im[:, half - k]), 2)
    # exp(-i pi (k / half + 1 / 2)) is the turn k + n / 4 of n.
    t_re, t_im = _turn(_int16(a_re - b_re), _int16(a_im - b_im), (k + quarter) % n, cosines)
    s_re, s_im = _int16(a_re + b_re), _int16(a_im + b_im)
    out_re, out_im = np.zeros((2, len(values), half + 1), np.int32)
    first_re, first_im = _divide(re[:, 0], 2), _divide(im[:, 0], 2)
    out_re[:, 0], out_re[:, half] = _int16(first_re + first_im), _int16(first_re - first_im)
    out_re[:, k], out_im[:, k] = (s_re + t_re) >> 1, (s_im + t_im) >> 1
    out_re[:, half - k], out_im[:, half - k] = (s_re - t_re) >> 1, (t_im - s_im) >> 1
    return out_re, out_im


def transform(re: Array, im: Array, cosines: Array) -> tuple[Array, Array]:
    """Complex int16 [frames, n] (held in int32), divided by n: kissfft's radix 4, and 2 where n is no power of 4."""
    size = re.shape[1]
    if size == 1:
        return re, im
    radix = 4 if size % 4 == 0 else 2
    parts = [transform(re[:, q::radix], im[:, q::radix], cosines) for q in range(radix)]
    turn = np.arange(size // radix) * (len(cosines) // size)
    turned = [(_divide(x, radix), _divide(y, radix)) for x, y in parts]
    turned[1:] = [_turn(x, y, turn * q, cosines) for q, (x, y) in enumerate(turned) if q > 0]
    return _butterfly4(turned) if radix == 4 else _butterfly2(turned)


def _butterfly2(parts: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    (a, b), (c, d) = parts
    return _int16(np.concatenate([a + c, a - c], axis=1)), _int16(np.concatenate([b + d, b - d], axis=1))


def _butterfly4(parts: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    (re0, im0), (re1, im1), (re2, im2), (re3, im3) = parts
    plus_re, plus_im, minus_re, minus_im = re1 + re3, im1 + im3, re1 - re3, im1 - im3
    even_re, even_im, odd_re, odd_im = re0 + re2, im0 + im2, re0 - re2, im0 - im2
    real = [even_re + plus_re, odd_re + minus_im, even_re - plus_re, odd_re - minus_im]
    imaginary = [even_im + plus_im, odd_im - minus_re, even_im - plus_im, odd_im + minus_re]
    return _int16(np.concatenate(real, axis=1)), _int16(np.concatenate(imaginary, axis=1))


def _divide(values: Array, by: int) -> Array:
    return (values * (32767 // by) + (1 << 14)) >> 15


def _turn(re: Array, im: Array, turn: Array, cosines: Array) -> tuple[Array, Array]:
    """Times exp(-2 pi i turn / n), 15 bits, rounded."""
    n = len(cosines)
    cosine, sine = cosines[turn % n].astype(np.int64), cosines[(turn + n // 4) % n].astype(np.int64)
    real, imaginary = re * cosine - im * sine, re * sine + im * cosine
    return _int16((real + (1 << 14)) >> 15), _int16((imaginary + (1 << 14)) >> 15)


def root(values: Array) -> Array:
    """uint64 -> uint64: the square root, rounded to the nearest, but never above 16 bits for a 32-bit value."""
    found = np.sqrt(values.astype(np.float64)).astype(np.uint64)
    found -= found * found > values
    found += (found + np.uint64(1)) * (found + np.uint64(1)) <= values
    most = np.where(values >> np.uint64(32) == 0, np.uint64(0xFFFF), np.uint64(0xFFFFFFFF))
    result: Array = found + ((values - found * found > found) & (found != most))
    return result


def _gain(noise: Array, table: Array) -> Array:
    """uint64 that holds uint32 -> uint64: the gain curve."""
    x = noise.astype(np.int64)
    interval = bit_length(x)
    at = np.where(x <= 2, 0, 4 * interval - 6)
    part = np.where(interval < 11, x << np.maximum(11 - interval, 0), x >> np.maximum(interval - 11, 0)) & 0x3FF
    curve = ((table[at + 2] * part) >> 5) + (table[at + 1] << 5)
    curve = ((curve * part + (1 << 14)) >> 15) + table[at]
    return _uint32(_int16(np.where(x <= 2, table[np.minimum(x, 2)], curve)).astype(np.uint64))


def bit_length(values: Array) -> Array:
    """Number of bits of each integer below 2^53."""
    return np.frexp(values.astype(np.float64))[1].astype(values.dtype)


def _uint32(values: Array) -> Array:
    return values & np.uint64(0xFFFFFFFF)


def _int16(values: Array) -> Array:
    """The low 16 bits with their sign."""
    return ((values + 0x8000) & 0xFFFF) - 0x8000
