"""Loading of Core ML packages: broken and hostile ones, feeds, images, half precision, compressed weights."""

from __future__ import annotations

import json
import shutil
import struct

import numpy as np
import pytest
from mil_harness import load, normal, rng, save_program

pytestmark = pytest.mark.heavy

X = normal(1, 4, 6, 6, seed=1)
W = normal(8, 4, 3, 3, seed=2)
SPEC = "Data/com.apple.CoreML/model.mlmodel"
BLOB = "Data/com.apple.CoreML/weights/weight.bin"


def _mb():
    from coremltools.converters.mil import Builder

    return Builder


def _conv(x):
    return _mb().conv(x=x, weight=W)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return save_program(tmp_path_factory.mktemp("good"), {"x": X}, _conv, "iOS15")


@pytest.fixture
def package(good, tmp_path):
    return shutil.copytree(good, tmp_path / "model.mlpackage")


def _predict(path, feeds=None, **options):
    from packager.runtimes.coreml.mil import MilProgram

    return MilProgram.load(path).predict({"x": X} if feeds is None else feeds, **options)


def _edit(package, change):
    """Change the spec's message in place."""
    from coremltools.proto import Model_pb2

    spec = Model_pb2.Model()
    spec.ParseFromString((package / SPEC).read_bytes())
    change(spec)
    (package / SPEC).write_bytes(spec.SerializeToString())


def _operations(spec):
    (function,) = spec.mlProgram.functions.values()
    return function.block_specializations[function.opset].operations


def _weight(spec):
    return next(o for o in _operations(spec) if "val" in o.attributes and o.attributes["val"].HasField("blobFileValue"))


def test_describes_the_program(package):
    from packager.runtimes.coreml.mil import MilProgram, TensorSpec

    _edit(package, lambda spec: spec.description.metadata.userDefined.update({"contract": "abc"}))
    program = MilProgram.load(package)
    assert program.inputs == (TensorSpec("x", "float32", (1, 4, 6, 6)),)
    assert [(spec.dtype, spec.shape) for spec in program.outputs] == [("float32", (1, 8, 4, 4))]
    assert dict(program.op_types()) == {"conv": 1}
    assert program.unsupported() == []
    assert program.spec_version == 6
    assert program.metadata["contract"] == "abc"


def test_errors_are_model_errors():
    from packager.core.errors import ExitCode, ModelError
    from packager.runtimes.coreml.mil import BadFeed, BadProgram, UnsupportedOp

    for kind in (BadFeed, BadProgram, UnsupportedOp):
        assert issubclass(kind, ModelError)
        assert kind.exit_code == ExitCode.MODEL


def _no_manifest(p):
    (p / "Manifest.json").unlink()


def _manifest(**entry):
    def change(p):
        manifest = json.loads((p / "Manifest.json").read_text())
        manifest["itemInfoEntries"][manifest["rootModelIdentifier"]].update(entry)
        (p / "Manifest.json").write_text(json.dumps(manifest))

    return change


def _truncate(path, keep):
    return lambda p: (p / path).write_bytes((p / path).read_bytes()[:keep])


def _patch(offset, data):
    def change(p):
        raw = bytearray((p / BLOB).read_bytes())
        raw[offset : offset + len(data)] = data
        (p / BLOB).write_bytes(bytes(raw))

    return change


def _file_name(name):
    def set_name(spec):
        _weight(spec).attributes["val"].blobFileValue.fileName = name

    return lambda p: _edit(p, set_name)


def _link(p):
    """A link out of the package to a file that is a good weight file."""
    outside = p.parent / "outside.bin"
    shutil.move(p / BLOB, outside)
    (p / BLOB).symlink_to(outside)


def _neural_network(spec):
    spec.neuralNetwork.SetInParent()


def _no_const(spec):
    del _operations(spec)[0]


def _wrong_shape(spec):
    _weight(spec).attributes["val"].type.tensorType.dimensions[0].constant.size = 9


def _wrong_output(spec):
    _operations(spec)[-1].outputs[0].type.tensorType.dimensions[1].constant.size = 9


def _wrong_dtype(spec):
    _weight(spec).attributes["val"].type.tensorType.dataType = 10  # FLOAT16


def _far_offset(spec):
    _weight(spec).attributes["val"].blobFileValue.offset = 2**40


def _two_functions(spec):
    spec.mlProgram.functions["other"].CopyFrom(next(iter(spec.mlProgram.functions.values())))


def _missing_output(spec):
    (function,) = spec.mlProgram.functions.values()
    function.block_specializations[function.opset].outputs[0] = "nobody"


def _lacks_weight(spec):
    del _operations(spec)[-1].inputs["weight"]


BROKEN = {
    "no-manifest": (_no_manifest, "Manifest.json"),
    "manifest-is-no-json": (lambda p: (p / "Manifest.json").write_text("{"), "does not name a root model"),
    "manifest-is-a-list": (lambda p: (p / "Manifest.json").write_text("[]"), "does not name a root model"),
    "manifest-path-is-no-text": (_manifest(path=3), "does not name a root model"),
    "manifest-leaves-package": (_manifest(path="../../outside.mlmodel"), "outside itself"),
    "manifest-absolute": (_manifest(path="/etc/passwd"), "outside itself"),
    "no-spec": (lambda p: (p / SPEC).unlink(), "cannot be read"),
    "truncated-spec": (_truncate(SPEC, 300), "is broken|type none|functions|no op makes"),
    "empty-spec": (_truncate(SPEC, 0), "type none"),
    "neural-network": (lambda p: _edit(p, _neural_network), "neuralNetwork"),
    "no-weights": (lambda p: (p / BLOB).unlink(), "cannot be read"),
    "truncated-weights": (_truncate(BLOB, 500), "truncated"),
    "truncated-record": (_truncate(BLOB, 70), "ends before the record"),
    "empty-weights": (_truncate(BLOB, 0), "not a Core ML weight file"),
    "blob-version": (_patch(4, struct.pack("<I", 9)), "not a Core ML weight file"),
    "bad-magic": (_patch(64, b"\0\0\0\0"), "no weight record"),
    "record-size": (_patch(72, struct.pack("<Q", 8)), "8 bytes of data"),
    "record-offset": (_patch(80, struct.pack("<Q", 2**60)), "truncated"),
    "blob-leaves-package": (_file_name("@model_path/../../../outside.bin"), "outside itself"),
    "blob-absolute": (_file_name("/etc/passwd"), "names the file"),
    "blob-absolute-after-prefix": (_file_name("@model_path//etc/passwd"), "outside itself"),
    "blob-link": (_link, "through a link"),
    "blob-offset": (lambda p: _edit(p, _far_offset), "ends before the record"),
    "unknown-name": (lambda p: _edit(p, _no_const), "which no earlier op makes"),
    "weight-shape": (lambda p: _edit(p, _wrong_shape), "bytes of data"),
    "weight-dtype": (lambda p: _edit(p, _wrong_dtype), "holds float32"),
    "output-shape": (lambda p: _edit(p, _wrong_output), "the shape"),
    "two-functions": (lambda p: _edit(p, _two_functions), "functions"),
    "missing-output": (lambda p: _edit(p, _missing_output), "no op makes the output"),
    "lacks-parameter": (lambda p: _edit(p, _lacks_weight), "lacks"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_package_is_refused_in_words(package, name):
    from packager.runtimes.coreml.mil import BadProgram

    breaking, message = BROKEN[name]
    breaking(package)
    with pytest.raises(BadProgram, match=message):
        _predict(package)


def test_not_a_package(tmp_path):
    from packager.runtimes.coreml.mil import BadProgram

    with pytest.raises(BadProgram, match="is not a folder"):
        _predict(tmp_path / "none.mlpackage")


@pytest.mark.parametrize(
    ("feeds", "message"),
    [
        ({}, "is missing"),
        ({"x": X, "y": X}, "has no input"),
        ({"x": X[:, :3]}, "has shape"),
        ({"x": X.astype(np.int32)}, "has dtype int32"),
    ],
)
def test_wrong_feed_is_refused(good, feeds, message):
    from packager.runtimes.coreml.mil import BadFeed

    with pytest.raises(BadFeed, match=message):
        _predict(good, feeds)


def test_loop_is_refused_by_name():
    from packager.runtimes.coreml.mil import UnsupportedOp

    def build(x):
        mb = _mb()
        return mb.while_loop(
            _cond=lambda a: mb.less(x=mb.reduce_sum(x=a), y=9.0), _body=lambda a: mb.add(x=a, y=1.0), loop_vars=(x,)
        )

    x = {"x": np.zeros((1, 2), np.float32)}
    program = load(x, build)
    assert [kind for kind, _ in program.unsupported()] == ["while_loop"]
    assert {"while_loop", "less", "add"} <= set(program.op_types())
    with pytest.raises(UnsupportedOp) as caught:
        program.predict(x)
    assert caught.value.op_type == "while_loop"
    assert caught.value.output in str(caught.value)


def test_unknown_parameter_is_refused(package):
    from packager.runtimes.coreml.mil import MilProgram, UnsupportedOp

    def change(spec):
        conv = _operations(spec)[-1]
        conv.inputs["novelty"].CopyFrom(conv.inputs["x"])

    _edit(package, change)
    assert MilProgram.load(package).unsupported()[0][0] == "conv"
    with pytest.raises(UnsupportedOp, match="novelty"):
        _predict(package)


def _convert(tmp_path, build, feeds, **options):
    from packager.runtimes.coreml.mil import MilProgram

    return MilProgram.load(save_program(tmp_path, feeds, build, "iOS15", **options))


@pytest.mark.parametrize("color", ["RGB", "BGR"])
def test_image_input_with_scale_and_bias(tmp_path, color):
    """An image is fed as pixels; scale and bias stand in the program as ops."""
    import coremltools as ct

    x = np.zeros((1, 3, 5, 7), np.float32)
    image = ct.ImageType(
        "x", shape=x.shape, scale=2 / 255, bias=[-1, -0.5, 0.25], color_layout=getattr(ct.colorlayout, color)
    )
    program = _convert(
        tmp_path, lambda x: _mb().identity(x=x), {"x": x}, inputs=[image], pass_pipeline=ct.PassPipeline.DEFAULT
    )
    (spec,) = program.inputs
    assert (spec.dtype, spec.shape, spec.color) == ("image", (5, 7, 3), color)
    pixels = rng(3).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    (got,) = program.predict({"x": pixels}).values()
    want = pixels.transpose(2, 0, 1)[None] * (2 / 255) + np.reshape([-1, -0.5, 0.25], (1, 3, 1, 1))
    np.testing.assert_allclose(got, want, atol=1e-6)


def test_gray_image_input(tmp_path):
    import coremltools as ct

    from packager.runtimes.coreml.mil import BadFeed

    x = np.zeros((1, 1, 5, 7), np.float32)
    image = ct.ImageType("x", shape=x.shape, color_layout=ct.colorlayout.GRAYSCALE)
    program = _convert(tmp_path, lambda x: _mb().relu(x=x), {"x": x}, inputs=[image])
    pixels = rng(3).integers(0, 256, (5, 7, 1), dtype=np.uint8)
    (got,) = program.predict({"x": pixels}).values()
    np.testing.assert_array_equal(got, pixels[None, None, :, :, 0])
    with pytest.raises(BadFeed, match="has dtype float32"):
        program.predict({"x": pixels.astype(np.float32)})


def test_half_rounds_each_result(tmp_path):
    """Float16 results are those of float32 arithmetic, rounded after each op; without `half` they are not rounded."""
    import coremltools as ct

    def build(x):
        return _mb().add(x=_mb().mul(x=x, y=np.float32(1 / 3)), y=np.float32(1000))

    x = {"x": np.array([[1.0, 2.7, 1e-3]], np.float32)}
    program = _convert(
        tmp_path, build, x, compute_precision=ct.precision.FLOAT16, pass_pipeline=ct.PassPipeline.DEFAULT
    )
    third = np.float16(1 / 3).astype(np.float32)
    half = np.float16(np.float16(x["x"]).astype(np.float32) * third).astype(np.float32) + np.float32(1000)
    np.testing.assert_array_equal(
        next(iter(program.predict(x, half=True).values())), np.float16(half).astype(np.float32)
    )
    np.testing.assert_allclose(next(iter(program.predict(x).values())), x["x"] * third + 1000, rtol=1e-7)


def test_rounding_to_half_is_ieee():
    """Against numpy's own conversion: every float16, its neighbours in float32, and random bits."""
    from packager.runtimes.coreml.mil.rounding import round_to_half

    exact = np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float32).view(np.uint32)
    near = [exact + np.uint32(step) for step in (0, 1, 0xFFF, 0x1000, 0x1001, 0xFFFFFFFF)]
    bits = np.concatenate([*near, rng(1).integers(0, 2**32, 200_000, dtype=np.uint32)])
    with np.errstate(all="ignore"):
        values = bits.view(np.float32)
        got, want = round_to_half(values), values.astype(np.float16).astype(np.float32)
    number = ~np.isnan(want)
    np.testing.assert_array_equal(np.isnan(got), ~number)
    np.testing.assert_array_equal(got[number].view(np.uint32), want[number].view(np.uint32))
