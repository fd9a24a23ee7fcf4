"""Whole networks through TFLite and Core ML: accuracy, names, and how many transposes are left."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper
from onnx_importer_tools import by_onnxruntime, by_tflite, error, model_of

pytestmark = pytest.mark.heavy


class Net:
    """Writes a network node by node, with weights of a fixed seed."""

    def __init__(self) -> None:
        self.nodes, self.constants = [], {}
        self.rng = np.random.default_rng(5)

    def weight(self, *shape: int, scale: float = 0.2) -> str:
        name = f"w{len(self.constants)}"
        self.constants[name] = self.rng.normal(0, scale, shape).astype(np.float32)
        return name

    def const(self, value, dtype=np.int64) -> str:
        name = f"w{len(self.constants)}"
        self.constants[name] = np.array(value, dtype)
        return name

    def add(self, op: str, *inputs: str, **attributes) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def conv(self, x: str, wide: int, out: int, size: int = 1, stride: int = 1, group: int = 1) -> str:
        weights = self.weight(out, wide // group, size, size, scale=(2 * group / (wide * size * size)) ** 0.5)
        pad = size // 2
        return self.add("Conv", x, weights, self.weight(out), group=group, strides=[stride] * 2, pads=[pad] * 4)

    def norm(self, x: str, wide: int) -> str:
        self.constants[f"v{len(self.nodes)}"] = self.rng.uniform(0.5, 2, wide).astype(np.float32)
        return self.add(
            "BatchNormalization",
            x,
            self.weight(wide, scale=1),
            self.weight(wide),
            self.weight(wide),
            f"v{len(self.nodes)}",
        )

    def relu6(self, x: str) -> str:
        return self.add("Clip", x, self.const(0, np.float32), self.const(6, np.float32))

    def squeeze_excite(self, x: str, wide: int) -> str:
        pooled = self.add("GlobalAveragePool", x)
        small = self.add("Relu", self.conv(pooled, wide, wide // 4))
        return self.add("Mul", x, self.add("HardSigmoid", self.conv(small, wide // 4, wide)))

    def block(self, x: str, wide: int, out: int, stride: int = 1, excite: bool = False) -> str:
        """Inverted residual: expand, depthwise, project."""
        y = self.relu6(self.norm(self.conv(x, wide, 4 * wide), 4 * wide))
        y = self.relu6(self.norm(self.conv(y, 4 * wide, 4 * wide, 3, stride, 4 * wide), 4 * wide))
        if excite:
            y = self.squeeze_excite(y, 4 * wide)
        y = self.norm(self.conv(y, 4 * wide, out), out)
        return self.add("Add", x, y) if stride == 1 and wide == out else y

    def model(self, feeds, outputs):
        return model_of(self.nodes, feeds, outputs, self.constants, opset=13)


def image(*shape: int) -> dict[str, np.ndarray]:
    return {"image": np.random.default_rng(3).uniform(-1, 1, shape).astype(np.float32)}


def classifier():
    """Like efficientnet-lite: stem, inverted residuals with and without squeeze-excite, pooled head."""
    net, feeds = Net(), image(1, 3, 64, 64)
    x = net.relu6(net.norm(net.conv("image", 3, 16, 3, 2), 16))
    for wide, out, stride, excite in ((16, 16, 1, False), (16, 24, 2, True), (24, 24, 1, True), (24, 40, 2, False)):
        x = net.block(x, wide, out, stride, excite)
    x = net.add("Flatten", net.add("GlobalAveragePool", x))
    net.add("Gemm", x, net.weight(10, 40), net.weight(10), transB=1)
    return net.model(feeds, [net.nodes[-1].output[0]]), feeds


def detector():
    """A feature pyramid by ConvTranspose and Resize, with SSD-like heads: Transpose and Reshape, concatenated."""
    net, feeds = Net(), image(1, 3, 64, 96)
    x = net.add("Relu", net.conv("image", 3, 16, 3, 2))
    low = net.block(x, 16, 24, 2)
    high = net.block(low, 24, 24, 2)
    up = net.add("ConvTranspose", high, net.weight(24, 24, 2, 2), strides=[2, 2])
    merged = net.add("Add", up, low)
    fine = net.add("Resize", merged, "", net.const([1, 1, 2, 2], np.float32), mode="nearest", nearest_mode="floor",
                   coordinate_transformation_mode="asymmetric")  # fmt: skip
    fine = net.add("Concat", fine, x, axis=1)
    boxes, scores = [], []
    for feature, wide in ((fine, 40), (merged, 24), (high, 24)):
        last = net.add("Transpose", net.conv(feature, wide, 8, 3), perm=[0, 2, 3, 1])
        boxes.append(net.add("Reshape", last, net.const([1, -1, 4])))
        flat = net.add("Reshape", net.conv(feature, wide, 6, 3), net.const([1, 6, -1]))
        scores.append(net.add("Sigmoid", net.add("Transpose", flat, perm=[0, 2, 1])))
    net.add("Concat", *boxes, axis=1)
    net.add("Concat", *scores, axis=1)
    return net.model(feeds, [node.output[0] for node in net.nodes[-2:]]), feeds


def heatmaps():
    """Like the face detector: outputs stay N, C, H, W, so each costs one transpose."""
    net, feeds = Net(), image(1, 3, 64, 64)
    x = net.add("Relu", net.conv("image", 3, 16, 3, 2))
    x = net.block(net.block(x, 16, 24, 2), 24, 24)
    ends = [net.add("Sigmoid", net.conv(x, 24, 2)), net.conv(x, 24, 3), net.add("Softmax", net.conv(x, 24, 5), axis=1)]
    return net.model(feeds, ends), feeds


def transformer():
    """Patches, one attention block with LayerNormalization and Gelu spelt with Erf, a pooled head."""
    net, feeds = Net(), image(1, 3, 32, 32)
    wide, heads, tokens = 32, 4, 16
    patches = net.add("Conv", "image", net.weight(wide, 3, 8, 8, scale=0.05), strides=[8, 8])
    x = net.add("Transpose", net.add("Reshape", patches, net.const([1, wide, tokens])), perm=[0, 2, 1])
    mean = net.add("ReduceMean", x, axes=[-1])
    centred = net.add("Sub", x, mean)
    variance = net.add("ReduceMean", net.add("Pow", centred, net.const(2, np.float32)), axes=[-1])
    deviation = net.add("Sqrt", net.add("Add", variance, net.const(1e-5, np.float32)))
    normal = net.add("Add", net.add("Mul", net.add("Div", centred, deviation), net.weight(wide)), net.weight(wide))
    shape = net.const([1, tokens, heads, wide // heads])
    q, k, v = (
        net.add("Transpose", net.add("Reshape", net.add("MatMul", normal, net.weight(wide, wide)), shape), perm=perm)
        for perm in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])
    )
    scores = net.add("Softmax", net.add("Mul", net.add("MatMul", q, k), net.const(0.35, np.float32)), axis=-1)
    joined = net.add("Transpose", net.add("MatMul", scores, v), perm=[0, 2, 1, 3])
    x = net.add("Add", x, net.add("Reshape", joined, net.const([1, tokens, wide])))
    inner = net.add("MatMul", x, net.weight(wide, 64))
    bell = net.add("Erf", net.add("Div", inner, net.const(2**0.5, np.float32)))
    gelu = net.add(
        "Mul", net.add("Mul", inner, net.add("Add", bell, net.const(1, np.float32))), net.const(0.5, np.float32)
    )
    x = net.add("ReduceMean", net.add("Add", x, net.add("MatMul", gelu, net.weight(64, wide))), axes=[1], keepdims=0)
    net.add("MatMul", x, net.weight(wide, 5))
    return net.model(feeds, [net.nodes[-1].output[0]]), feeds


# Maker, and the most transposes in TFLite and in Core ML (whose own layout is N, C, H, W).
NETWORKS = {
    "classifier": (classifier, 1, 1),
    "detector": (detector, 1, 6),
    "heatmaps": (heatmaps, 4, 2),
    "transformer": (transformer, 5, 5),
}


@pytest.mark.parametrize("name", list(NETWORKS))
def test_tflite_agrees_and_few_transposes_are_left(name):
    make, most, _ = NETWORKS[name]
    model, feeds = make()
    expected = by_onnxruntime(model, feeds)
    got, ops, names = by_tflite(model, feeds)
    print(f"\n{name}: {ops['TRANSPOSE']} transposes of {ops.total()} ops, {dict(ops)}")
    assert names == [output.name for output in model.graph.output]
    assert max(map(error, got, expected)) < 1e-5
    assert ops["TRANSPOSE"] <= most
    assert not ops["GATHER_ND"]


@pytest.mark.parametrize("name", list(NETWORKS))
def test_core_ml_converts_with_few_transposes(name):
    import coremltools

    from packager.importers.onnx import to_tf

    make, _, most = NETWORKS[name]
    model, _ = make()
    package = coremltools.convert(
        [to_tf(model)],
        source="tensorflow",
        convert_to="mlprogram",
        compute_precision=coremltools.precision.FLOAT32,
        skip_model_load=True,
    )
    (function,) = package._mil_program.functions.values()
    kinds = [operation.op_type for operation in function.operations]
    print(f"\n{name}: {kinds.count('transpose')} transposes of {len(kinds) - kinds.count('const')} ops")
    assert "while_loop" not in kinds
    assert kinds.count("transpose") <= most
    outputs = [entry.name for entry in package.get_spec().description.output]
    assert len(outputs) == len(model.graph.output)
