"""Ops of the Core ML evaluator that gather, scatter, make or order elements, against other runtimes."""

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


X = normal(2, 3, 4, seed=1)


def _case(op, name, x, options, expect, target="iOS15"):
    return Case(op, name, {"x": x}, lambda x: getattr(_mb(), op)(x=x, **options), expect, target)


DATA = normal(4, 5, 3, seed=3)
ROWS = np.array([3, 0, -1], np.int32)
ALONG = rng(4).integers(0, 5, (4, 2, 3)).astype(np.int32)
PAIRS = np.array([[[0, 1], [3, 4]], [[2, 2], [0, 0]]], np.int32)
BATCHED = rng(5).integers(0, 5, (4, 6)).astype(np.int32)


def _scatter(name, mode, target="iOS15"):
    indices, updates = np.array([4, 1, 0], np.int32), normal(4, 3, 3, seed=6) + 3
    full = np.broadcast_to(indices.reshape(1, 3, 1), updates.shape).astype(np.int64)
    return Case(
        "scatter",
        name,
        {"d": DATA, "u": updates},
        lambda d, u: _mb().scatter(data=d, indices=indices, updates=u, axis=1, mode=mode),
        lambda: _onnx_scatter(DATA, full, updates, 1, mode),
        target,
    )


def _onnx_scatter(data, indices, updates, axis, mode):
    """ScatterElements; what it lacks is written with what it has."""
    if mode == "sub":
        return ort("ScatterElements", [data, indices, -updates], axis=axis, reduction="add")
    if mode == "div":
        return ort("ScatterElements", [data, indices, 1 / updates], axis=axis, reduction="mul")
    reduction = {"update": "none"}.get(mode, mode)
    return ort("ScatterElements", [data, indices, updates], axis=axis, reduction=reduction)


MODES = ("update", "add", "sub", "mul", "div", "max", "min")
ALONG_UPDATES = normal(4, 2, 3, seed=7) + 3
UNIQUE = np.stack([rng(8).permutation(5)[:2] for _ in range(12)]).reshape(4, 3, 2).transpose(0, 2, 1).astype(np.int32)

INDEXED = [
    _case("gather", "negative", DATA, {"indices": ROWS, "axis": 0}, lambda: ort("Gather", [DATA, ROWS], axis=0)),
    _case(
        "gather",
        "matrix",
        DATA,
        {"indices": PAIRS[..., 0], "axis": -2},
        lambda: _tf().gather(DATA, PAIRS[..., 0], axis=1).numpy(),
    ),
    _case("gather", "scalar", DATA, {"indices": np.int32(2), "axis": 1}, lambda: _tf().gather(DATA, 2, axis=1).numpy()),
    _case(
        "gather",
        "batch",
        DATA,
        {"indices": BATCHED, "axis": 1, "batch_dims": 1},
        lambda: _tf().gather(DATA, BATCHED, axis=1, batch_dims=1).numpy(),
        "iOS16",
    ),
    _case(
        "gather",
        "ios17",
        DATA,
        {"indices": np.array([3, 0], np.int32), "axis": 0},
        lambda: _tf().gather(DATA, [3, 0]).numpy(),
        "iOS17",
    ),
    _case(
        "gather_along_axis",
        "x",
        DATA,
        {"indices": ALONG, "axis": 1},
        lambda: ort("GatherElements", [DATA, ALONG.astype(np.int64)], axis=1),
    ),
    _case("gather_nd", "x", DATA, {"indices": PAIRS}, lambda: _tf().gather_nd(DATA, PAIRS).numpy()),
    _case(
        "gather_nd",
        "batch",
        DATA,
        {"indices": ALONG[:, :, :1] % 5, "batch_dims": 1},
        lambda: _tf().gather_nd(DATA, ALONG[:, :, :1], 1).numpy(),
        "iOS16",
    ),
    *(_scatter(mode, mode) for mode in MODES),
    _scatter("ios17", "add", "iOS17"),
    *(
        Case(
            "scatter_along_axis",
            mode,
            {"d": DATA, "u": ALONG_UPDATES},
            lambda d, u, mode=mode: _mb().scatter_along_axis(data=d, indices=UNIQUE, updates=u, axis=-2, mode=mode),
            lambda mode=mode: _onnx_scatter(DATA, UNIQUE.astype(np.int64), ALONG_UPDATES, 1, mode),
        )
        for mode in MODES
    ),
    *(
        Case(
            "scatter_nd",
            mode,
            {"d": DATA, "u": normal(2, 2, 3, seed=9)},
            lambda d, u, mode=mode: _mb().scatter_nd(data=d, indices=PAIRS, updates=u, mode=mode),
            lambda mode=mode, name=name: getattr(_tf(), name)(DATA, PAIRS, normal(2, 2, 3, seed=9)).numpy(),
        )
        for mode, name in (
            ("update", "tensor_scatter_nd_update"),
            ("add", "tensor_scatter_nd_add"),
            ("sub", "tensor_scatter_nd_sub"),
            ("max", "tensor_scatter_nd_max"),
            ("min", "tensor_scatter_nd_min"),
        )
    ),
    Case(
        "scatter_nd",
        "duplicates",
        {"d": DATA, "u": normal(3, 3, seed=9)},
        lambda d, u: _mb().scatter_nd(
            data=d, indices=np.array([[1, 1], [1, 1], [0, 2]], np.int32), updates=u, mode="add"
        ),
        lambda: _tf().tensor_scatter_nd_add(DATA, [[1, 1], [1, 1], [0, 2]], normal(3, 3, seed=9)).numpy(),
    ),
]

TIES = rng(10).integers(-3, 3, (3, 7)).astype(np.int32)
HOT = np.array([[0, 2, -1], [3, 9, 1]], np.int32)
S = np.array([2], np.int32)


def _onnx_topk(x, ascending):
    values, indices = ort("TopK", [x, np.array([3])], outputs=2, axis=1, largest=int(not ascending))
    return [values, indices.astype(np.int32)]


def _scalar(x):
    return _mb().squeeze(x=x, axes=[0])


MADE = [
    Case(
        "fill",
        "dynamic",
        {"s": np.array([2, 3], np.int32)},
        lambda s: _mb().fill(shape=s, value=np.float32(2.5)),
        lambda: _tf().fill([2, 3], np.float32(2.5)).numpy(),
    ),
    Case(
        "fill",
        "int",
        {"s": np.array([2, 3], np.int32)},
        lambda s: _mb().fill(shape=s, value=np.int32(4)),
        lambda: _tf().fill([2, 3], np.int32(4)).numpy(),
    ),
    Case(
        "fill_like",
        "x",
        {"x": X},
        lambda x: _mb().fill_like(ref_tensor=x, value=np.float32(2)),
        lambda: _tf().fill([2, 3, 4], np.float32(2)).numpy(),
        "iOS16",
    ),
    Case(
        "range_1d",
        "int",
        {"s": S},
        lambda s: _mb().range_1d(start=_scalar(s), end=11, step=3),
        lambda: _tf().range(2, 11, 3).numpy(),
    ),
    Case(
        "range_1d",
        "down",
        {"s": S},
        lambda s: _mb().range_1d(start=_scalar(s), end=-4, step=-2),
        lambda: _tf().range(2, -4, -2).numpy(),
    ),
    Case(
        "range_1d",
        "float",
        {"s": S.astype(np.float32)},
        lambda s: _mb().range_1d(start=_scalar(s), end=np.float32(3.1), step=np.float32(0.25)),
        lambda: _tf().range(2.0, 3.1, 0.25).numpy(),
    ),
    *(
        Case(
            "one_hot",
            f"axis{axis}",
            {"x": HOT},
            lambda x, axis=axis: _mb().one_hot(
                indices=x, one_hot_vector_size=4, axis=axis, on_value=np.float32(3), off_value=np.float32(-1)
            ),
            lambda axis=axis: _tf().one_hot(HOT, 4, 3.0, -1.0, axis).numpy(),
        )
        for axis in (-1, 0, 1)
    ),
    Case(
        "non_zero", "x", {"x": TIES}, lambda x: _mb().non_zero(x=x), lambda: _tf().where(TIES).numpy().astype(np.int32)
    ),
    *(
        Case(
            "band_part",
            f"{low}-{up}",
            {"x": X},
            lambda x, low=low, up=up: _mb().band_part(x=x, lower=low, upper=up),
            lambda low=low, up=up: _tf().linalg.band_part(X, low, up).numpy(),
        )
        for low, up in ((-1, 0), (0, -1), (1, 2), (0, 0))
    ),
    *(
        Case(
            "cumsum",
            f"{axis}-{ex}-{rev}",
            {"x": X},
            lambda x, axis=axis, ex=ex, rev=rev: _mb().cumsum(x=x, axis=axis, exclusive=ex, reverse=rev),
            lambda axis=axis, ex=ex, rev=rev: _tf().cumsum(X, axis, ex, rev).numpy(),
        )
        for axis, ex, rev in itertools.product((0, -1), (True, False), (True, False))
    ),
    *(
        Case(
            "argsort",
            f"{up}",
            {"x": X},
            lambda x, up=up: _mb().argsort(x=x, axis=1, ascending=up),
            lambda up=up: _tf().argsort(X, 1, "ASCENDING" if up else "DESCENDING", stable=True).numpy(),
        )
        for up in (True, False)
    ),
    *(
        Case(
            "topk",
            f"{up}-{target}",
            {"x": x},
            lambda x, up=up: _mb().topk(x=x, k=3, axis=1, ascending=up),
            lambda x=x, up=up: _onnx_topk(x, up),
            target,
        )
        for (x, target), up in itertools.product(((TIES, "iOS15"), (X, "iOS17")), (True, False))
    ),
    Case(
        "topk",
        "values",
        {"x": X},
        lambda x: _mb().topk(x=x, k=2, axis=-1, return_indices=False),
        lambda: ort("TopK", [X, np.array([2])], outputs=2)[0],
        "iOS16",
    ),
]

CASES = INDEXED + MADE


@pytest.mark.parametrize("case", CASES, ids=str)
def test_agrees_with_reference(case):
    check(case)


def test_index_out_of_bounds_is_refused():
    """Core ML leaves such a result undefined, so a program that does it is not fit to be verified."""
    from packager.runtimes.coreml.mil import BadProgram

    indices = {"i": np.array([0, 4], np.int32)}
    with pytest.raises(BadProgram, match="outside"):
        load(indices, lambda i: _mb().gather(x=DATA, indices=i, axis=0))


def test_negative_index_is_out_of_bounds_since_ios17():
    from packager.runtimes.coreml.mil import BadProgram

    with pytest.raises(BadProgram, match="outside"):
        load({"i": ROWS}, lambda i: _mb().gather(x=DATA, indices=i, axis=0), "iOS17")
