"""Metadata of the stamped files, read by independent readers; requirements against what a target runs on."""

from __future__ import annotations

import importlib.util
import json
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import pytest
from sources_tools import fetch
from test_sources_files import onnx_model, packed, tflite_model

from packager.core.errors import ConvertError
from packager.core.jsonable import to_json
from packager.importers import tflite_file as schema
from packager.importers.litert import Session
from packager.model.address import PackageFile
from packager.model.artifact import Artifact, Requirement
from packager.model.description import Description, InputDescription, OutputDescription, PixelInput
from packager.model.manifest import Manifest, Target
from packager.plan.versions import too_old
from packager.registry import Catalog
from packager.runtimes.onnx import requirements as onnx_requirements
from packager.runtimes.onnx import stamp as onnx_stamp
from packager.runtimes.tflite import metadata
from packager.runtimes.tflite import requirements as tflite_requirements
from packager.runtimes.tflite import stamp as tflite_stamp

# The classes that the schema's own compiler makes, as MediaPipe ships them: the official reader's first half.
READER = PackageFile(
    package="pypi:mediapipe==0.10.14",
    archive="mediapipe-0.10.14-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    file="mediapipe/tasks/metadata/metadata_schema_py_generated.py",
    sha256="bcd857b0f5af7d74ec948e882d4d8e31f4bdd41dece562110d1ffcbd8453bf50",
)
LABELS = ("Katze", "猫", "a, b", "dog")


def description(**changes: Any) -> dict[str, Any]:
    """A contract of one image and one classification, as JSON."""
    pixels = PixelInput(8, 4, "rgb", (127.5, 0.25, 3.0), (127.5, 2.0, 0.5), "nhwc", True)
    made = Description(
        name="cat-finder",
        version="1.2.3",
        license="Zlib",
        contract="c" * 64,
        inputs=(InputDescription("photo", "in", "image -> resize -> normalize", changes.get("pixels", pixels)),),
        outputs=(OutputDescription("verdict", ("out",), "labels", changes.get("labels", LABELS), True),),
    )
    return dict(to_json(made))


def request(about: dict[str, Any]) -> dict[str, Any]:
    mapping = {"inputs": {"in": "in"}, "outputs": {"out": "out"}}
    labels = {"verdict": list(about["outputs"][0]["labels"])}
    return {"contract": about["contract"], "labels": labels, "description": about, "mapping": mapping}


@pytest.fixture(scope="module")
def reader() -> ModuleType:
    spec = importlib.util.spec_from_file_location("metadata_schema_py_generated", fetch(READER))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stamped(folder: Path, about: dict[str, Any], name: str = "stamped") -> Path:
    (folder / name).mkdir()
    path = packed(folder, tflite_model())
    answer = tflite_stamp.stamp(request(about), {"model": path}, folder / name)
    assert answer["requires"] == [
        {"name": "TensorFlow Lite", "version": "2.16.0", "why": "no operator needs a newer one"}
    ]
    return folder / name / answer["path"]


def official(path: Path, reader: ModuleType) -> Any:
    """The metadata as the official reader gets it: the entry's buffer, its identifier, the generated classes."""
    model = schema.load(path)
    (entry,) = [entry for entry in model.metadata if entry.name == b"TFLITE_METADATA"]
    data = bytearray(bytes(model.buffers[entry.buffer].data))
    assert reader.ModelMetadata.ModelMetadataBufferHasIdentifier(data, 0)
    return reader.ModelMetadataT.InitFromObj(reader.ModelMetadata.GetRootAsModelMetadata(data, 0))


@pytest.mark.heavy
def test_tflite_metadata_is_read_by_the_schemas_own_classes(tmp_path: Path, reader: ModuleType) -> None:
    path = stamped(tmp_path, description())
    found = official(path, reader)
    assert (found.name, found.version, found.license) == (b"cat-finder", b"1.2.3", b"Zlib")
    assert found.minParserVersion == b"1.0.0"
    assert b"c" * 64 in found.description
    (graph,) = found.subgraphMetadata
    (photo,), (verdict,) = graph.inputTensorMetadata, graph.outputTensorMetadata
    assert photo.name == b"photo"
    assert photo.content.contentPropertiesType == reader.ContentProperties.ImageProperties
    image = photo.content.contentProperties
    assert (image.colorSpace, image.defaultSize.width, image.defaultSize.height) == (reader.ColorSpaceType.RGB, 8, 4)
    (unit,) = photo.processUnits
    assert unit.optionsType == reader.ProcessUnitOptions.NormalizationOptions
    np.testing.assert_array_equal(unit.options.mean, np.float32([127.5, 0.25, 3.0]))
    np.testing.assert_array_equal(unit.options.std, np.float32([127.5, 2.0, 0.5]))
    (labels,) = verdict.associatedFiles
    assert labels.type == reader.AssociatedFileType.TENSOR_AXIS_LABELS
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == [labels.name.decode()]
        assert archive.read(labels.name.decode()).decode().splitlines() == list(LABELS)


def test_a_stamped_file_still_runs_and_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    path, again = stamped(tmp_path, description()), stamped(tmp_path, description(), "again")
    assert path.read_bytes() == again.read_bytes()
    feeds = {"in": np.float32([[1, 2, 3, 4]])}
    plain = Session(packed(tmp_path, tflite_model()), "litert-builtin").run(feeds)
    np.testing.assert_array_equal(Session(path, "litert-builtin").run(feeds)["out"], plain["out"])


def test_a_second_stamp_replaces_the_first(tmp_path: Path) -> None:
    once = stamped(tmp_path, description(labels=("old", "older", "x", "y")))
    (tmp_path / "twice").mkdir()
    tflite_stamp.stamp(request(description()), {"model": once}, tmp_path / "twice")
    assert (tmp_path / "twice/model.tflite").read_bytes() == stamped(tmp_path, description(), "new").read_bytes()


@pytest.mark.heavy
def test_what_tflite_metadata_cannot_say_is_said(tmp_path: Path, reader: ModuleType) -> None:
    turned = PixelInput(8, 4, "bgr", (0.0,) * 3, (1.0,) * 3, "nchw", True)
    about = description(pixels=turned, labels=("two\nlines", "b", "c", "d"))
    notes = metadata.cannot(about)
    assert len(notes) == 2
    assert "channels last" in notes[0]
    assert "`verdict`" in notes[1]
    path = stamped(tmp_path, about)
    (graph,) = official(path, reader).subgraphMetadata
    assert graph.inputTensorMetadata[0].processUnits is None
    assert graph.outputTensorMetadata[0].associatedFiles is None
    assert not zipfile.is_zipfile(path)
    assert metadata.cannot(description()) == ()


def test_onnx_metadata(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(onnx_model().SerializeToString())
    pixels = PixelInput(8, 4, "bgr", (0.0,) * 3, (255.0,) * 3, "nchw", True)
    onnx_stamp.stamp(request(description(pixels=pixels)), {"model": path}, tmp_path)
    props = {entry.key: entry.value for entry in onnx.load(tmp_path / "model.onnx").metadata_props}
    assert props["packager.contract"] == "c" * 64
    assert json.loads(props["packager.labels"]) == {"verdict": list(LABELS)}
    assert json.loads(props["packager.pixels"])["in"]["std"] == [255.0] * 3
    assert props["model_license"] == "Zlib"
    assert props["Image.BitmapPixelFormat"] == "Bgr8"
    assert props["Image.NominalPixelRange"] == "Normalized_0_1"


def test_the_oldest_onnx_runtime_follows_from_opset_and_ir_version() -> None:
    model = onnx_model()
    for opset, ir_version, version in ((13, 8, "1.15.1"), (18, 10, "1.18.1"), (22, 8, "1.21.1"), (23, 11, "1.23.2")):
        model.opset_import[0].version, model.ir_version = opset, ir_version
        (needed,) = onnx_requirements.requirements(model)
        assert needed == {"name": "ONNX Runtime", "version": version, "why": f"opset {opset}, IR version {ir_version}"}
    model.opset_import[0].version = 999
    with pytest.raises(ConvertError, match="opset 999"):
        onnx_requirements.requirements(model)


def test_the_oldest_tflite_follows_from_operator_versions_and_from_the_converter() -> None:
    model = tflite_model()
    model.operatorCodes[0].version = 99
    name = schema.operator_name(model.operatorCodes[0])
    newest = max(tflite_requirements.NEWER.get(name, {0: "2.16.0"}).items())[1]
    assert tflite_requirements.requirements(model)[0]["version"] == newest
    model.operatorCodes[0].builtinCode = model.operatorCodes[0].deprecatedBuiltinCode = 9  # FULLY_CONNECTED
    model.operatorCodes[0].version = 12
    (needed,) = tflite_requirements.requirements(model)
    assert needed == {"name": "TensorFlow Lite", "version": "2.17.0", "why": "operator FULLY_CONNECTED version 12"}


@pytest.mark.heavy
def test_the_oldest_ios_follows_from_specification_version_and_opset() -> None:
    from coremltools.proto import Model_pb2

    from packager.runtimes.coreml.requirements import requirements

    spec = Model_pb2.Model(specificationVersion=7)
    spec.mlProgram.functions["main"].opset = "CoreML5"
    assert requirements(spec) == [{"name": "iOS", "version": "16.0", "why": "specification version 7"}]
    spec.mlProgram.functions["main"].opset = "CoreML8"
    assert requirements(spec) == [{"name": "iOS", "version": "18.0", "why": "opset CoreML8"}]
    spec.specificationVersion = 99
    with pytest.raises(ConvertError, match="specification version 99, whose oldest iOS is not known"):
        requirements(spec)


def test_the_installed_onnx_runtime_is_in_the_table() -> None:
    import onnxruntime

    versions = [tuple(map(int, row[0].split("."))) for row in onnx_requirements.VERSIONS]
    assert versions == sorted(versions)
    assert versions[-1] <= tuple(map(int, onnxruntime.__version__.split(".")[:3]))


def _judged(version: str, **options: str) -> list[Any]:
    target = Target(id="ios", runtime="coreml", precision=("float16",), options=options)
    manifest = Manifest.model_construct(file="manifest.yaml", positions={}, lines=(), targets=(target,))
    artifact = Artifact(
        "coreml", "float16", Path("m"), "m", "0", 1, (), (), requires=(Requirement("iOS", version, "opset CoreML8"),)
    )
    return too_old(manifest, target, Catalog().targets["ios"], artifact)


def test_a_file_that_is_too_new_for_its_target_is_a_finding() -> None:
    assert _judged("16.0", minimum_ios="16.0") == []
    assert _judged("18.0", minimum_ios="18.1") == []
    (finding,) = _judged("18.0", minimum_ios="16.4")
    assert "needs iOS 18.0 (opset CoreML8)" in finding.what
    assert "runs on iOS 16.4" in finding.what
    assert finding.hint == "set `minimum_ios: 18.0`, or choose another precision"


def test_every_target_says_what_it_runs_on() -> None:
    assert "mediapipe" not in sys.modules
    for spec in Catalog().targets.values():
        for form in spec.runs.values():
            assert form.format_map({name: option.default for name, option in spec.options.items()})
