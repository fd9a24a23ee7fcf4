"""Products, normalisations and resizing of the Core ML evaluator, against TensorFlow and ONNX Runtime."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from mil_harness import Case, check, load, normal, ort, rng

pytestmark = pytest.mark.heavy


def _mb():
    from coremltools.converters.mil import Builder

    return Builder


def _tf():
    import tensorflow

    return tensorflow


def _case(op, name, x, options, expect, target="iOS15", atol=1e-5):
    return Case(op, name, {"x": x}, lambda x: getattr(_mb(), op)(x=x, **options), expect, target, atol)


A, B = normal(2, 3, 4, 5, seed=1), normal(3, 5, 6, seed=2)
W, BIAS = normal(7, 5, seed=3), normal(7, seed=4)
Q, K, V = normal(2, 3, 4, 5, seed=5), normal(2, 3, 6, 5, seed=6), normal(2, 3, 6, 7, seed=7)
MASK = normal(4, 6, seed=8)


def _attention(mask):
    tf = _tf()
    scores = tf.matmul(Q, K, transpose_b=True) / np.sqrt(5).astype(np.float32)
    return tf.matmul(tf.nn.softmax(scores + mask), V).numpy()


PRODUCTS = [
    _case(
        "linear", "bias", A, {"weight": W, "bias": BIAS}, lambda: ort("Add", [_tf().tensordot(A, W.T, 1).numpy(), BIAS])
    ),
    _case("linear", "plain", A, {"weight": W}, lambda: _tf().tensordot(A, W.T, 1).numpy()),
    Case(
        "matmul",
        "broadcast",
        {"x": A, "y": B},
        lambda x, y: _mb().matmul(x=x, y=y),
        lambda: _tf().matmul(A, B).numpy(),
        atol=1e-5,
    ),
    *(
        Case(
            "matmul",
            f"transpose-{tx}-{ty}",
            {"x": A.swapaxes(2, 3) if tx else A, "y": B.swapaxes(1, 2) if ty else B},
            lambda x, y, tx=tx, ty=ty: _mb().matmul(x=x, y=y, transpose_x=tx, transpose_y=ty),
            lambda: _tf().matmul(A, B).numpy(),
            atol=1e-5,
        )
        for tx, ty in ((True, False), (False, True), (True, True))
    ),
    Case(
        "matmul",
        "int",
        {"x": np.arange(6, dtype=np.int32).reshape(2, 3)},
        lambda x: _mb().matmul(x=x, y=np.arange(6, dtype=np.int32).reshape(3, 2)),
        lambda: _tf().matmul(np.arange(6).reshape(2, 3), np.arange(6).reshape(3, 2)).numpy().astype(np.int32),
    ),
    Case(
        "einsum",
        "attention",
        {"x": normal(1, 3, 4, 5), "y": normal(1, 5, 4, 6, seed=1)},
        lambda x, y: _mb().einsum(values=(x, y), equation="bchw,bwhr->bchr"),
        lambda: _tf().einsum("bchw,bwhr->bchr", normal(1, 3, 4, 5), normal(1, 5, 4, 6, seed=1)).numpy(),
        atol=1e-5,
    ),
    Case(
        "scaled_dot_product_attention",
        "plain",
        {"q": Q, "k": K, "v": V},
        lambda q, k, v: _mb().scaled_dot_product_attention(query=q, key=k, value=v),
        lambda: _attention(0),
        "iOS18",
        1e-5,
    ),
    Case(
        "scaled_dot_product_attention",
        "mask",
        {"q": Q, "k": K, "v": V},
        lambda q, k, v: _mb().scaled_dot_product_attention(query=q, key=k, value=v, attn_mask=MASK),
        lambda: _attention(MASK),
        "iOS18",
        1e-5,
    ),
    Case(
        "scaled_dot_product_attention",
        "bool-mask",
        {"q": Q, "k": K, "v": V},
        lambda q, k, v: _mb().scaled_dot_product_attention(query=q, key=k, value=v, attn_mask=MASK > -1),
        lambda: _attention(np.where(MASK > -1, 0, -np.inf).astype(np.float32)),
        "iOS18",
        1e-5,
    ),
]

X = normal(2, 3, 4, 5, seed=9) * 2 + 1
MEAN, GAMMA, BETA = normal(3, seed=10), normal(3, seed=11), normal(3, seed=12)
VARIANCE = rng(13).uniform(0.2, 3, 3).astype(np.float32)
LG, LB = normal(4, 5, seed=14), normal(4, 5, seed=15)
EPS = np.float32(1e-3)


def _c(v):
    return v.reshape(1, 3, 1, 1)


def _layer(x):
    return ort("LayerNormalization", [x, LG, LB], axis=2, epsilon=float(EPS))


NORMS = [
    _case(
        "batch_norm",
        "affine",
        X,
        {"mean": MEAN, "variance": VARIANCE, "gamma": GAMMA, "beta": BETA, "epsilon": EPS},
        lambda: _tf().nn.batch_normalization(X, _c(MEAN), _c(VARIANCE), _c(BETA), _c(GAMMA), EPS).numpy(),
    ),
    _case(
        "batch_norm",
        "plain",
        X,
        {"mean": MEAN, "variance": VARIANCE},
        lambda: _tf().nn.batch_normalization(X, _c(MEAN), _c(VARIANCE), None, None, 1e-5).numpy(),
    ),
    _case(
        "instance_norm",
        "affine",
        X,
        {"gamma": GAMMA, "beta": BETA, "epsilon": EPS},
        lambda: ort("InstanceNormalization", [X, GAMMA, BETA], epsilon=float(EPS)),
    ),
    _case(
        "instance_norm",
        "plain",
        X,
        {},
        lambda: ort("InstanceNormalization", [X, np.ones(3, np.float32), np.zeros(3, np.float32)], epsilon=1e-5),
    ),
    _case("layer_norm", "affine", X, {"axes": [2, -1], "gamma": LG, "beta": LB, "epsilon": EPS}, lambda: _layer(X)),
    _case(
        "layer_norm",
        "inner-axis",
        X,
        {"axes": [1], "epsilon": EPS},
        lambda: ort(
            "LayerNormalization", [X.transpose(0, 2, 3, 1).copy(), np.ones(3, np.float32)], axis=-1, epsilon=float(EPS)
        ).transpose(0, 3, 1, 2),
    ),
    _case("l2_norm", "x", X, {"epsilon": np.float32(1e-6)}, lambda: _tf().math.l2_normalize(X, [1, 2, 3]).numpy()),
    _case(
        "local_response_norm",
        "x",
        normal(2, 9, 4, 5, seed=16) * 3,
        {"size": 5, "alpha": np.float32(0.3), "beta": np.float32(0.6), "k": np.float32(1.5)},
        lambda: ort("LRN", [normal(2, 9, 4, 5, seed=16) * 3], size=5, alpha=0.3, beta=0.6, bias=1.5),
    ),
]

IMAGE = normal(2, 3, 5, 7, seed=17)
NHWC = IMAGE.transpose(0, 2, 3, 1)


def _bilinear(height, width, *, align=False, half=False):
    return (
        _tf()
        .raw_ops.ResizeBilinear(images=NHWC, size=[height, width], align_corners=align, half_pixel_centers=half)
        .numpy()
        .transpose(0, 3, 1, 2)
    )


def _nearest(height, width, *, half=False):
    return (
        _tf()
        .raw_ops.ResizeNearestNeighbor(images=NHWC, size=[height, width], half_pixel_centers=half)
        .numpy()
        .transpose(0, 3, 1, 2)
    )


SIZES = ((10, 14), (8, 3), (3, 11), (1, 1))
RESIZES = [
    *(
        _case(
            "resize_bilinear",
            f"{mode}-{h}x{w}",
            IMAGE,
            {"target_size_height": h, "target_size_width": w, "sampling_mode": mode},
            lambda h=h, w=w, flags=flags: _bilinear(h, w, **flags),
        )
        for (mode, flags), (h, w) in itertools.product(
            (("DEFAULT", {}), ("STRICT_ALIGN_CORNERS", {"align": True}), ("UNALIGN_CORNERS", {"half": True})), SIZES
        )
    ),
    _case(
        "resize_bilinear",
        "ALIGN_CORNERS",
        IMAGE,
        {"target_size_height": 9, "target_size_width": 4, "sampling_mode": "ALIGN_CORNERS"},
        lambda: _bilinear(9, 4, align=True),
    ),
    _case(
        "resize_bilinear",
        "ALIGN_CORNERS-one",
        IMAGE,
        {"target_size_height": 1, "target_size_width": 1, "sampling_mode": "ALIGN_CORNERS"},
        lambda: IMAGE[:, :, 2:3, 3:4],
    ),
    _case(
        "resize_bilinear",
        "OFFSET_CORNERS",
        np.array([[[0, 1]]], np.float32),
        {"target_size_height": 1, "target_size_width": 5, "sampling_mode": "OFFSET_CORNERS"},
        lambda: np.array([[[0.1, 0.3, 0.5, 0.7, 0.9]]], np.float32),
    ),  # Core ML's own documented example
    *(
        _case(
            "upsample_bilinear",
            f"{align}",
            IMAGE,
            {"scale_factor_height": 2.0, "scale_factor_width": 1.5, "align_corners": align},
            lambda align=align: _bilinear(10, 10, align=align, half=not align),
        )
        for align in (True, False)
    ),
    _case(
        "upsample_bilinear",
        "corner",
        IMAGE,
        {"scale_factor_height": 2, "scale_factor_width": 3, "align_corners": False, "half_pixel_centers": False},
        lambda: _bilinear(10, 21),
        "iOS16",
    ),
    *(
        _case(
            "resize_nearest_neighbor",
            f"{h}x{w}",
            IMAGE,
            {"target_size_height": h, "target_size_width": w},
            lambda h=h, w=w: _nearest(h, w, half=True),
        )
        for h, w in SIZES[:3]
    ),
    _case(
        "upsample_nearest_neighbor",
        "whole",
        IMAGE,
        {"scale_factor_height": 2, "scale_factor_width": 3},
        lambda: _nearest(10, 21),
    ),
    _case(
        "upsample_nearest_neighbor",
        "fraction",
        IMAGE,
        {"scale_factor_height": np.float32(8.0001 / 5), "scale_factor_width": np.float32(11.0001 / 7)},
        lambda: _nearest(8, 11),
    ),
    _case(
        "resize",
        "linear",
        IMAGE,
        {"shape": [0, 10, 3], "resized_dims": np.uint32(2), "sampling_mode": "UNALIGN_CORNERS"},
        lambda: _bilinear(10, 3, half=True),
        "iOS17",
    ),
    _case(
        "resize",
        "nearest",
        IMAGE,
        {"shape": [10, 14], "resized_dims": np.uint32(2), "interpolation_mode": "NEAREST_NEIGHBOR"},
        lambda: _nearest(10, 14),
        "iOS17",
    ),
]

CASES = PRODUCTS + NORMS + RESIZES


@pytest.mark.parametrize("case", CASES, ids=str)
def test_agrees_with_reference(case):
    check(case)


@pytest.mark.parametrize("sizes", [[3, 3], [8, 7]])
def test_nearest_resize_of_a_fraction_is_refused(sizes):
    from packager.runtimes.coreml.mil import UnsupportedOp

    def build(x):
        return _mb().resize(x=x, shape=sizes, resized_dims=np.uint32(2), interpolation_mode="NEAREST_NEIGHBOR")

    with pytest.raises(UnsupportedOp, match="NEAREST_NEIGHBOR"):
        load({"x": IMAGE}, build, "iOS17")
