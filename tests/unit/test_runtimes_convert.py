"""Real models through the real converters, run by the real runtimes, against their own frameworks."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sources_tools import CENTERFACE, MAGIKA, convert_and_run, distance, entry, fetch, silabs, write_feeds

from packager.core.errors import ModelError
from packager.core.hashing import content_hash
from packager.core.samples import Arrays, read_samples
from packager.registry import Catalog

pytestmark = pytest.mark.heavy

CATALOG = Catalog()
EVERY = [
    (name, precision) for name in ("tflite", "onnx", "coreml") for precision in CATALOG.runtimes[name].precisions()
]
LIMITS = {"float32": 1e-5, "float16": 1e-2, "int8": 0.1, "int8-dynamic": 0.1}


def photos(count: int) -> list[Arrays]:
    """Smooth pictures of 96 x 96 pixels, 0..255: gradients and discs."""
    rows, columns = np.mgrid[0:96, 0:96].astype(np.float32)
    made = []
    for index in range(count):
        disc = ((rows - 20 - 10 * index) ** 2 + (columns - 48) ** 2 < 400)[..., None] * np.float32([200, 120, 60])
        base = np.stack([rows * 2, columns * 2, np.full_like(rows, 30.0 * index)], -1)
        made.append({"input_1": np.clip(base * 0.5 + disc, 0, 255).astype(np.float32)[None]})
    return made


def reference(kind: str, model: Path, samples: list[Arrays], folder: Path, shapes: Any = None) -> list[Arrays]:
    """Outputs of the source in its own framework."""
    feeds = write_feeds(folder / "feeds", samples)
    source = CATALOG.sources[kind]
    entry(source.RUN)(request={"shapes": shapes or {}}, inputs={"model": model, "feeds": feeds}, out=folder / "got")
    return list(read_samples(folder / "got"))


@pytest.fixture(scope="module")
def detector() -> tuple[Path, Any]:
    """The person detector and its frozen function."""
    path = silabs("visual_wake_words.h5")
    return path, entry(CATALOG.sources["keras_h5"].OPEN)(request={}, inputs={"model": path})


@pytest.mark.parametrize(("runtime", "precision"), EVERY, ids="/".join)
def test_person_detector(tmp_path: Path, detector: tuple[Path, Any], runtime: str, precision: str) -> None:
    path, source = detector
    samples = photos(4)
    wanted = reference("keras_h5", path, samples, tmp_path / "source")
    assert len({float(sample["dense"][0, 0]) for sample in wanted}) == 4
    made, got = convert_and_run(CATALOG.runtimes[runtime], precision, tmp_path / "out", samples, source=source)
    assert [port["source"] for port in made["outputs"]] == ["dense"]
    assert list(got) == list(CATALOG.runtimes[runtime].kernel_sets(precision))
    for outputs in got.values():
        assert distance(wanted, outputs) < LIMITS[precision]
    integer = CATALOG.runtimes[runtime].quantized_interface(precision)
    assert (made["inputs"][0]["dtype"] == "int8") == integer
    assert (made["inputs"][0]["quantization"] is not None) == integer


@pytest.mark.parametrize("runtime", ["tflite", "onnx", "coreml"])
def test_stamp_keeps_every_number(tmp_path: Path, detector: tuple[Path, Any], runtime: str) -> None:
    module = CATALOG.runtimes[runtime]
    made, got = convert_and_run(module, "float32", tmp_path / "out", photos(2), source=detector[1])
    (tmp_path / "stamped").mkdir()
    request = {"contract": "c" * 64, "labels": {"dense": ["person", "keine Person"]}}
    stamped = entry(module.STAMP)(
        request=request, inputs={"model": tmp_path / "out" / made["path"]}, out=tmp_path / "stamped"
    )
    model = tmp_path / "stamped" / stamped["path"]
    read = importlib.import_module(module.STAMP.partition(":")[0]).read_stamp
    assert read(model)["packager.contract"] == "c" * 64
    assert "keine Person" in read(model)["packager.labels"]
    mapping = {end: {port["source"]: port["name"] for port in made[end]} for end in ("inputs", "outputs")}
    entry(module.RUN)(
        request={"kernel_sets": module.kernel_sets("float32"), "mapping": mapping},
        inputs={"model": model, "feeds": tmp_path / "out/feeds"},
        out=tmp_path / "again",
    )
    for name, outputs in got.items():
        for before, after in zip(outputs, read_samples(tmp_path / "again" / name), strict=True):
            np.testing.assert_array_equal(before["dense"], after["dense"])


SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from packager.core.hashing import content_hash
from packager.registry import Catalog
from sources_tools import entry
catalog, model, out, order = Catalog(), Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3].split()
source = entry(catalog.sources["keras_h5"].OPEN)(request={}, inputs={"model": model})
for name in order:
    runtime, precision = name.split("/")
    folder = out / name
    folder.mkdir(parents=True)
    inputs = {"calibration": Path(sys.argv[4])}
    request = {"precision": precision, "name": "m"}
    made = entry(catalog.runtimes[runtime].CONVERT)(request=request, inputs=inputs, out=folder, source=source)
    print("HASH", name, content_hash(folder / made["path"]))
"""


def hashes(tmp_path: Path, order: list[str], **environment: str) -> dict[str, str]:
    """Convert in a process of its own; hashes by runtime and precision."""
    feeds = write_feeds(tmp_path / "calibration", photos(2))
    command = [
        sys.executable,
        "-c",
        SCRIPT,
        str(silabs("visual_wake_words.h5")),
        str(tmp_path / "out"),
        " ".join(order),
    ]
    search = os.pathsep.join([str(Path(__file__).parents[2]), str(Path(__file__).parent)])
    done = subprocess.run(
        [*command, str(feeds)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": search, **environment},
    )
    rows = [(line.split()[1], line.split()[2]) for line in done.stdout.splitlines() if line.startswith("HASH ")]
    return dict(rows)


def test_equal_bytes_in_any_order_folder_time_zone_and_hash_seed(tmp_path: Path) -> None:
    order = ["tflite/float32", "tflite/int8", "onnx/float32", "onnx/int8", "coreml/float32", "coreml/int8"]
    one = hashes(tmp_path / "one", order, PYTHONHASHSEED="1", TZ="UTC")
    other = tmp_path / "a folder of another name" / "two"
    two = hashes(
        other,
        [
            *reversed(order),
        ],
        PYTHONHASHSEED="4711",
        TZ="Asia/Tokyo",
        LC_ALL="C.UTF-8",
    )
    assert sorted(one) == sorted(order)
    assert one == two


def test_nested_keras_2_model(tmp_path: Path) -> None:
    path = silabs("autoencoder_example.h5")
    source = entry(CATALOG.sources["keras_h5"].OPEN)(request={}, inputs={"model": path})
    samples = [{"input_1": np.random.default_rng(i).random((1, 140)).astype(np.float32)} for i in range(3)]
    wanted = reference("keras_h5", path, samples, tmp_path / "source")
    _, got = convert_and_run(CATALOG.runtimes["tflite"], "float32", tmp_path / "out", samples, source=source)
    assert distance(wanted, got["litert-builtin"]) < 1e-5


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fingerprint_signature_generator.siamese.h5", "layer 'lambda' is a Lambda"),
        ("keyword_spotting_alexa.h5", "custom class 'MultiScaleTemporalConvolution'"),
    ],
)
def test_real_files_that_are_refused(name: str, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        CATALOG.sources["keras_h5"].inspect(silabs(name), {})
    with pytest.raises(ModelError, match=words):
        entry(CATALOG.sources["keras_h5"].OPEN)(request={}, inputs={"model": silabs(name)})


@pytest.mark.parametrize("runtime", ["tflite", "onnx", "coreml"])
def test_file_type_detector_from_onnx(tmp_path: Path, runtime: str) -> None:
    """Integer input, and a reciprocal that coremltools alone gets wrong by 0.0001."""
    path = fetch(MAGIKA)
    samples = [{"bytes": np.random.default_rng(i).integers(0, 257, (1, 2048)).astype(np.int32)} for i in range(2)]
    info = CATALOG.sources["onnx"].inspect(path, {})
    assert info.facts["importer_refuses"] == []
    wanted = reference("onnx", path, samples, tmp_path / "source")
    module = CATALOG.runtimes[runtime]
    source = (
        None
        if module.takes_original(info, "float32")
        else entry(CATALOG.sources["onnx"].OPEN)(request={}, inputs={"model": path})
    )
    made, got = convert_and_run(
        module, "float32", tmp_path / "out", samples, source=source, model=None if source else path
    )
    assert made["inputs"][0]["source"] == "bytes"
    for outputs in got.values():
        assert distance(wanted, outputs) < 1e-5


def test_shapes_that_lie_are_overridden_in_every_format(tmp_path: Path) -> None:
    """Outputs with meaningless names, and an input name that Core ML does not allow."""
    path, shapes = fetch(CENTERFACE), {"input.1": [1, 3, 64, 96]}
    samples = [{"input.1": np.random.default_rng(i).random((1, 3, 64, 96)).astype(np.float32) * 255} for i in range(2)]
    wanted = reference("onnx", path, samples, tmp_path / "source", shapes)
    source = entry(CATALOG.sources["onnx"].OPEN)(request={"shapes": shapes}, inputs={"model": path})
    for runtime in ("tflite", "coreml"):
        made, got = convert_and_run(CATALOG.runtimes[runtime], "float32", tmp_path / runtime, samples, source=source)
        assert [port["source"] for port in made["outputs"]] == list(wanted[0])
        for outputs in got.values():
            assert distance(wanted, outputs) < 1e-4
    made = entry(CATALOG.runtimes["onnx"].CONVERT)(
        request={"precision": "float32", "shapes": shapes}, inputs={"model": path}, out=tmp_path
    )
    assert made["inputs"][0]["shape"] == [1, 3, 64, 96]
    assert made["outputs"][0]["shape"] == list(wanted[0][made["outputs"][0]["source"]].shape)


def test_authors_int8_file_is_copied_and_reaches_the_other_formats(tmp_path: Path) -> None:
    path = silabs("visual_wake_words.tflite")
    info = CATALOG.sources["tflite"].inspect(path, {})
    assert info.facts["precision"] == "int8"
    assert CATALOG.runtimes["tflite"].check(info, "float32") != ()
    name = info.inputs[0].name
    samples = [{name: sample["input_1"] - 128} for sample in photos(2)]
    wanted = reference("tflite", path, samples, tmp_path / "source")
    made, got = convert_and_run(CATALOG.runtimes["tflite"], "int8", tmp_path / "copy", samples, model=path)
    assert content_hash(tmp_path / "copy" / made["path"]) == content_hash(path)
    assert distance(wanted, got["litert-builtin"]) == 0
    _, got = convert_and_run(CATALOG.runtimes["onnx"], "int8", tmp_path / "onnx", samples, model=path)
    assert CATALOG.runtimes["onnx"].check(info, "float32") != ()
    assert distance(wanted, got["ort-cpu"]) < 0.1
    source = entry(CATALOG.sources["tflite"].OPEN)(request={}, inputs={"model": path})
    _, got = convert_and_run(CATALOG.runtimes["coreml"], "float32", tmp_path / "coreml", samples, source=source)
    assert distance(wanted, got["mil-eval"]) < 0.1


def test_core_ml_refuses_an_8_bit_interface() -> None:
    info = CATALOG.sources["tflite"].inspect(silabs("tflite_micro_speech.tflite"), {})
    assert any("is int8" in reason for reason in CATALOG.runtimes["coreml"].check(info, "float32"))
