"""Ops with many modes against onnxruntime, beyond what the node tests of the onnx package cover."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_importer_tools import assert_equal_to_onnxruntime, by_importer, by_onnxruntime, by_tflite, error, model_of

from packager.core.errors import ConvertError, ModelError, PlanError

pytestmark = pytest.mark.heavy
RNG = np.random.default_rng(7)


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(0, 1, shape).astype(np.float32)


def check(nodes, feeds, outputs=("y",), constants=None, opset=18, tolerance=1e-5):
    assert_equal_to_onnxruntime(model_of(nodes, feeds, list(outputs), constants, opset), feeds, tolerance)


COORDINATES = ["half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"]


@pytest.mark.parametrize("scales", [(2.0, 2.0), (0.6, 1.7), (3.0, 0.5)])
@pytest.mark.parametrize("coordinate", COORDINATES)
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_resize_by_scales(mode, coordinate, scales):
    feeds = {"x": normal(1, 3, 7, 10)}
    constants = {"s": np.array([1, 1, *scales], np.float32)}
    # Whole sizes where corners are aligned; no tie of float32 noise where places are symmetric.
    if scales == (0.6, 1.7) and coordinate in ("align_corners", "half_pixel_symmetric"):
        constants["s"][2:] = (2 / 7, 1.5) if coordinate == "align_corners" else (0.65, 1.7)
    nearest = itertools.product(
        ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"] if mode == "nearest" else [None]
    )
    for (rule,) in nearest:
        extra = {"nearest_mode": rule} if rule else {}
        node = helper.make_node(
            "Resize", ["x", "", "s"], ["y"], mode=mode, coordinate_transformation_mode=coordinate, **extra
        )
        check([node], feeds, constants=constants, opset=19)


@pytest.mark.parametrize("sizes", [(14, 20), (5, 13)])
@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize("antialias", [0, 1])
def test_resize_by_sizes(mode, sizes, antialias):
    node = helper.make_node("Resize", ["x", "", "", "s"], ["y"], mode=mode, antialias=antialias)
    check([node], {"x": normal(2, 3, 7, 10)}, constants={"s": np.array([2, 3, *sizes], np.int64)})


@pytest.mark.parametrize("opset", [9, 10])
def test_old_upsampling(opset):
    node = helper.make_node("Upsample" if opset == 9 else "Resize", ["x", "s"], ["y"], mode="linear")
    check([node], {"x": normal(1, 2, 5, 6)}, constants={"s": np.array([1, 1, 2, 2], np.float32)}, opset=opset)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "wrap"])
@pytest.mark.parametrize("pads", [(0, 0, 3, 2, 0, 0, 1, 4), (0, 0, -1, 3, 0, 0, 2, -2)])
def test_pad(mode, pads):
    node = helper.make_node("Pad", ["x", "p"], ["y"], mode=mode)
    check([node], {"x": normal(1, 2, 6, 7)}, constants={"p": np.array(pads, np.int64)}, opset=19)


@pytest.mark.parametrize("pads", [[0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 2, 1]])
@pytest.mark.parametrize("ceil", [0, 1])
@pytest.mark.parametrize("include", [0, 1])
@pytest.mark.parametrize("strides", [[2, 2], [3, 1]])
def test_average_pool(pads, ceil, include, strides):
    node = helper.make_node(
        "AveragePool",
        ["x"],
        ["y"],
        kernel_shape=[3, 3],
        pads=pads,
        strides=strides,
        ceil_mode=ceil,
        count_include_pad=include,
    )
    check([node], {"x": normal(2, 3, 10, 12)}, opset=19)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("ceil", [0, 1])
def test_max_pool(rank, dilation, ceil):
    node = helper.make_node(
        "MaxPool", ["x"], ["y"], kernel_shape=[3] * rank, pads=[1] * 2 * rank, strides=[2] * rank,
        dilations=[dilation] * rank, ceil_mode=ceil,
    )  # fmt: skip
    check([node], {"x": normal(2, 3, *(9, 10, 8)[:rank]) - 5}, opset=12)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize(
    ("strides", "dilation", "pad"), [((1, 1, 1), 1, 1), ((2, 2, 2), 1, 1), ((2, 1, 3), 2, 2), ((1, 1, 1), 2, 0)]
)
def test_conv(rank, groups, strides, dilation, pad):
    node = helper.make_node(
        "Conv",
        ["x", "w", "b"],
        ["y"],
        group=groups,
        strides=strides[:rank],
        dilations=[dilation] * rank,
        pads=[pad] * 2 * rank,
    )
    constants = {"w": normal(8, 4 // groups, *(3,) * rank), "b": normal(8)}
    check([node], {"x": normal(2, 4, *(9, 10, 8)[:rank])}, constants=constants)


@pytest.mark.parametrize("padding", ["SAME_UPPER", "SAME_LOWER", "VALID"])
def test_conv_auto_pad(padding):
    node = helper.make_node("Conv", ["x", "w"], ["y"], strides=[2, 2], auto_pad=padding)
    check([node], {"x": normal(1, 3, 9, 10)}, constants={"w": normal(5, 3, 4, 3)})


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(
    ("kernel", "stride", "pad", "extra"), [(2, 2, 0, 0), (4, 2, 1, 0), (3, 2, 1, 1), (3, 3, 0, 2), (3, 1, 2, 0)]
)
def test_conv_transpose(rank, groups, kernel, stride, pad, extra):
    node = helper.make_node(
        "ConvTranspose", ["x", "w", "b"], ["y"], group=groups, strides=[stride] * rank, pads=[pad] * 2 * rank,
        output_padding=[extra] * rank,
    )  # fmt: skip
    constants = {"w": normal(4, 6 // groups, *(kernel,) * rank), "b": normal(6)}
    check([node], {"x": normal(1, 4, *(5, 6, 4)[:rank])}, constants=constants)


@pytest.mark.parametrize("largest", [0, 1])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.int64])
def test_top_k(largest, axis, dtype):
    values = RNG.integers(-4, 4, (5, 6, 7)).astype(dtype)
    node = helper.make_node("TopK", ["x", "k"], ["y", "i"], axis=axis, largest=largest)
    check([node], {"x": values}, ["y", "i"], {"k": np.array([3], np.int64)})


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("opset", [11, 13])
@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax", "Hardmax"])
def test_softmax(op, axis, opset):
    check([helper.make_node(op, ["x"], ["y"], axis=axis)], {"x": normal(3, 4, 5)}, opset=opset)


@pytest.mark.parametrize("reduction", ["none", "add", "mul", "max", "min"])
def test_scatter(reduction):
    indices = np.array([[0, 2, 1], [3, -1, 2]], np.int64)
    feeds = {"x": normal(4, 5), "u": normal(2, 3)}
    node = helper.make_node("ScatterElements", ["x", "i", "u"], ["y"], axis=0, reduction=reduction)
    check([node], feeds, constants={"i": indices})
    pairs = np.array([[0, 2], [1, -1], [3, 0]], np.int64)
    node = helper.make_node("ScatterND", ["x", "i", "u"], ["y"], reduction=reduction)
    check([node], {"x": normal(4, 5), "u": normal(3)}, constants={"i": pairs})


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]),
        ("bhid,bhjd->bhij", [(2, 3, 4, 5), (2, 3, 6, 5)]),
        ("...ij,...jk->...ik", [(2, 3, 4), (2, 4, 5)]),
        ("ij,jk,kl", [(2, 3), (3, 4), (4, 5)]),
        ("i,j->ij", [(3,), (4,)]),
    ],
)
def test_einsum(equation, shapes):
    feeds = {f"x{number}": normal(*shape) for number, shape in enumerate(shapes)}
    check([helper.make_node("Einsum", list(feeds), ["y"], equation=equation)], feeds)


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("corners", [0, 1])
def test_grid_sample(mode, padding, corners):
    node = helper.make_node("GridSample", ["x", "g"], ["y"], mode=mode, padding_mode=padding, align_corners=corners)
    grid = RNG.uniform(-1.4, 1.4, (2, 4, 3, 2)).astype(np.float32)
    check([node], {"x": normal(2, 3, 6, 5), "g": grid}, opset=16)


def test_quantised_weights_and_activations_stay_float():
    """QDQ: weights are folded, activations are rounded without an integer tensor between."""
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
        helper.make_node("DequantizeLinear", ["xq", "xs", "xz"], ["xd"]),
        helper.make_node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=0),
        helper.make_node("Conv", ["xd", "wd"], ["y"], pads=[1, 1, 1, 1]),
    ]
    constants = {
        "xs": np.array(0.02, np.float32),
        "xz": np.array(120, np.uint8),
        "w": RNG.integers(-127, 127, (5, 3, 3, 3)).astype(np.int8),
        "ws": RNG.uniform(0.001, 0.01, 5).astype(np.float32),
        "wz": np.zeros(5, np.int8),
    }
    model, feeds = model_of(nodes, {"x": normal(1, 3, 8, 8)}, ["y"], constants), {"x": normal(1, 3, 8, 8)}
    got, ops, _ = by_tflite(model, feeds)
    assert error(got[0], by_onnxruntime(model, feeds)[0]) < 1e-5
    assert not ops["CAST"]
    assert not ops["DEQUANTIZE"]


@pytest.mark.parametrize("order", ["x-first", "half-last", "half-first"])
def test_gelu_spelt_with_erf_is_one_op(order):
    tail = {
        "x-first": [("Mul", ["x", "p"], "m"), ("Mul", ["m", "half"], "y")],
        "half-last": [("Mul", ["p", "half"], "m"), ("Mul", ["x", "m"], "y")],
        "half-first": [("Mul", ["x", "half"], "m"), ("Mul", ["m", "p"], "y")],
    }[order]
    chain = [("Div", ["x", "root"], "d"), ("Erf", ["d"], "e"), ("Add", ["e", "one"], "p"), *tail]
    nodes = [helper.make_node(op, inputs, [output]) for op, inputs, output in chain]
    constants = {n: np.array(v, np.float32) for n, v in (("root", 2**0.5), ("one", 1), ("half", 0.5))}
    feeds = {"x": np.linspace(-6, 6, 241, dtype=np.float32).reshape(1, -1)}
    model = model_of(nodes, feeds, ["y"], constants)
    got, ops, _ = by_tflite(model, feeds)
    assert ops == {"GELU": 1}
    assert error(got[0], by_onnxruntime(model, feeds)[0]) < 1e-5


@pytest.mark.parametrize(
    "op", ["Erf", "Tan", "Sinh", "Cosh", "Asinh", "Atan", "Softplus", "Mish", "Asin", "Acos", "Atanh", "Acosh"]
)
def test_functions_without_an_own_tflite_op(op):
    span = {"Tan": (-1.5, 1.5), "Asin": (-1, 1), "Acos": (-1, 1), "Atanh": (-0.99, 0.99), "Acosh": (1, 9)}.get(
        op, (-5, 5)
    )
    feeds = {"x": np.linspace(*span, 301, dtype=np.float32)}
    model = model_of([helper.make_node(op, ["x"], ["y"])], feeds, ["y"])
    got, _, _ = by_tflite(model, feeds)
    assert error(got[0], by_onnxruntime(model, feeds)[0]) < 2e-6


def test_if_with_a_constant_condition_takes_one_branch():
    def branch(name: str, op: str):
        value = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        return helper.make_graph([helper.make_node(op, ["x"], [name])], name, [], [value])

    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"]),
        helper.make_node("Equal", ["n", "two"], ["c"]),
        helper.make_node("If", ["c"], ["y"], then_branch=branch("a", "Abs"), else_branch=branch("b", "Neg")),
    ]
    constants = {"zero": np.array(0, np.int64), "two": np.array(2, np.int64)}
    for batch in (2, 3):
        feeds = {"x": normal(batch, 4)}
        got = by_importer(model_of(nodes, feeds, ["y"], constants), feeds)
        assert np.array_equal(got[0], np.abs(feeds["x"]) if batch == 2 else -feeds["x"])


def test_a_free_batch_keeps_the_other_sizes_fixed():
    """view(x.size(0), 4, -1) of a conv with a free batch: shape arithmetic leaves no dynamic tensor."""
    import tensorflow as tf

    from packager.importers.onnx import to_tf

    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("Shape", ["c"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"]),
        helper.make_node("Unsqueeze", ["n", "axis"], ["u"]),
        helper.make_node("Concat", ["u", "rest"], ["t"], axis=0),
        helper.make_node("Reshape", ["c", "t"], ["y"]),
    ]
    constants = {
        "w": normal(4, 3, 3, 3),
        "zero": np.array(0, np.int64),
        "axis": np.array([0], np.int64),
        "rest": np.array([2, 72], np.int64),
    }
    feeds = {"x": normal(5, 3, 8, 8)}
    model = model_of(nodes, feeds, ["y"], constants)
    function = to_tf(model, {"x": (None, 3, 8, 8)})
    assert function.outputs[0].shape.as_list() == [None, 2, 72]
    got = function(tf.constant(feeds["x"]))[0].numpy()
    assert error(got, by_onnxruntime(model, feeds)[0]) < 1e-5


def test_stft_as_matrix_products():
    feeds = {"x": normal(1, 400, 1)}
    constants = {
        "step": np.array(40, np.int64),
        "window": np.hanning(100).astype(np.float32),
        "length": np.array(100, np.int64),
    }
    model = model_of([helper.make_node("STFT", ["x", "step", "window", "length"], ["y"])], feeds, ["y"], constants)
    got, _, _ = by_tflite(model, feeds)
    assert error(got[0], by_onnxruntime(model, feeds)[0]) < 1e-5


def test_names_shapes_and_order_are_kept():
    from packager.importers.onnx import tensor_names, to_tf

    nodes = [helper.make_node("Neg", ["input.1"], ["z/out:0"]), helper.make_node("Abs", ["b"], ["a"])]
    feeds = {"input.1": normal(1, 2), "b": normal(3)}
    model = model_of(nodes, feeds, ["z/out:0", "a", "b"])
    function = to_tf(model, {"input.1": (4, 2)})
    names = tensor_names(model)
    assert [t.name for t in function.inputs] == [f"{name}:0" for name in names.inputs.values()]
    assert [t.name for t in function.outputs] == [f"{name}:0" for name in names.outputs.values()]
    assert names.inputs == {"input.1": "input.1", "b": "b"}
    assert names.outputs == {"z/out:0": "z_out_0", "a": "a", "b": "b_1"}
    assert [t.shape.as_list() for t in function.outputs] == [[4, 2], [3], [3]]


def test_resize_where_runtimes_disagree_is_refused():
    node = helper.make_node(
        "Resize", ["x", "", "s"], ["y"], mode="linear", coordinate_transformation_mode="align_corners"
    )
    feeds = {"x": normal(1, 1, 7, 7)}
    model = model_of([node], feeds, ["y"], {"s": np.array([1, 1, 0.6, 0.6], np.float32)})
    with pytest.raises(PlanError, match="no whole size"):
        by_importer(model, feeds)


def test_mistakes_are_told():
    from packager.importers.onnx import to_tf

    feeds = {"x": normal(1, 3)}
    model = model_of([helper.make_node("Neg", ["x"], ["y"])], feeds, ["y"])
    with pytest.raises(ModelError, match="no input of the model"):
        to_tf(model, {"z": (1, 3)})
    with pytest.raises(ModelError, match="has 3 axes"):
        to_tf(model, {"x": (1, 3, 3)})
    model.graph.node[0].input[0] = "nothing"
    with pytest.raises(ModelError, match="nothing computes"):
        to_tf(model)
    wrong = model_of([helper.make_node("MatMul", ["x", "w"], ["y"])], feeds, [], {"w": normal(4, 2)})
    wrong.graph.output.extend([helper.make_empty_tensor_value_info("y")])
    with pytest.raises(ConvertError, match="MatMul"):
        to_tf(wrong)
    dynamic = {"x": normal(2, 3), "k": np.array([1], np.int64)}
    with pytest.raises(PlanError, match="its input k must be a constant"):
        to_tf(model_of([helper.make_node("TopK", ["x", "k"], ["y", "i"])], dynamic, ["y", "i"]))
