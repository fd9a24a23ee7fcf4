"""Elementwise ops, activations and reductions of the Core ML evaluator against TensorFlow, ONNX Runtime and SciPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from mil_harness import Case, check, normal, ort, rng

pytestmark = pytest.mark.heavy


def _mb():
    from coremltools.converters.mil import Builder

    return Builder


def _tf(function, *values):
    import tensorflow as tf

    target = tf
    for part in function.split("."):
        target = getattr(target, part)
    return target(*values).numpy()


def _numbers(var):
    """A boolean cannot leave a program; hand it out as 0 and 1."""
    return _mb().cast(x=var, dtype="int32")


WIDE = (rng(1).normal(size=(3, 4, 5)) * 4).astype(np.float32)
WIDE[0, 0] = [0.0, -0.0, 2.5, -2.5, 0.5]  # zeros, and halves that rounding decides
UNIT = rng(2).uniform(-0.99, 0.99, (3, 4)).astype(np.float32)
POSITIVE = rng(3).uniform(0.05, 9, (3, 4)).astype(np.float32)
INTS = rng(4).integers(-9, 9, (3, 4)).astype(np.int32)
OTHER = rng(5).integers(1, 5, (1, 4)).astype(np.int32)


def _unary(op, function, x=WIDE, name="float", **parameters):
    build = lambda x: getattr(_mb(), op)(x=x, **parameters)  # noqa: E731
    return Case(op, name, {"x": x}, build, lambda: function(x) if callable(function) else _tf(function, x), rtol=2e-5)


UNARY = [
    *(
        _unary(op, name)
        for op, name in {
            "ceil": "math.ceil",
            "cos": "math.cos",
            "erf": "math.erf",
            "exp": "math.exp",
            "floor": "math.floor",
            "round": "math.round",
            "sin": "math.sin",
            "sinh": "math.sinh",
            "cosh": "math.cosh",
            "tanh": "math.tanh",
            "atan": "math.atan",
            "abs": "math.abs",
            "sign": "math.sign",
            "square": "math.square",
            "identity": "identity",
        }.items()
    ),
    *(
        _unary(op, name, UNIT)
        for op, name in {
            "acos": "math.acos",
            "asin": "math.asin",
            "atanh": "math.atanh",
            "tan": "math.tan",
        }.items()
    ),
    _unary("sqrt", "math.sqrt", POSITIVE),
    _unary("exp2", lambda x: np.power(2.0, x.astype(np.float64)).astype(np.float32)),
    _unary("abs", "math.abs", INTS, "int"),
    _unary("square", "math.square", INTS, "int"),
    _unary("log", lambda x: _tf("math.log", x + np.float32(0.5)), POSITIVE, epsilon=np.float32(0.5)),
    _unary("rsqrt", lambda x: _tf("math.rsqrt", x + np.float32(0.25)), POSITIVE, epsilon=np.float32(0.25)),
    _unary("inverse", lambda x: _tf("math.reciprocal", x + np.float32(0.1)), POSITIVE, epsilon=np.float32(0.1)),
    _unary("clip", lambda x: _tf("clip_by_value", x, -1.0, 2.0), alpha=np.float32(-1), beta=np.float32(2)),
    _unary("threshold", lambda x: _tf("maximum", x, 0.75), alpha=np.float32(0.75)),
    _unary("cast", lambda x: _tf("cast", x, np.int32), dtype="int32", name="towards-zero"),
    _unary("cast", lambda x: _tf("cast", x, np.float32), INTS, "int-to-float", dtype="fp32"),
    Case(
        "cast",
        "bool",
        {"x": WIDE},
        lambda x: _numbers(_mb().cast(x=x, dtype="bool")),
        lambda: (WIDE != 0).astype(np.int32),
    ),
    Case(
        "logical_not",
        "x",
        {"x": WIDE},
        lambda x: _numbers(_mb().logical_not(x=_mb().greater(x=x, y=0.0))),
        lambda: _tf("math.logical_not", WIDE > 0).astype(np.int32),
    ),
]


def _binary(op, function, x, y, name, out=lambda var: var):
    def expect():
        got = _tf(function, x, y)
        return got.astype(np.int32) if got.dtype == bool else got

    return Case(op, name, {"x": x, "y": y}, lambda x, y: out(getattr(_mb(), op)(x=x, y=y)), expect)


LEFT, RIGHT = WIDE, normal(4, 1, seed=8)
BINARY = [
    *(
        _binary(op, name, LEFT, RIGHT, "float")
        for op, name in {
            "add": "add",
            "sub": "subtract",
            "mul": "multiply",
            "real_div": "divide",
            "maximum": "maximum",
            "minimum": "minimum",
            "floor_div": "math.floordiv",
            "mod": "math.floormod",
        }.items()
    ),
    *(
        _binary(op, name, INTS, OTHER, "int")
        for op, name in {
            "add": "add",
            "sub": "subtract",
            "mul": "multiply",
            "maximum": "maximum",
            "minimum": "minimum",
            "floor_div": "math.floordiv",
            "mod": "math.floormod",
        }.items()
    ),
    _binary("real_div", "truncatediv", INTS, OTHER, "int"),
    _binary("pow", "pow", POSITIVE, UNIT, "float"),
    *(
        _binary(op, f"math.{op}", x, y, name, _numbers)
        for op, (x, y, name) in itertools.product(
            ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal"),
            ((np.sign(LEFT), np.sign(RIGHT), "float"), (INTS // 4, OTHER - 2, "int")),
        )
    ),
    *(
        Case(
            op,
            "truth-table",
            {"x": INTS // 5, "y": OTHER // 3},
            lambda x, y, op=op: _numbers(
                getattr(_mb(), op)(x=_mb().cast(x=x, dtype="bool"), y=_mb().cast(x=y, dtype="bool"))
            ),
            lambda op=op: _tf(f"math.{op}", INTS // 5 != 0, OTHER // 3 != 0).astype(np.int32),
        )
        for op in ("logical_and", "logical_or", "logical_xor")
    ),
    Case(
        "select",
        "broadcast",
        {"x": LEFT, "y": RIGHT},
        lambda x, y: _mb().select(cond=_mb().greater(x=x, y=0.0), a=x, b=y),
        lambda: _tf("where", LEFT > 0, LEFT, RIGHT),
    ),
]


def _activation(op, function, name="x", **parameters):
    return _unary(op, function, name=name, **parameters)


def _f(value):
    return np.float32(value)


CHANNELS = normal(2, 3, 4, 5, seed=6)
ALPHA, BETA = rng(7).uniform(0.1, 2, 3).astype(np.float32), rng(8).uniform(0.1, 2, 3).astype(np.float32)

ACTIVATIONS = [
    _activation("relu", "nn.relu"),
    _activation("relu6", "nn.relu6"),
    _activation("sigmoid", "nn.sigmoid"),
    _activation("silu", "nn.silu"),
    _activation("softplus", "nn.softplus"),
    _activation("softsign", "nn.softsign"),
    _unary("softplus", "nn.softplus", np.array([[200.0, -200.0, 88.8, 0.0]], np.float32), "extremes"),
    _activation("elu", lambda x: ort("Elu", [x], alpha=1.5), alpha=_f(1.5)),
    _activation("leaky_relu", lambda x: _tf("nn.leaky_relu", x, 0.3), alpha=_f(0.3)),
    _activation("thresholded_relu", lambda x: ort("ThresholdedRelu", [x], alpha=0.7), alpha=_f(0.7)),
    _activation("sigmoid_hard", lambda x: ort("HardSigmoid", [x], alpha=0.3, beta=0.4), alpha=_f(0.3), beta=_f(0.4)),
    _activation("clamped_relu", lambda x: _tf("minimum", _tf("nn.leaky_relu", x, 0.3), 2.0), alpha=_f(0.3), beta=_f(2)),
    _activation("scaled_tanh", lambda x: 1.5 * _tf("tanh", np.float32(0.6) * x), alpha=_f(1.5), beta=_f(0.6)),
    _activation(
        "linear_activation", lambda x: _tf("add", x * np.float32(1.5), np.float32(0.6)), alpha=_f(1.5), beta=_f(0.6)
    ),
    _activation("gelu", lambda x: _tf("nn.gelu", x, False), "exact", mode="EXACT"),
    _activation("gelu", lambda x: _tf("nn.gelu", x, True), "tanh", mode="TANH_APPROXIMATION"),
    _activation(
        "gelu", lambda x: x * _tf("nn.sigmoid", np.float32(1.702) * x), "sigmoid", mode="SIGMOID_APPROXIMATION"
    ),
    _unary("prelu", lambda x: ort("PRelu", [x, ALPHA.reshape(3, 1, 1)]), CHANNELS, alpha=ALPHA),
    _unary(
        "softplus_parametric",
        lambda x: ALPHA.reshape(3, 1, 1) * _tf("nn.softplus", BETA.reshape(3, 1, 1) * x),
        CHANNELS,
        alpha=ALPHA,
        beta=BETA,
    ),
    *(
        Case(
            "softmax",
            f"axis{axis}",
            {"x": CHANNELS * 30},
            lambda x, axis=axis: _mb().softmax(x=x, axis=axis),
            lambda axis=axis: _tf("nn.softmax", CHANNELS * 30, axis),
        )
        for axis in (-1, 1, 0)
    ),
]

REDUCTIONS = {
    "reduce_sum": "reduce_sum",
    "reduce_mean": "reduce_mean",
    "reduce_max": "reduce_max",
    "reduce_min": "reduce_min",
    "reduce_prod": "reduce_prod",
    "reduce_log_sum_exp": "reduce_logsumexp",
}
ONNX_REDUCTIONS = {
    "reduce_l1_norm": "ReduceL1",
    "reduce_l2_norm": "ReduceL2",
    "reduce_sum_square": "ReduceSumSquare",
    "reduce_log_sum": "ReduceLogSum",
}
SMALL = rng(9).uniform(0.5, 2, (2, 3, 4)).astype(np.float32)


def _reduction(op, axes, keep):
    def expect():
        import tensorflow as tf

        if op in REDUCTIONS:
            return getattr(tf, REDUCTIONS[op])(SMALL, axes, keep).numpy()
        given = None if axes is None else np.array(axes, np.int64)
        return ort(ONNX_REDUCTIONS[op], [SMALL, given], keepdims=int(keep))

    options = {"keep_dims": keep} | ({} if axes is None else {"axes": axes})
    return Case(op, f"{axes}-{keep}", {"x": SMALL}, lambda x: getattr(_mb(), op)(x=x, **options), expect)


REDUCED = [
    *(
        _reduction(op, axes, keep)
        for op, (axes, keep) in itertools.product(
            [*REDUCTIONS, *ONNX_REDUCTIONS], (([1], False), ([-1, 0], True), (None, False))
        )
    ),
    *(
        Case(
            op,
            f"int-{op}",
            {"x": INTS},
            lambda x, op=op: getattr(_mb(), op)(x=x, axes=[1]),
            lambda op=op: _tf(REDUCTIONS[op], INTS, 1),
        )
        for op in ("reduce_sum", "reduce_max", "reduce_min", "reduce_prod")
    ),
    *(
        Case(
            op,
            f"{axis}-{keep}",
            {"x": WIDE},
            lambda x, op=op, axis=axis, keep=keep: getattr(_mb(), op)(x=x, axis=axis, keep_dims=keep),
            lambda kind=kind, axis=axis, keep=keep: ort(kind, [WIDE], axis=axis, keepdims=int(keep)).astype(np.int32),
            target,
        )
        for (op, kind), (axis, keep, target) in itertools.product(
            (("reduce_argmax", "ArgMax"), ("reduce_argmin", "ArgMin")), ((1, False, "iOS15"), (-1, True, "iOS17"))
        )
    ),
    Case(
        "reduce_log_sum_exp",
        "large",
        {"x": SMALL * 300},
        lambda x: _mb().reduce_log_sum_exp(x=x, axes=[2]),
        lambda: _tf("reduce_logsumexp", SMALL * 300, 2),
    ),
]

CASES = UNARY + BINARY + ACTIVATIONS + REDUCED


@pytest.mark.parametrize("case", CASES, ids=str)
def test_agrees_with_reference(case):
    check(case)
