"""Loading of Core ML packages: broken and hostile ones, feeds, images, half precision, compressed weights."""

from __future__ import annotations

import json
import shutil
import struct

import numpy as np
import pytest
from mil_harness import Case, check, load, normal, ort, rng, save_program

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


DATA8 = rng(5).integers(-128, 128, (4, 3, 5), dtype=np.int8)
SCALE, ZERO = rng(6).uniform(0.01, 0.2, 3).astype(np.float32), rng(7).integers(-9, 9, 3, dtype=np.int8)


def _add_to_zero(x, constant):
    return _mb().add(x=x, y=constant)


def _packed(values, bits):
    flat = (values.reshape(-1, 1) >> np.arange(bits)) & 1
    return np.packbits(flat.astype(np.uint8), bitorder="little")


LUT_INDEX = rng(8).integers(0, 4, (4, 6)).astype(np.uint8)
LUT = np.array([-1.5, 0.25, 0.5, 3], np.float32)
SPARSE = np.where(rng(9).uniform(size=(3, 7)) > 0.6, normal(3, 7, seed=10), 0).astype(np.float32)


def _narrow(values, name):
    from coremltools.converters.mil.mil import types

    return values.astype(types.nptype_from_builtin(getattr(types, name)))


def _compressed(op, name, shape, build, expect, target):
    zeros = np.zeros(shape, np.float32)
    return Case(op, name, {"x": zeros}, lambda x: _mb().add(x=x, y=build()), expect, target)


GROUPS = normal(2, 1, 4, 1, seed=11)
VECTORS = normal(1, 1, 4, 3, seed=12)
BLOCK_SCALE, BLOCK_OFFSET = (
    rng(13).uniform(0.1, 1, (2, 3)).astype(np.float32),
    rng(14).integers(-8, 8, (2, 3)).astype(np.int8),
)
DATA4 = rng(15).integers(-8, 8, (4, 6)).astype(np.int8)


def _onnx_blocks():
    """ONNX's DequantizeLinear in blocks of 2 rows, after repeating the scale over its columns."""
    scale, zero = np.repeat(BLOCK_SCALE, 2, axis=1), np.repeat(BLOCK_OFFSET, 2, axis=1)
    return ort("DequantizeLinear", [DATA4, scale, zero], opset=21, axis=0, block_size=2)


CASES = [
    _compressed("constexpr_affine_dequantize", "axis", DATA8.shape,
                lambda: _mb().constexpr_affine_dequantize(quantized_data=DATA8, zero_point=ZERO, scale=SCALE, axis=1),
                lambda: ort("DequantizeLinear", [DATA8, SCALE, ZERO], axis=1), "iOS16"),
    _compressed("constexpr_affine_dequantize", "scalar", DATA8.shape,
                lambda: _mb().constexpr_affine_dequantize(quantized_data=DATA8, zero_point=np.int8(3), scale=np.float32(0.5), axis=0),
                lambda: ort("DequantizeLinear", [DATA8, np.array(0.5, np.float32), np.array(3, np.int8)]), "iOS16"),
    _compressed("constexpr_lut_to_dense", "packed", (4, 6),
                lambda: _mb().constexpr_lut_to_dense(indices=_packed(LUT_INDEX, 2), lut=LUT, shape=np.array([4, 6], np.uint32)),
                lambda: ort("Gather", [LUT, LUT_INDEX.astype(np.int64)]), "iOS16"),
    _compressed("constexpr_lut_to_dense", "groups", (4, 6),
                lambda: _mb().constexpr_lut_to_dense(indices=_narrow(LUT_INDEX, "uint2"), lut=GROUPS),
                lambda: np.concatenate([ort("Gather", [GROUPS[g, 0, :, 0], LUT_INDEX[2 * g : 2 * g + 2].astype(np.int64)]) for g in range(2)]), "iOS18"),
    *(_compressed("constexpr_lut_to_dense", f"vector-{axis}", shape,
                  lambda axis=axis: _mb().constexpr_lut_to_dense(indices=_narrow(LUT_INDEX, "uint2"), lut=VECTORS, vector_axis=axis),
                  lambda axis=axis, perm=perm, shape=shape: ort("Gather", [VECTORS[0, 0], LUT_INDEX.astype(np.int64)]).transpose(perm).reshape(shape), "iOS18")
      for axis, perm, shape in ((0, (0, 2, 1), (12, 6)), (1, (0, 1, 2), (4, 18)))),
    _compressed("constexpr_sparse_to_dense", "packed", SPARSE.shape,
                lambda: _mb().constexpr_sparse_to_dense(nonzero_data=SPARSE[SPARSE != 0], mask=np.packbits(SPARSE != 0, bitorder="little"), shape=np.array(SPARSE.shape, np.uint32)),
                lambda: SPARSE, "iOS16"),
    _compressed("constexpr_sparse_to_dense", "mask", SPARSE.shape,
                lambda: _mb().constexpr_sparse_to_dense(nonzero_data=SPARSE[SPARSE != 0], mask=_narrow(SPARSE != 0, "uint1")), lambda: SPARSE, "iOS18"),
    _compressed("constexpr_blockwise_shift_scale", "int4", DATA4.shape,
                lambda: _mb().constexpr_blockwise_shift_scale(data=_narrow(DATA4, "int4"), scale=BLOCK_SCALE, offset=_narrow(BLOCK_OFFSET, "int4")), _onnx_blocks, "iOS18"),
    _compressed("constexpr_blockwise_shift_scale", "int8-no-offset", DATA4.shape,
                lambda: _mb().constexpr_blockwise_shift_scale(data=DATA4, scale=np.float32([[0.25]])),
                lambda: ort("DequantizeLinear", [DATA4, np.array(0.25, np.float32)]), "iOS18"),
    _compressed("constexpr_cast", "half", (2, 8), lambda: _mb().constexpr_cast(source_val=normal(2, 8).astype(np.float16), output_dtype="fp32"),
                lambda: ort("Cast", [normal(2, 8).astype(np.float16)], to=1), "iOS16"),
    *(Case("quantize", dtype, {"x": normal(4, 3, 5, seed=20) * 9},
           lambda x, dtype=dtype, zero=zero: _mb().cast(x=_mb().quantize(input=x, scale=SCALE, zero_point=zero, output_dtype=dtype, axis=1), dtype="int32"),
           lambda zero=zero: ort("QuantizeLinear", [normal(4, 3, 5, seed=20) * 9, SCALE, zero], axis=1).astype(np.int32), "iOS17")
      for dtype, zero in (("int8", ZERO), ("uint8", np.abs(ZERO).astype(np.uint8)))),
    Case("dequantize", "axis", {"x": normal(4, 3, 5, seed=21) * 9},
         lambda x: _mb().dequantize(input=_mb().quantize(input=x, scale=SCALE, zero_point=ZERO, output_dtype="int8", axis=1), scale=SCALE, zero_point=ZERO, axis=1),
         lambda: ort("DequantizeLinear", [ort("QuantizeLinear", [normal(4, 3, 5, seed=21) * 9, SCALE, ZERO], axis=1), SCALE, ZERO], axis=1), "iOS17"),
    Case("dequantize", "scalar", {"x": normal(4, 3, seed=22)},
         lambda x: _mb().dequantize(input=_mb().quantize(input=x, scale=np.float32(0.1), output_dtype="int8"), scale=np.float32(0.1)),
         lambda: ort("DequantizeLinear", [ort("QuantizeLinear", [normal(4, 3, seed=22), np.array(0.1, np.float32), np.array(0, np.int8)]), np.array(0.1, np.float32)]), "iOS17"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_compressed_weights_agree_with_reference(case):
    check(case)


@pytest.mark.parametrize("name", ["int4", "uint1", "uint2", "uint3", "uint4", "uint6"])
def test_narrow_weights_are_read_back(name, tmp_path):
    """Elements narrower than a byte, from the spec and from a weight file of coremltools' own writer."""
    from coremltools.converters.mil.backend.mil.helper import create_tensor_value
    from coremltools.libmilstoragepython import _BlobStorageWriter
    from packager.runtimes.coreml.mil.blob import BlobFile
    from packager.runtimes.coreml.mil.values import constant

    bits = int(name.lstrip("uint"))
    low = -(1 << (bits - 1)) if name == "int4" else 0
    values = rng(bits).integers(low, low + (1 << bits), 11).astype(np.int8 if name == "int4" else np.uint8)
    got = constant(create_tensor_value(_narrow(values, name)), None, "c")
    np.testing.assert_array_equal(got, values)

    writer = _BlobStorageWriter(str(tmp_path / "weight.bin"))
    offset = getattr(writer, f"write_{name}_data")(values)
    del writer  # closes the file
    got = BlobFile.open(tmp_path / "weight.bin").read(offset, name, (11,))
    np.testing.assert_array_equal(got, values)
