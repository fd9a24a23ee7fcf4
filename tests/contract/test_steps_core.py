"""channels, normalize, quantize, dequantize, softmax, labels: formulas, fusion and refusals."""

from __future__ import annotations

import math
import struct
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent / "vectors"))

from proof import FORMULA, equal, seen

from packager.core.constants import Choice, Float32
from packager.model.contract import ImageType, StepMismatchError, TensorType
from packager.model.tensors import Activation
from packager.steps import channels, dequantize, labels, normalize, quantize, softmax

RGB = ImageType(4, 3, "rgb", 12)
FLOAT = TensorType("float32", (1, 4))
FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)
SCALE = st.floats(min_value=2**-20, max_value=2**20, width=32)


def numbers(mean: Any, std: Any) -> normalize.Params:
    return normalize.Params.model_validate({"mean": mean, "std": std})


def test_channels_exchanges_first_and_third() -> None:
    image = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    found = channels.apply(channels.Params(order="bgr"), image)
    np.testing.assert_array_equal(found[..., 0], image[..., 2])
    np.testing.assert_array_equal(found[..., 1], image[..., 1])
    seen("channels", FORMULA, found, image[..., ::-1])
    assert channels.result_type(channels.Params(order="bgr"), RGB) == ImageType(4, 3, "bgr", 12)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (RGB, "the image is rgb already"),
        (ImageType(4, 3, "grey", 12), "orders three channels"),
        (FLOAT, "works on an image"),
    ],
)
def test_channels_refuses(value: Any, text: str) -> None:
    with pytest.raises(StepMismatchError, match=text):
        channels.result_type(channels.Params(order="rgb"), value)


@given(st.integers(0, 255), st.floats(-300, 300), st.floats(0.01, 300))
@settings(derandomize=True, deadline=None)
def test_normalize_of_a_pixel_is_the_float64_quotient_rounded_once(value: int, mean: float, std: float) -> None:
    found = normalize.apply(numbers(mean, std), np.full((1, 1, 1), value, np.uint8))
    assert found.shape == (1, 1, 1, 1)
    assert found.dtype == np.float32
    rounded = struct.unpack("<f", struct.pack("<f", (value - mean) / std))[0]
    seen("normalize", FORMULA, found, rounded)
    assert found.item() == rounded


def test_normalize_uses_each_channels_numbers() -> None:
    image = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    found = normalize.apply(numbers([1, 2, 3], [1, 2, 4]), image)
    np.testing.assert_array_equal(found[0], (image.astype(np.float32) - [1, 2, 3]) / np.array([1, 2, 4], np.float32))
    assert normalize.result_type(numbers(0, 1), RGB) == TensorType("float32", (1, 3, 4, 3))


@given(FINITE, FINITE, st.floats(min_value=0.5, max_value=100, width=32))
@settings(derandomize=True, deadline=None)
def test_normalize_of_a_float_rounds_each_operation(value: float, mean: float, std: float) -> None:
    with np.errstate(over="ignore"):
        moved = np.float32(value) - np.float32(mean)
        found = normalize.apply(numbers(mean, std), np.array([[value]], np.float32))
        expected = np.float32(moved / np.float32(std))
        seen("normalize", FORMULA, found, expected)
        assert found.item() == expected


@pytest.mark.parametrize(
    ("bound", "value", "text"),
    [
        (numbers([1, 2], 1), RGB, "2 numbers in `mean`, but the value has 3 channels"),
        (numbers(0, [1, 1, 1, 1]), RGB, "4 numbers in `std`"),
        (numbers(0, 1), ImageType(None, None, "rgb", 9), "needs an image of a known size"),
        (numbers(0, 1), TensorType("int8", (1, 3)), "works on a float32 tensor"),
    ],
)
def test_normalize_refuses(bound: normalize.Params, value: Any, text: str) -> None:
    with pytest.raises(StepMismatchError, match=text):
        normalize.result_type(bound, value)


@pytest.mark.parametrize(
    "bad", [{"mean": 0, "std": 0}, {"mean": float("nan"), "std": 1}, {"mean": [], "std": 1}, {"mean": True, "std": 1}]
)
def test_normalize_parameters_are_checked(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"mean|std"):
        normalize.Params.model_validate(bad)


@given(FINITE, SCALE, st.integers(-128, 127))
@settings(derandomize=True, max_examples=500, deadline=None)
def test_quantize_rounds_half_away(value: float, scale: float, zero_point: int) -> None:
    """Against exact rational arithmetic on the float32 quotient."""
    bound = quantize.Params(scale=scale, zero_point=zero_point)
    with np.errstate(over="ignore", under="ignore"):
        quotient = float(np.float32(value) / np.float32(scale))
    found = int(quantize.apply(bound, np.array([value], np.float32))[0])
    if math.isinf(quotient):
        assert found == (127 if quotient > 0 else -128)
        return
    exact = Fraction(quotient)
    nearest = math.floor(abs(exact) + Fraction(1, 2))
    expected = max(-128, min(127, (nearest if exact >= 0 else -nearest) + zero_point))
    seen("quantize", FORMULA, found, expected)
    assert found == expected


def test_quantize_of_not_a_number_is_the_zero_point() -> None:
    values = np.array([np.nan, np.inf, -np.inf], np.float32)
    found = quantize.apply(quantize.Params(scale=0.5, zero_point=-3), values)
    np.testing.assert_array_equal(found, np.array([-3, 127, -128], np.int8))


@pytest.mark.parametrize("scale", [2**-8, 0.003921568859368563, 0.1])
def test_dequantize_inverts_quantize(scale: float) -> None:
    every = np.arange(-128, 128).astype(np.int8)
    real = dequantize.apply(dequantize.Params(scale=scale, zero_point=-7), every)
    expected = (every.astype(np.float32) + 7) * np.float32(scale)
    seen("dequantize", FORMULA, real, expected)
    np.testing.assert_array_equal(real, expected)
    np.testing.assert_array_equal(quantize.apply(quantize.Params(scale=scale, zero_point=-7), real), every)


def test_dequantize_keeps_what_ended_the_model() -> None:
    ended = TensorType("int8", (1, 4), Activation("softmax", "StatefulPartitionedCall"))
    result = dequantize.result_type(dequantize.Params(scale=1.0, zero_point=0), ended)
    with pytest.raises(StepMismatchError, match=r"softmax.*`StatefulPartitionedCall`"):
        softmax.result_type(softmax.Params(), result)


def test_pixels_go_straight_to_int8() -> None:
    step = quantize.Params(scale=0.0078125, zero_point=-1)
    bound = numbers(127.5, 127.5)
    fused = normalize.fuse(bound, RGB, [("quantize", step)])
    assert fused is not None
    call, taken = fused
    assert (call.function, taken) == ("normalize_quantize", 1)
    assert call.output == TensorType("int8", (1, 3, 4, 3))
    assert call.arguments[-2:] == (("scale", Float32(0.0078125)), ("zero_point", -1))
    every = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    composed = normalize.quantized_table(127.5, 127.5, 0.0078125, -1)
    np.testing.assert_array_equal(quantize.apply(step, normalize.apply(bound, every)).reshape(-1), composed)


def test_channels_cost_nothing_before_normalize() -> None:
    swap, bound = channels.Params(order="bgr"), numbers([1, 2, 3], 2)
    plain = channels.fuse(swap, RGB, [("normalize", bound)])
    whole = channels.fuse(swap, RGB, [("normalize", bound), ("quantize", quantize.Params(scale=1.0, zero_point=0))])
    assert plain is not None
    assert whole is not None
    assert (plain[0].function, plain[1]) == ("normalize", 1)
    assert (whole[0].function, whole[1]) == ("normalize_quantize", 2)
    assert dict(plain[0].arguments)["order"] == dict(whole[0].arguments)["order"] == Choice("channel_order", "bgr")
    assert channels.fuse(swap, RGB, [("resize", None)]) is None
    assert channels.fuse(swap, RGB, []) is None


@given(st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=20))
@settings(derandomize=True, deadline=None)
def test_softmax(scores: list[float]) -> None:
    found = softmax.apply(softmax.Params(), np.array([scores], np.float32))
    exact = [math.exp(s - max(scores)) for s in scores]
    expected = np.array(exact) / math.fsum(exact)
    seen("softmax", FORMULA, found, expected)
    np.testing.assert_allclose(found[0], expected, rtol=1e-6, atol=1e-7)


def test_softmax_of_a_bad_row_is_not_a_number() -> None:
    rows = np.array([[1, np.nan], [np.inf, 1], [0, 0]], np.float32)
    found = softmax.apply(softmax.Params(), rows)
    assert np.isnan(found[:2]).all()
    np.testing.assert_array_equal(found[2], np.array([0.5, 0.5], np.float32))


@pytest.mark.parametrize("kind", ["softmax", "log_softmax", "sigmoid"])
def test_a_second_softmax_is_refused_by_node(kind: str) -> None:
    ended = TensorType("float32", (1, 4), Activation(kind, "dense/Softmax"))
    with pytest.raises(StepMismatchError, match=rf"already ends in {kind} \(node `dense/Softmax`\)") as fault:
        softmax.result_type(softmax.Params(), ended)
    assert fault.value.hint == "remove the `softmax` step"


def label_step(**given_: Any) -> labels.BoundLabels:
    return labels.bind(labels.Params.model_validate(given_), {})


def test_labels_are_best_first_and_ties_keep_their_order() -> None:
    bound = label_step(names=["a", "b", "c", "d"], top=3)
    found = labels.apply(bound, np.array([[0.5, 0.75, 0.5, 0.75]], np.float32))
    best = [(x.label, x.score, x.index) for x in found.labels]
    equal("labels", FORMULA, best == [("b", 0.75, 1), ("d", 0.75, 3), ("a", 0.5, 0)])
    assert found.to_json()["labels"][0] == {"label": "b", "score": 0.75, "index": 1}


def test_labels_of_a_score_that_is_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        labels.apply(label_step(names=["a", "b"]), np.array([[0.5, np.nan]], np.float32))


def test_labels_keep_five_unless_told() -> None:
    assert label_step(names=["a", "b"]).top == 2
    assert label_step(names=list("abcdefgh")).top == 5
    with pytest.raises(StepMismatchError, match="`top: 3` of 2 labels"):
        label_step(names=["a", "b"], top=3)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"person\n\nother\n", "labels.txt:2 is blank"),
        (b"", "holds no labels"),
        (b"caf\xe9\n", "not UTF-8"),
        (b"a\0b\n", "NUL"),
    ],
)
def test_label_files_are_checked(tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "labels.txt").write_bytes(content)
    params = labels.Params.model_validate({"file": "labels.txt"})
    assert params.files() == {"file": "labels.txt"}
    with pytest.raises(StepMismatchError, match=text):
        labels.bind(params, {"file": tmp_path / "labels.txt"})


def test_label_files_of_any_platform(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_bytes("\ufeffa\r\n b \r\nné".encode())
    bound = labels.bind(labels.Params.model_validate({"file": "x"}), {"file": tmp_path / "labels.txt"})
    assert bound.names == ("a", " b ", "né")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (TensorType("float32", (1, 3)), "there are 2 labels, but the model gives 3 scores"),
        (TensorType("float32", (2, 2)), "names one row"),
        (RGB, "works on a float32 tensor"),
    ],
)
def test_labels_refuse(value: Any, text: str) -> None:
    with pytest.raises(StepMismatchError, match=text):
        labels.result_type(label_step(names=["a", "b"]), value)


@pytest.mark.parametrize("bad", [{}, {"file": "a", "names": ["b"]}, {"names": ["a"], "top": 0}, {"names": [""]}])
def test_label_parameters_are_checked(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"file|top|names"):
        labels.Params.model_validate(bad)
