"""Ops of the Core ML evaluator that move elements, against TensorFlow and ONNX Runtime."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from mil_harness import Case, check, normal, ort

pytestmark = pytest.mark.heavy


def _mb():
    from coremltools.converters.mil import Builder

    return Builder


def _tf():
    import tensorflow

    return tensorflow


X = normal(2, 3, 4, seed=1)
IMAGE = normal(2, 8, 4, 6, seed=2)
NHWC = IMAGE.transpose(0, 2, 3, 1)


def _case(op, name, x, options, expect, target="iOS15"):
    return Case(op, name, {"x": x}, lambda x: getattr(_mb(), op)(x=x, **options), expect, target)


def _nchw(y):
    return y.numpy().transpose(0, 3, 1, 2)


def _slice(name, *, begin, end, stride, begin_mask=0, end_mask=0, shrink_mask=0, x=X):
    def bits(mask):
        return [bool(mask >> i & 1) for i in range(x.ndim)]

    options = {
        "begin": begin,
        "end": end,
        "stride": stride,
        "begin_mask": bits(begin_mask),
        "end_mask": bits(end_mask),
        "squeeze_mask": bits(shrink_mask),
    }
    return _case(
        "slice_by_index",
        name,
        x,
        options,
        lambda: (
            _tf()
            .strided_slice(
                x, begin, end, stride, begin_mask=begin_mask, end_mask=end_mask, shrink_axis_mask=shrink_mask
            )
            .numpy()
        ),
    )


MOVES = [
    _case("reshape", "infer", X, {"shape": [4, -1]}, lambda: _tf().reshape(X, [4, -1]).numpy()),
    _case("reshape", "keep", X, {"shape": [0, -1, 2]}, lambda: ort("Reshape", [X, np.array([0, -1, 2])])),
    _case("expand_dims", "several", X, {"axes": [0, -1]}, lambda: ort("Unsqueeze", [X, np.array([0, -1])])),
    _case(
        "squeeze",
        "some",
        X.reshape(1, 6, 1, 4),
        {"axes": [-2]},
        lambda: _tf().squeeze(X.reshape(1, 6, 1, 4), [-2]).numpy(),
    ),
    _case("squeeze", "all", X.reshape(1, 6, 1, 4), {}, lambda: _tf().squeeze(X.reshape(1, 6, 1, 4)).numpy()),
    _case("flatten2d", "axis", X, {"axis": 2}, lambda: ort("Flatten", [X], axis=2)),
    _case("flatten2d", "negative", X, {"axis": -1}, lambda: ort("Flatten", [X], axis=-1)),
    _case("shape", "x", X, {}, lambda: _tf().shape(X).numpy()),
    _case("transpose", "negative", X, {"perm": [-1, 0, 1]}, lambda: _tf().transpose(X, [2, 0, 1]).numpy()),
    Case(
        "concat",
        "axis",
        {"x": X, "y": X[:, :1]},
        lambda x, y: _mb().concat(values=[x, y], axis=-2),
        lambda: _tf().concat([X, X[:, :1]], 1).numpy(),
    ),
    Case(
        "concat",
        "interleave",
        {"x": X, "y": -X},
        lambda x, y: _mb().concat(values=[x, y], axis=1, interleave=True),
        lambda: _tf().reshape(_tf().stack([X, -X], 2), [2, 6, 4]).numpy(),
    ),
    Case(
        "concat",
        "with-constant",
        {"x": X},
        lambda x: _mb().concat(values=[x, -X], axis=0),
        lambda: _tf().concat([X, -X], 0).numpy(),
    ),
    Case(
        "concat",
        "scalars",
        {"x": X},
        lambda x: _mb().concat(values=[_mb().reduce_max(x=x), _mb().reduce_min(x=x)], axis=0),
        lambda: _tf().stack([_tf().reduce_max(X), _tf().reduce_min(X)]).numpy(),
    ),
    Case(
        "stack",
        "axis",
        {"x": X, "y": -X},
        lambda x, y: _mb().stack(values=[x, y], axis=-1),
        lambda: _tf().stack([X, -X], -1).numpy(),
    ),
    _case("split", "equal", X, {"num_splits": 2, "axis": -1}, lambda: [y.numpy() for y in _tf().split(X, 2, -1)]),
    _case(
        "split", "sizes", X, {"split_sizes": [1, 3], "axis": 2}, lambda: [y.numpy() for y in _tf().split(X, [1, 3], 2)]
    ),
    _slice("plain", begin=[0, 1, 1], end=[2, 3, 4], stride=[1, 1, 2]),
    _slice("negative", begin=[-1, -3, -1], end=[-2, -1, -4], stride=[-1, 1, -2]),
    _slice("masks", begin=[1, 2, 1], end=[1, 1, 2], stride=[1, -1, 1], begin_mask=0b110, end_mask=0b111),
    _slice("squeeze", begin=[-1, 0, 2], end=[0, 3, 0], stride=[1, 1, 1], shrink_mask=0b101),
    _slice("beyond", begin=[0, 0, -9], end=[9, 2, 9], stride=[1, 1, 3]),
    _case(
        "slice_by_size",
        "rest",
        X,
        {"begin": [0, 1, 2], "size": [1, -1, 2]},
        lambda: _tf().slice(X, [0, 1, 2], [1, -1, 2]).numpy(),
    ),
    Case(
        "slice_by_size",
        "dynamic",
        {"x": X, "b": np.array([1, 0, 1], np.int32)},
        lambda x, b: _mb().slice_by_size(x=x, begin=b, size=[1, 2, 3]),
        lambda: _tf().slice(X, [1, 0, 1], [1, 2, 3]).numpy(),
    ),
    _case(
        "slice_update",
        "stride",
        X,
        {"update": np.full((2, 1, 2), 7, np.float32), "begin": [0, 1, 0], "end": [2, 2, 4], "stride": [1, 1, 2]},
        lambda: _updated(X),
        "iOS18",
    ),
    *(
        _case(
            "pad",
            f"{mode}-{len(pad)}",
            IMAGE,
            {"pad": pad, "mode": mode} | ({"constant_val": np.float32(1.5)} if mode == "constant" else {}),
            lambda pad=pad, mode=mode: ort(
                "Pad",
                [IMAGE, _onnx_pad(pad), np.array(1.5, np.float32) if mode == "constant" else None],
                mode={"replicate": "edge"}.get(mode, mode),
            ),
        )
        for mode, pad in itertools.product(
            ("constant", "reflect", "replicate"), ([1, 2, 3, 0], [0, 0, 2, 1, 0, 3, 2, 2], [0, 2])
        )
    ),
    _case(
        "crop",
        "x",
        IMAGE,
        {"crop_height": [1, 0], "crop_width": [2, 3]},
        lambda: ort("Slice", [IMAGE, np.array([1, 2]), np.array([4, 3]), np.array([2, 3])]),
    ),
    _case("tile", "x", X, {"reps": [2, 1, 3]}, lambda: _tf().tile(X, [2, 1, 3]).numpy()),
    _case("reverse", "axes", X, {"axes": [0, -1]}, lambda: _tf().reverse(X, [0, 2]).numpy()),
    _case("reverse", "all", X, {}, lambda: _tf().reverse(X, [0, 1, 2]).numpy()),
    _case(
        "reverse_sequence",
        "x",
        X,
        {"lengths": np.array([1, 3, 4], np.int32), "seq_axis": 2, "batch_axis": 1},
        lambda: _tf().reverse_sequence(X, [1, 3, 4], 2, 1).numpy(),
    ),
    _case(
        "sliding_windows",
        "x",
        X,
        {"axis": -1, "size": 2, "stride": 2},
        lambda: _tf().signal.frame(X, 2, 2, axis=-1).numpy(),
    ),
    _case("sliding_windows", "inner", X, {"axis": 1, "size": 2}, lambda: _tf().signal.frame(X, 2, 1, axis=1).numpy()),
    _case("depth_to_space", "x", IMAGE, {"block_size": 2}, lambda: _nchw(_tf().nn.depth_to_space(NHWC, 2))),
    _case("space_to_depth", "x", IMAGE, {"block_size": 2}, lambda: _nchw(_tf().nn.space_to_depth(NHWC, 2))),
    _case(
        "pixel_shuffle",
        "x",
        IMAGE,
        {"upscale_factor": 2},
        lambda: ort("DepthToSpace", [IMAGE], blocksize=2, mode="CRD"),
    ),
    _case(
        "space_to_batch",
        "x",
        IMAGE,
        {"block_shape": [2, 3], "paddings": [[1, 1], [0, 3]]},
        lambda: _nchw(_tf().space_to_batch(NHWC, [2, 3], [[1, 1], [0, 3]])),
    ),
    _case(
        "batch_to_space",
        "x",
        normal(12, 2, 3, 2, seed=4),
        {"block_shape": [2, 3], "crops": [[1, 0], [0, 2]]},
        lambda: _nchw(
            _tf().batch_to_space(normal(12, 2, 3, 2, seed=4).transpose(0, 2, 3, 1), [2, 3], [[1, 0], [0, 2]])
        ),
    ),
]


def _onnx_pad(pad):
    pairs = [(0, 0)] * (4 - len(pad) // 2) + list(zip(pad[::2], pad[1::2], strict=True))
    return np.array([a for a, _ in pairs] + [b for _, b in pairs])


def _updated(x):
    mask = np.zeros(x.shape, bool)
    for i, k in itertools.product(range(2), (0, 2)):
        mask[i, 1, k] = True
    return _tf().where(mask, np.float32(7), x).numpy()


UNSHUFFLE = Case(
    "pixel_unshuffle",
    "undoes",
    {"x": IMAGE.reshape(2, 2, 8, 12)},
    lambda x: _mb().pixel_unshuffle(x=x, downscale_factor=np.uint32(2)),
    lambda: (
        ort("SpaceToDepth", [IMAGE.reshape(2, 2, 8, 12)], blocksize=2)
        .reshape(2, 4, 2, 4, 6)
        .transpose(0, 2, 1, 3, 4)
        .reshape(2, 8, 4, 6)
    ),
    "iOS16",
)

CASES = [*MOVES, UNSHUFFLE]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_agrees_with_reference(case):
    check(case)
