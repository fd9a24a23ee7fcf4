"""Convolution and pooling of the Core ML evaluator against ONNX Runtime."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from mil_harness import Case, check, normal, ort

pytestmark = pytest.mark.heavy


def _mb():
    from coremltools.converters.mil import Builder

    return Builder


def _auto(pad_type):
    return {"valid": "VALID", "same": "SAME_UPPER", "same_lower": "SAME_LOWER"}.get(pad_type, "NOTSET")


def _onnx_pads(pad):
    return [int(v) for v in (*pad[::2], *pad[1::2])]


def _conv(name, shape, weight, *, stride, dilation=None, groups=1, pad_type="valid", pad=None, bias=True, seed=0):
    rank = len(shape) - 2
    x, w = normal(*shape, seed=seed), normal(*weight, seed=seed + 1)
    b = normal(weight[0], seed=seed + 2) if bias else None
    dilation = dilation or [1] * rank
    options = {"strides": stride, "dilations": dilation, "groups": groups, "pad_type": pad_type}
    if pad is not None:
        options["pad"] = pad
    if bias:
        options["bias"] = b

    def expect():
        kind = _auto(pad_type)
        if kind == "SAME_UPPER" and max(dilation) > 1:  # which ONNX Runtime does not have
            import tensorflow as tf

            y = tf.nn.convolution(x.transpose(0, 2, 3, 1), w.transpose(2, 3, 1, 0), stride, "SAME", dilations=dilation)
            return y.numpy().transpose(0, 3, 1, 2) + b.reshape(-1, 1, 1)
        attributes = {"auto_pad": kind} if kind != "NOTSET" else {"pads": _onnx_pads(pad)}
        return ort("Conv", [x, w, b], strides=stride, dilations=dilation, group=groups, **attributes)

    target = "iOS16" if pad_type == "same_lower" else "iOS15"
    return Case("conv", name, {"x": x}, lambda x: _mb().conv(x=x, weight=w, **options), expect, target, atol=2e-5)


CONVS = [
    *(
        _conv(
            f"{pad}-s{s[0]}{s[1]}-d{d}-g{g}",
            (2, 4, 11, 8),
            (8, 4 // g, 3, 2),
            stride=list(s),
            dilation=[d, d],
            groups=g,
            pad_type=pad,
        )
        for pad, s, d, g in itertools.product(("valid", "same"), ((1, 1), (2, 3)), (1, 2), (1, 2))
        if not (pad == "same" and d == 2 and (s != (1, 1) or g != 1))
    ),
    _conv("depthwise", (2, 6, 9, 10), (6, 1, 3, 3), stride=[1, 1], groups=6, pad_type="same"),
    _conv("depthwise-stride", (1, 6, 9, 10), (6, 1, 3, 3), stride=[2, 2], groups=6, pad_type="same"),
    _conv("depthwise-multiplier", (1, 3, 7, 7), (6, 1, 3, 3), stride=[2, 2], groups=3),
    _conv("many-channels-few-positions", (1, 40, 3, 3), (40, 1, 3, 3), stride=[1, 1], groups=40, pad_type="same"),
    _conv("pointwise", (2, 5, 4, 6), (7, 5, 1, 1), stride=[1, 1]),
    _conv("pointwise-stride", (2, 5, 4, 7), (7, 5, 1, 1), stride=[2, 2]),
    _conv("custom-asymmetric", (1, 3, 8, 9), (4, 3, 3, 3), stride=[2, 1], pad_type="custom", pad=[0, 2, 3, 1]),
    _conv("stride-beyond-kernel", (1, 3, 11, 12), (4, 3, 2, 2), stride=[4, 3], pad_type="custom", pad=[1, 0, 2, 2]),
    _conv(
        "dilated-stride",
        (1, 3, 15, 16),
        (4, 3, 3, 3),
        stride=[2, 3],
        dilation=[3, 2],
        pad_type="custom",
        pad=[2, 3, 1, 0],
    ),
    _conv("same-lower", (1, 3, 8, 7), (4, 3, 2, 4), stride=[1, 2], pad_type="same_lower"),
    _conv("no-bias", (1, 3, 8, 7), (4, 3, 3, 3), stride=[1, 1], bias=False),
    _conv("1d", (2, 4, 13), (6, 2, 3), stride=[2], dilation=[2], groups=2, pad_type="custom", pad=[1, 2]),
    _conv("3d", (1, 2, 5, 6, 7), (4, 2, 2, 3, 2), stride=[1, 2, 2], pad_type="same"),
]


def _convt(name, shape, weight, *, stride, dilation=None, groups=1, pad_type="valid", pad=None, output=None, seed=9):
    rank = len(shape) - 2
    x, w, b = normal(*shape, seed=seed), normal(*weight, seed=seed + 1), normal(weight[1] * groups, seed=seed + 2)
    dilation = dilation or [1] * rank
    options = {"strides": stride, "dilations": dilation, "groups": groups, "pad_type": pad_type, "bias": b}
    if pad is not None:
        options["pad"] = pad
    if output is not None:
        options["output_shape"] = np.array([shape[0], weight[1] * groups, *output], np.int32)

    def expect():
        attributes = {"strides": stride, "dilations": dilation, "group": groups}
        if pad is not None:
            attributes["pads"] = _onnx_pads(pad)
        if output is not None and pad is not None:
            full = [
                (n - 1) * s + (k - 1) * d + 1 - a - e
                for n, s, k, d, a, e in zip(shape[2:], stride, weight[2:], dilation, pad[::2], pad[1::2], strict=True)
            ]
            attributes["output_padding"] = [o - f for o, f in zip(output, full, strict=True)]
        return ort("ConvTranspose", [x, w, b], **attributes)

    return Case(
        "conv_transpose", name, {"x": x}, lambda x: _mb().conv_transpose(x=x, weight=w, **options), expect, atol=2e-5
    )


def _convt_same(name, shape, weight, stride, output=None):
    """SAME as TensorFlow's gradient of a convolution has it."""
    x, w = normal(*shape, seed=3), normal(*weight, seed=4)
    sizes = output or [n * s for n, s in zip(shape[2:], stride, strict=True)]
    options = {"strides": stride, "pad_type": "same"}
    if output is not None:
        options["output_shape"] = np.array([shape[0], weight[1], *output], np.int32)

    def expect():
        import tensorflow as tf

        y = tf.nn.conv2d_transpose(
            x.transpose(0, 2, 3, 1), w.transpose(2, 3, 1, 0), [shape[0], *sizes, weight[1]], stride, "SAME"
        )
        return y.numpy().transpose(0, 3, 1, 2)

    return Case(
        "conv_transpose", name, {"x": x}, lambda x: _mb().conv_transpose(x=x, weight=w, **options), expect, atol=2e-5
    )


TRANSPOSED = [
    *(
        _convt(f"s{s}-d{d}-g{g}", (2, 4, 5, 6), (4, 6 // g, 3, 2), stride=[s, s], dilation=[d, d], groups=g)
        for s, d, g in itertools.product((1, 2), (1, 2), (1, 2))
    ),
    _convt("custom", (1, 3, 5, 6), (3, 4, 3, 3), stride=[2, 3], pad_type="custom", pad=[1, 0, 2, 1]),
    _convt(
        "output-shape", (1, 3, 5, 6), (3, 4, 3, 3), stride=[2, 2], pad_type="custom", pad=[1, 1, 1, 1], output=(10, 12)
    ),
    _convt("1d", (2, 3, 7), (3, 2, 4), stride=[3]),
    _convt("3d", (1, 2, 3, 4, 3), (2, 3, 2, 2, 2), stride=[2, 1, 2]),
    _convt_same("same", (1, 3, 5, 6), (3, 4, 3, 3), [2, 2]),
    _convt_same("same-even-kernel", (1, 3, 5, 6), (3, 4, 4, 2), [2, 1]),
    _convt_same("same-kernel-below-stride", (1, 3, 4, 4), (3, 2, 2, 2), [3, 3]),
    _convt_same("same-output-shape", (1, 3, 5, 6), (3, 4, 3, 3), [2, 2], output=[9, 11]),
]


def _pool(op, name, shape, kernel, *, stride, pad_type="valid", pad=None, ceil=False, exclude=None):
    x = normal(*shape, seed=5) - (3.0 if op == "max_pool" else 0.0)  # all below zero: padding must not win
    options = {"kernel_sizes": kernel, "strides": stride, "pad_type": pad_type, "ceil_mode": ceil}
    if pad is not None:
        options["pad"] = pad
    if exclude is not None:
        options["exclude_padding_from_average"] = exclude

    def expect():
        kind = _auto(pad_type)
        attributes = {"auto_pad": kind} if kind != "NOTSET" else {"pads": _onnx_pads(pad)}
        attributes |= {"kernel_shape": kernel, "strides": stride}
        if op == "l2_pool":
            return ort("LpPool", [x], p=2, **attributes)
        attributes["ceil_mode"] = int(ceil)
        if op == "avg_pool":
            attributes["count_include_pad"] = int(not exclude)
        return ort("MaxPool" if op == "max_pool" else "AveragePool", [x], **attributes)

    target = "iOS16" if pad_type == "same_lower" else "iOS15"
    return Case(op, name, {"x": x}, lambda x: getattr(_mb(), op)(x=x, **options), expect, target)


POOLS = [
    *(
        _pool(op, f"{pad}-s{s[0]}{s[1]}", (2, 3, 9, 8), [3, 2], stride=list(s), pad_type=pad, exclude=exclude)
        for (op, exclude), pad, s in itertools.product(
            (("max_pool", None), ("avg_pool", True), ("l2_pool", None)),
            ("valid", "same", "same_lower"),
            ((1, 1), (2, 3)),
        )
    ),
    *(
        _pool(
            "avg_pool",
            f"custom-exclude-{exclude}",
            (1, 2, 9, 8),
            [3, 3],
            stride=[2, 2],
            pad_type="custom",
            pad=[1, 1, 0, 2],
            exclude=exclude,
        )
        for exclude in (True, False)
    ),
    *(
        _pool(
            op,
            f"ceil-{exclude}-{size}",
            (1, 2, size, size),
            [3, 3],
            stride=[2, 2],
            pad_type="custom",
            pad=[1, 1, 1, 1],
            ceil=True,
            exclude=exclude,
        )
        for (op, exclude), size in itertools.product((("max_pool", None), ("avg_pool", True)), (8, 9))
    ),
    _pool("max_pool", "ceil-valid", (1, 2, 8, 11), [2, 3], stride=[3, 2], ceil=True),
    _pool("max_pool", "1d", (1, 2, 9), [3], stride=[2], pad_type="same"),
    _pool("avg_pool", "3d", (1, 2, 5, 6, 5), [2, 3, 2], stride=[2, 1, 2], exclude=False),
    _pool("avg_pool", "global", (2, 3, 5, 6), [5, 6], stride=[1, 1], exclude=True),
]

CASES = CONVS + TRANSPOSED + POOLS


@pytest.mark.parametrize("case", CASES, ids=str)
def test_agrees_with_reference(case):
    check(case)


def test_average_with_ceil_counts_declared_padding_only():
    """PyTorch's rule, worked out by hand: the last window has 1 element of input and 1 of padding under it."""
    x = np.arange(1, 6, dtype=np.float32).reshape(1, 1, 5)

    def build(x):
        return _mb().avg_pool(
            x=x,
            kernel_sizes=[3],
            strides=[2],
            pad_type="custom",
            pad=[1, 1],
            ceil_mode=True,
            exclude_padding_from_average=False,
        )

    from mil_harness import load

    (got,) = load({"x": x}, build).predict({"x": x}).values()
    np.testing.assert_allclose(got.ravel(), [(0 + 1 + 2) / 3, (2 + 3 + 4) / 3, (4 + 5 + 0) / 3], rtol=1e-6)
