"""Kinds of inputs and results: files to values, expectations, golden lines, and the gate's decisions."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kinds_tools import write_y4m

from packager.model.contract import (
    AudioType,
    Box,
    BytesType,
    Detection,
    Detections,
    Embedding,
    Frame,
    FrameType,
    Landmarks,
    Mask,
    Point,
    Point3,
    Result,
    SeriesType,
    Values,
)
from packager.model.golden import ArtifactGolden, GoldenRecord, Tolerance
from packager.model.manifest import Expect
from packager.stages.contract.decode import DecodeError, decode
from packager.stages.contract.expectations import overlap, unmet
from packager.stages.render.goldens import golden_files
from packager.stages.verify.figures import output_range

AUDIO = AudioType(8000, 2, 100)
FACE = Detection("face", 0.75, 0, Box(10, 20, 30, 40), (Point(11.5, -2.0),))
CAT = Detection("cat", 0.5, 1, Box(0, 0, 8, 8))
FOUND = Detections((FACE, CAT))


def sound(file: Path, frames: int, rate: int = 8000, channels: int = 2, width: int = 2) -> Path:
    with wave.open(str(file), "wb") as opened:
        opened.setparams((channels, width, rate, 0, "NONE", ""))
        opened.writeframes((bytes(range(256)) * 4)[: frames * channels * width])
    return file


def test_audio_is_frames_by_channels(tmp_path: Path) -> None:
    found = decode(sound(tmp_path / "a.wav", 5), AUDIO)
    assert isinstance(found, np.ndarray)
    assert (found.dtype, found.shape) == (np.int16, (5, 2))
    assert found[1].tolist() == [0x0504, 0x0706]


@pytest.mark.parametrize("form", [{"rate": 16000}, {"channels": 1}, {"width": 1}, {"frames": 101}, {"frames": 0}])
def test_audio_of_another_form_is_refused(form: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match=r"a\.wav"):
        decode(sound(tmp_path / "a.wav", **{"frames": 5, **form}), AUDIO)


@pytest.mark.parametrize("text", ["x,y\n1,2\n3,4.5\n", "1,2\r\n3,4.5\r\n"])
def test_series_of_csv(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text, "utf-8")
    found = decode(tmp_path / "a.csv", SeriesType(2, 10))
    assert isinstance(found, np.ndarray)
    assert (found.dtype, found.tolist()) == (np.float32, [[1, 2], [3, 4.5]])


@pytest.mark.parametrize("text", ["", "1,2\n3\n", "1,2\nx,y\n", "1,2,3\n", "1,nan\n", "1,2\n" * 11])
def test_other_series_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text, "utf-8")
    with pytest.raises(DecodeError, match=r"a\.csv"):
        decode(tmp_path / "a.csv", SeriesType(2, 10))


def test_series_of_npy(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(3))
    found = decode(tmp_path / "a.npy", SeriesType(1, 10))
    assert isinstance(found, np.ndarray)
    assert found.tolist() == [[0], [1], [2]]


def test_bytes_are_the_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\x00\xffa")
    found = decode(tmp_path / "a", BytesType(3))
    assert isinstance(found, np.ndarray)
    assert found.tolist() == [0, 255, 97]
    with pytest.raises(DecodeError, match="accepts 2"):
        decode(tmp_path / "a", BytesType(2))


def test_frames_of_y4m_and_npz_are_the_same(tmp_path: Path) -> None:
    write_y4m(tmp_path / "a.y4m", 5, 3, np.random.default_rng(1))
    first = decode(tmp_path / "a.y4m", FrameType(15))
    assert isinstance(first, Frame)
    assert (first.y.shape, first.u.shape, first.v.shape) == ((3, 5), (2, 3), (2, 3))
    data = (tmp_path / "a.y4m").read_bytes()
    assert data.endswith(first.y.tobytes() + first.u.tobytes() + first.v.tobytes())
    np.savez(tmp_path / "a.npz", y=first.y, u=first.u, v=first.v)
    second = decode(tmp_path / "a.npz", FrameType(15))
    assert isinstance(second, Frame)
    assert np.array_equal(first.y, second.y) and np.array_equal(first.v, second.v)
    with pytest.raises(DecodeError, match="5x3"):
        decode(tmp_path / "a.y4m", FrameType(14))


def test_a_frame_with_a_rotation_is_refused(tmp_path: Path) -> None:
    planes = {"y": np.zeros((2, 2), np.uint8), "u": np.zeros((1, 1), np.uint8), "v": np.zeros((1, 1), np.uint8)}
    np.savez(tmp_path / "a.npz", rotation=0, **planes)
    assert isinstance(decode(tmp_path / "a.npz", FrameType(15)), Frame)
    np.savez(tmp_path / "b.npz", rotation=90, **planes)
    with pytest.raises(DecodeError, match=r"b\.npz has a rotation of 90, which a sample cannot have"):
        decode(tmp_path / "b.npz", FrameType(15))


@pytest.mark.parametrize("header", ["C422", "C420p10", "C420jpeg XX"])
def test_broken_frames_are_refused(header: str, tmp_path: Path) -> None:
    (tmp_path / "a.y4m").write_bytes(f"YUV4MPEG2 W5 H3 {header}\nFRAME\n".encode() + bytes(20))
    with pytest.raises(DecodeError, match=r"a\.y4m"):
        decode(tmp_path / "a.y4m", FrameType(100))


@pytest.mark.parametrize(
    ("expect", "result", "holds"),
    [
        (Expect(label="face"), FOUND, True),
        (Expect(label="dog"), FOUND, False),
        (Expect(label="dog", count=(0, 0)), FOUND, True),
        (Expect(count=(2, 2)), FOUND, True),
        (Expect(label="cat", count=(2, 3)), FOUND, False),
        (Expect(label="cat", score=(0.5, 0.6)), FOUND, True),
        (Expect(score=(0.0, 0.6)), FOUND, False),
        (Expect(label="face", box=(10, 20, 30, 30)), FOUND, True),
        (Expect(label="face", box=(10, 20, 30, 30), overlap=0.51), FOUND, False),
        (Expect(score=(0.5, 1.0)), Landmarks(0.75, ()), True),
        (Expect(score=(0.8, 1.0)), Landmarks(0.75, ()), False),
        (Expect(values=(-1.0, 2.0)), Values((-1.0, 2.0), (2,)), True),
        (Expect(values=(-1.0, 1.9)), Values((-1.0, 2.0), (2,)), False),
    ],
)
def test_expectations(expect: Expect, result: Result, holds: bool) -> None:
    assert (unmet(expect, result) is None) == holds


def test_overlap_is_intersection_over_union() -> None:
    assert overlap(Box(0, 0, 4, 4), Box(2, 0, 6, 4)) == pytest.approx(1 / 3)
    assert overlap(Box(0, 0, 1, 1), Box(2, 2, 3, 3)) == 0
    assert overlap(Box(0, 0, 0, 0), Box(0, 0, 0, 0)) == 0


def golden_line(result: Result, pixels: float = 0.0) -> tuple[list[str], dict[str, bytes]]:
    record = GoldenRecord("s", "result", "r", Tolerance(0.5), result=result, pixels=pixels)
    files = {file.path: file.read() for file in golden_files(ArtifactGolden("a", "k", (record,)), "g")}
    return files["g/index.txt"].decode().rstrip("\n").split("\t"), files


def test_golden_line_of_detections() -> None:
    fields, _ = golden_line(FOUND, 1.5)
    assert fields[3:9] == ["detections", "2", "-", "0.5", "0.0", "1.5"]
    assert fields[9:19] == ["face", "0.75", "0", "10.0", "20.0", "30.0", "40.0", "1", "11.5", "-2.0"]
    assert fields[19:] == ["cat", "0.5", "1", "0.0", "0.0", "8.0", "8.0", "0"]


def test_golden_line_of_landmarks() -> None:
    fields, _ = golden_line(Landmarks(0.25, (Point3(1, 2, 3),)), 2.0)
    assert fields[3:] == ["landmarks", "1", "-", "0.5", "0.0", "2.0", "0.25", "1.0", "2.0", "3.0"]


@pytest.mark.parametrize(
    ("result", "shape", "data"),
    [
        (Mask(2, 3, bytes(range(6)), ("a",)), "3x2", bytes(range(6))),
        (Embedding((1.0, -2.0)), "2", np.array([1, -2], "<f4").tobytes()),
        (Values((0.5,), (1, 1), "kg"), "1x1", np.array([0.5], "<f4").tobytes()),
    ],
)
def test_golden_file_of_numbers(result: Result, shape: str, data: bytes) -> None:
    fields, files = golden_line(result)
    assert fields[3:] == [result.kind.lower(), shape, "s.result.r.bin", "0.5", "0.0"]
    assert files["g/s.result.r.bin"] == data


def test_golden_file_of_a_frame() -> None:
    planes: tuple[Any, ...] = tuple(np.full(shape, n, np.uint8) for n, shape in ((1, (2, 3)), (2, (1, 2)), (3, (1, 2))))
    record = GoldenRecord("s", "decode", "f", Tolerance(), Frame(*planes))
    files = {file.path: file.read() for file in golden_files(ArtifactGolden("a", "k", (record,)), "g")}
    assert b"\tyuv420\t2x3\t" in files["g/index.txt"]
    assert files["g/s.decode.f.bin"] == bytes([1] * 6 + [2] * 2 + [3] * 2)


def test_the_range_of_a_single_number_is_its_size() -> None:
    assert output_range([np.array([[-0.5]])]) == 0.5
    assert output_range([np.array([4.0, 5.0])]) == 1.0
