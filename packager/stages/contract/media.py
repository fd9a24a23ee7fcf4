"""Files of audio, measurements, camera frames and plain bytes."""

from __future__ import annotations

import csv
import re
import wave
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packager.model.contract import AudioType, BytesType, Frame, FrameType, SeriesType
from packager.stages.contract.refusal import DecodeError


def audio(path: Path, kind: AudioType) -> NDArray[np.int16]:
    """int16 [frames, channels] of a WAV file; rate, channels and sample width must be the stated ones."""
    try:
        with wave.open(str(path), "rb") as opened:
            found = (opened.getframerate(), opened.getnchannels(), opened.getsampwidth() * 8)
            count = opened.getnframes()
            _refuse_longer(path, count, kind.max_frames, "frames")
            data = opened.readframes(count)
    except (OSError, EOFError, wave.Error) as fault:
        hint = "16-bit PCM in a WAV file: ffmpeg -i FILE -c:a pcm_s16le FILE.wav"
        raise DecodeError(f"{path.name} cannot be read as a WAV file: {fault}", hint) from fault
    if found != (kind.rate, kind.channels, 16):
        has = f"{found[0]} Hz, {found[1]} channel(s), {found[2]} bits"
        options = f"-ar {kind.rate} -ac {kind.channels} -c:a pcm_s16le"
        hint = f"convert it: ffmpeg -i {path.name} {options} NEW.wav, or add a step that resamples"
        raise DecodeError(f"{path.name} has {has}, the input accepts {kind}", hint)
    samples = np.frombuffer(data[: len(data) // (2 * kind.channels) * 2 * kind.channels], "<i2").astype(np.int16)
    _refuse_empty(path, samples.size)
    return samples.reshape(-1, kind.channels)


def series(path: Path, kind: SeriesType) -> NDArray[np.float32]:
    """float32 [length, channels] of a `.npy` file, or of a `.csv` file with an optional line of headings."""
    rows = _npy(path) if path.suffix.lower() == ".npy" else _csv(path)
    if rows.ndim == 1 and kind.channels == 1:
        rows = rows.reshape(-1, 1)
    if rows.ndim != 2 or rows.shape[1] != kind.channels or rows.dtype.kind not in "fiu":
        shape = "x".join(map(str, rows.shape))
        raise DecodeError(f"{path.name} holds {rows.dtype.name} {shape}, the input accepts {kind}")
    _refuse_empty(path, rows.size)
    _refuse_longer(path, len(rows), kind.max_length, "rows")
    numbers = np.ascontiguousarray(rows.astype(np.float32))
    if not np.isfinite(numbers).all():
        raise DecodeError(f"{path.name} holds a number that is not finite")
    return numbers


def _npy(path: Path) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as fault:
        raise DecodeError(f"{path.name} is not a .npy file: {fault}", "save the array with numpy.save") from fault
    return array


def _csv(path: Path) -> NDArray[np.float64]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise DecodeError(f"{path.name} cannot be read as CSV: {fault}", "UTF-8 text, numbers and commas") from fault
    first = 1 if rows and not _numbers(rows[0]) else 0
    for number, row in enumerate(rows[first:], first + 1):
        if not _numbers(row) or len(row) != len(rows[first]):
            raise DecodeError(f"{path.name}: row {number} is not {len(rows[first])} numbers")
    return np.array([[float(cell) for cell in row] for row in rows[first:]], np.float64)


def _numbers(row: list[str]) -> bool:
    try:
        return all(float(cell) is not None for cell in row)
    except ValueError:
        return False


def content(path: Path, kind: BytesType) -> NDArray[np.uint8]:
    """uint8 [n]: the file as it is."""
    try:
        size = path.stat().st_size
        _refuse_longer(path, size, kind.max_bytes, "bytes")
        data = np.fromfile(path, np.uint8)
    except OSError as fault:
        raise DecodeError(f"{path.name} cannot be read: {fault}") from fault
    _refuse_empty(path, data.size)
    return data


Y4M = re.compile(rb"YUV4MPEG2((?: [^ \n]+)*)\n")
FRAME_HINT = "a .y4m file (ffmpeg -i FILE -pix_fmt yuv420p -frames:v 1 FILE.y4m) or a .npz file with y, u and v"


def frame(path: Path, kind: FrameType) -> Frame:
    """The first frame of a YUV4MPEG2 file (4:2:0, 8 bits), or the arrays y, u and v of a `.npz` file."""
    try:
        found = _npz_frame(path) if path.suffix.lower() == ".npz" else _y4m_frame(path.read_bytes())
    except (OSError, ValueError, KeyError, EOFError) as fault:
        raise DecodeError(f"{path.name} cannot be read as a YUV 4:2:0 frame: {fault}", FRAME_HINT) from fault
    if found.y.size > kind.max_pixels:
        what = f"{path.name} has {found.y.shape[1]}x{found.y.shape[0]} pixels"
        raise DecodeError(f"{what}, the input accepts {kind.max_pixels / 1e6:g} MP")
    return found


def _npz_frame(path: Path) -> Frame:
    with np.load(path, allow_pickle=False) as archive:
        y, u, v = (np.ascontiguousarray(archive[name]) for name in "yuv")
        turn = archive["rotation"] if "rotation" in archive.files else 0
    if np.any(turn):
        hint = "turn its planes, or state the turn as `rotation` of the `yuv` step, and leave it out of the file"
        what = f"{path.name} has a rotation of {np.asarray(turn).tolist()}, which a sample cannot have"
        raise DecodeError(what, hint)
    chroma = tuple((side + 1) // 2 for side in y.shape)
    if y.ndim != 2 or y.size == 0 or u.shape != chroma or v.shape != chroma:
        raise ValueError(f"planes of {y.shape}, {u.shape} and {v.shape}")
    if any(plane.dtype != np.uint8 for plane in (y, u, v)):
        raise ValueError("planes are not uint8")
    return Frame(y, u, v)


def _y4m_frame(data: bytes) -> Frame:
    header = Y4M.match(data)
    fields = {part[:1]: part[1:] for part in header[1].split()} if header else {}
    color = fields.get(b"C", b"420")
    if header is None or not color.startswith(b"420") or b"p1" in color:
        raise ValueError("no YUV4MPEG2 header with 8-bit 4:2:0")
    width, height = int(fields[b"W"]), int(fields[b"H"])
    start = data.index(b"\n", header.end()) + 1
    if width < 1 or height < 1 or not data[header.end() :].startswith(b"FRAME"):
        raise ValueError("no frame")
    across, down = (width + 1) // 2, (height + 1) // 2
    sizes = (width * height, across * down, across * down)
    planes = np.frombuffer(data, np.uint8, sum(sizes), start)
    y, u, v = np.split(planes, np.cumsum(sizes)[:2])
    return Frame(y.reshape(height, width), u.reshape(down, across), v.reshape(down, across))


def _refuse_longer(path: Path, count: int, limit: int, unit: str) -> None:
    if count > limit:
        raise DecodeError(f"{path.name} has {count} {unit}, the input accepts {limit}", "raise `max` or cut the file")


def _refuse_empty(path: Path, count: int) -> None:
    if count == 0:
        raise DecodeError(f"{path.name} is empty")
