"""Sparse weights made dense, and MediaPipe's transposed convolution as the built-in one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as fb

from packager.core.errors import ModelError
from packager.importers import tflite_builtin, tflite_file
from packager.importers.litert import Session as LiteRt
from packager.model.address import PackageFile
from packager.session import Session

SELFIE = PackageFile(
    package="npm:@mediapipe/selfie_segmentation==0.1.1675465747",
    file="package/selfie_segmentation.tflite",
    sha256="8d13b7fae74af625c641226813616a2117bd6bca19eb3b75574621fc08557f27",
)
POSE = PackageFile(
    package="pypi:mediapipe==0.10.14",
    archive="mediapipe-0.10.14-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    file="mediapipe/modules/pose_detection/pose_detection.tflite",
    sha256="9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
)


def level(size: int = 0, segments: list[int] | None = None, indices: list[int] | None = None) -> Any:
    """One level: dense of a size, or compressed."""
    if segments is None:
        return SimpleNamespace(format=0, denseSize=size, arraySegments=None, arrayIndices=None)
    parts = [SimpleNamespace(values=np.array(values)) for values in (segments, indices)]
    return SimpleNamespace(format=1, denseSize=0, arraySegments=parts[0], arrayIndices=parts[1])


def dense(values: list[float], shape: list[int], order: list[int], levels: list[Any], blocks: Any = None) -> np.ndarray:
    sparsity = SimpleNamespace(traversalOrder=order, blockMap=blocks, dimMetadata=levels)
    tensor = SimpleNamespace(sparsity=sparsity, shape=shape, type=fb.TensorType.FLOAT32, buffer=0, name=b"weights")
    data = np.array(values, np.float32).tobytes()
    return tflite_builtin.dense_values(SimpleNamespace(buffers=[SimpleNamespace(data=data)]), tensor)


def test_compressed_rows() -> None:
    got = dense([1, 2, 3], [3, 4], [0, 1], [level(3), level(0, [0, 1, 1, 3], [2, 0, 3])])
    assert np.array_equal(got, [[0, 0, 1, 0], [0, 0, 0, 0], [2, 0, 0, 3]])


def test_compressed_columns_come_first_in_their_own_order() -> None:
    got = dense([1, 2, 3], [2, 3], [1, 0], [level(3), level(0, [0, 1, 1, 3], [1, 0, 1])])
    assert np.array_equal(got, [[0, 0, 2], [1, 0, 3]])


def test_blocks_of_a_row() -> None:
    levels = [level(2), level(0, [0, 1, 2], [1, 0]), level(2)]
    got = dense([1, 2, 3, 4], [2, 4], [0, 1, 2], levels, blocks=[1])
    assert np.array_equal(got, [[0, 0, 1, 2], [3, 4, 0, 0]])


def test_what_is_not_sparse_is_refused() -> None:
    tensor = SimpleNamespace(sparsity=None, shape=[1], type=fb.TensorType.FLOAT32, buffer=0, name=b"weights")
    with pytest.raises(ModelError, match="'weights' is no sparse constant"):
        tflite_builtin.dense_values(SimpleNamespace(buffers=[]), tensor)


def rewritten(path: Path, folder: Path) -> tuple[Any, Path]:
    model = tflite_file.load(path)
    tflite_builtin.replace_known(model)
    tflite_builtin.densify(model)
    made = folder / "rewritten.tflite"
    made.write_bytes(tflite_file.pack(model))
    return model, made


@pytest.mark.heavy
@pytest.mark.parametrize(("address", "gone"), [(SELFIE, tflite_builtin.TRANSPOSE_CONV_BIAS), (POSE, "DENSIFY")])
def test_the_rewritten_file_answers_as_the_original(
    session: Session, tmp_path: Path, address: PackageFile, gone: str
) -> None:
    original = session.resolver(tmp_path).resolve(address, ModelError)
    assert gone in tflite_file.operators(tflite_file.load(original))
    model, made = rewritten(original, tmp_path)
    assert gone not in tflite_file.operators(model)
    reference = LiteRt(original, "litert-xnnpack")
    generator = np.random.default_rng(1)
    feeds = {n: generator.uniform(0, 1, d["shape"]).astype(np.float32) for n, d in reference.inputs.items()}
    expected = reference.run(feeds)
    for kernel_set, tolerance in (("litert-xnnpack", 0.0), ("litert-builtin", 1e-4)):
        got = LiteRt(made, kernel_set).run(feeds)
        for name, array in expected.items():
            assert np.abs(got[name] - array).max() <= tolerance * np.ptp(array)
