"""The steps of images beside resize, and those of scores: against the real libraries."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from packager.model.contract import ImageType, StepMismatchError, TensorType
from packager.steps import (
    alpha,
    cmyk,
    crop,
    depth,
    grey,
    labels,
    layout,
    log_softmax,
    orient,
    sigmoid,
    srgb,
    standardize,
)

sys.path.insert(0, str(Path(__file__).parent / "vectors"))

from icc import display_p3
from proof import FORMULA, equal, seen

PILLOW = f"Pillow {PIL.__version__}"
SIDE = st.integers(1, 96)
SEED = st.integers(0, 1000)
RGB = ImageType(4, 3, "rgb", 12)


def noise(w: int, h: int, c: int, seed: int) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (h, w, c), np.uint8)


def every_pair() -> Any:
    """uint8 [256, 256, 2]: all pairs of levels."""
    return np.stack(np.meshgrid(np.arange(256), np.arange(256)), axis=-1).astype(np.uint8)


def pillows(found: Any, step: str, expected: Image.Image) -> None:
    """Equal to the bit to what Pillow gives."""
    seen(step, PILLOW, found, np.asarray(expected))
    np.testing.assert_array_equal(found, np.asarray(expected))


@given(SIDE, SIDE, SEED)
@settings(derandomize=True, deadline=None)
def test_grey_is_pillows(w: int, h: int, seed: int) -> None:
    image = noise(w, h, 3, seed)
    pillows(grey.apply(grey.Params(), image)[..., 0], "grey", Image.fromarray(image).convert("L"))


def test_grey_of_all_levels() -> None:
    levels = np.arange(0, 256, 5)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).astype(np.uint8).reshape(52, -1, 3)
    pillows(grey.apply(grey.Params(), cube)[..., 0], "grey", Image.fromarray(cube).convert("L"))
    assert grey.result_type(grey.Params(), RGB) == ImageType(4, 3, "grey", 12)
    with pytest.raises(StepMismatchError, match="`grey` works on rgb pixels"):
        grey.result_type(grey.Params(), ImageType(4, 3, "bgr", 12))


@given(st.integers(1, 8), SIDE, SIDE, SEED)
@settings(derandomize=True, deadline=None)
def test_orient_is_pillows(orientation: int, w: int, h: int, seed: int) -> None:
    image = noise(w, h, 3, seed)
    tagged = Image.fromarray(image)
    tagged.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(tagged))
    bound = orient.Params(orientation=orientation)
    pillows(orient.apply(bound, image), "orient", ImageOps.exif_transpose(tagged))
    result = orient.result_type(bound, ImageType(w, h, "rgb", w * h))
    assert isinstance(result, ImageType)
    assert (result.height, result.width) == expected.shape[:2]


@given(SIDE, SIDE, st.integers(1, 40), st.integers(1, 40))
@settings(derandomize=True, deadline=None)
def test_crop_to_a_ratio_is_the_largest_centred_box(w: int, h: int, a: int, b: int) -> None:
    image = noise(w, h, 1, w)
    found = crop.apply(crop.Params(ratio=f"{a}:{b}"), image)
    height, width = found.shape[:2]
    assert width == w or height == h
    assert width <= max(1, h * a / b)
    assert height <= max(1, w * b / a)
    assert width == w or (width + 1) * b > h * a
    assert height == h or (height + 1) * a > w * b
    left, top = (w - width) // 2, (h - height) // 2
    cut = Image.fromarray(image[..., 0]).crop((left, top, left + width, top + height))
    pillows(found[..., 0], "crop", cut)


def test_crop_to_a_size() -> None:
    bound = crop.Params(width=3, height=2)
    image = noise(8, 7, 3, 0)
    np.testing.assert_array_equal(crop.apply(bound, image), image[2:4, 2:5])
    assert crop.result_type(bound, ImageType(None, None, "rgb", 99)) == ImageType(3, 2, "rgb", 6)
    with pytest.raises(ValueError, match="smaller than 3x2"):
        crop.apply(bound, image[:, :2])
    with pytest.raises(StepMismatchError, match="`crop` to 3x2 of image"):
        crop.result_type(bound, ImageType(2, 9, "rgb", 18))


@pytest.mark.parametrize(
    "bad", [{}, {"width": 3}, {"width": 3, "height": 2, "ratio": "4:3"}, {"ratio": "0:3"}, {"ratio": "a"}]
)
def test_crop_parameters_are_checked(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"width|ratio"):
        crop.Params.model_validate(bad)


@pytest.mark.parametrize("background", [0, 1, 114, 254, 255])
def test_alpha_over_is_pillows_paste(background: int) -> None:
    pairs = every_pair()
    image = np.concatenate([np.repeat(pairs[..., :1], 3, axis=-1), pairs[..., 1:]], axis=-1)
    canvas = Image.new("RGB", (256, 256), (background,) * 3)
    canvas.paste(Image.fromarray(image[..., :3]), (0, 0), Image.fromarray(image[..., 3]))
    found = alpha.apply(alpha.Params(mode="over", background=background), image)
    pillows(found, "alpha", canvas)


def test_alpha_drop_keeps_colours() -> None:
    image = noise(5, 4, 4, 1)
    pillows(alpha.apply(alpha.Params(mode="drop"), image), "alpha", Image.fromarray(image).convert("RGB"))
    with pytest.raises(StepMismatchError, match="`alpha` works on rgba pixels"):
        alpha.result_type(alpha.Params(mode="drop"), RGB)


def test_cmyk_is_pillows() -> None:
    pairs = every_pair()
    image = np.concatenate([pairs[..., :1], pairs[..., :1] // 3, 255 - pairs[..., :1], pairs[..., 1:]], axis=-1)
    pillows(
        cmyk.apply(cmyk.Params(), image), "cmyk", Image.frombytes("CMYK", (256, 256), image.tobytes()).convert("RGB")
    )


def test_depth_is_pillows_high_byte() -> None:
    wide = np.random.default_rng(0).integers(0, 65536, (11, 7, 3), np.uint16)
    expected = Image.frombytes("RGB", (7, 11), wide.astype(">u2").tobytes(), "raw", "RGB;16B")
    pillows(depth.apply(depth.Params(), wide), "depth", expected)
    assert depth.result_type(depth.Params(), TensorType("uint16", (11, 7, 3))) == ImageType(7, 11, "rgb", 77)
    with pytest.raises(StepMismatchError, match="1, 3 or 4 channels"):
        depth.result_type(depth.Params(), TensorType("uint16", (11, 7, 2)))


def levels_cube() -> Any:
    levels = np.arange(0, 256, 5)
    return np.stack(np.meshgrid(levels, levels, levels), axis=-1).astype(np.uint8).reshape(52, -1, 3)


def test_srgb_is_within_one_level_of_littlecms() -> None:
    cube = levels_cube()
    profile = ImageCms.ImageCmsProfile(io.BytesIO(display_p3()))
    expected = ImageCms.profileToProfile(
        Image.fromarray(cube),
        profile,
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.NOOPTIMIZE,
    )
    assert expected is not None
    made = srgb.apply(srgb.Params(source="display_p3"), cube)
    seen("srgb", f"LittleCMS {ImageCms.core.littlecms_version}", made, np.asarray(expected))
    off = np.abs(made.astype(int) - np.asarray(expected))
    print(f"srgb: worst {off.max()} level, {(off > 0).mean():.2%} of values differ from littlecms")
    assert off.max() <= 1
    assert (off > 0).mean() < 0.005


def test_srgb_keeps_every_grey() -> None:
    greys = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    np.testing.assert_array_equal(srgb.apply(srgb.Params(source="display_p3"), greys), greys)


def test_srgb_sums_fit_int32() -> None:
    linear, thresholds, matrix = srgb.tables("display_p3")
    rows = np.array(matrix, np.int64).reshape(3, 3)
    assert np.clip(rows, 0, None).sum(axis=1).max() * max(linear) < 2**31
    assert list(thresholds) == sorted(set(thresholds))
    assert max(thresholds) < 2**30


@given(SIDE, SIDE, st.sampled_from((1, 3)), SEED)
@settings(derandomize=True, deadline=None)
def test_standardize_pixels_and_floats_agree(w: int, h: int, channels: int, seed: int) -> None:
    image = noise(w, h, channels, seed)
    wide = image.astype(np.float64)
    for like, guard in (("tensorflow", max(wide.std(), 1 / np.sqrt(wide.size))), ("keras", wide.std() + 1e-6)):
        bound = standardize.Params.model_validate({"like": like})
        exact = (wide - wide.mean()) / guard
        seen("standardize", FORMULA, standardize.apply(bound, image), exact)
        np.testing.assert_allclose(standardize.apply(bound, image)[0], exact, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(standardize.apply(bound, image.astype(np.float32)), exact, rtol=1e-6, atol=1e-6)


def test_a_flat_image_standardizes_to_zero() -> None:
    for like in ("tensorflow", "keras"):
        found = standardize.apply(standardize.Params.model_validate({"like": like}), np.full((4, 4, 3), 9, np.uint8))
        np.testing.assert_array_equal(found, np.zeros((1, 4, 4, 3), np.float32))


def test_layout() -> None:
    bound = layout.Params(order="nchw")
    value = np.arange(24, dtype=np.float32).reshape(1, 2, 4, 3)
    found = layout.apply(bound, value)
    assert layout.result_type(bound, TensorType("float32", value.shape)) == TensorType("float32", (1, 3, 2, 4))
    each = [found[0, c, y, x] == value[0, y, x, c] for c in range(3) for y in range(2) for x in range(4)]
    equal("layout", FORMULA, all(each))
    with pytest.raises(StepMismatchError, match=r"turns \[1, h, w, c\]"):
        layout.result_type(bound, TensorType("float32", (1, 5)))


@given(st.lists(st.floats(-80, 80, width=32), min_size=1, max_size=20))
@settings(derandomize=True, deadline=None)
def test_log_softmax_and_sigmoid(scores: list[float]) -> None:
    row = np.array([scores], np.float32)
    wide = row.astype(np.longdouble)
    exact = wide - wide.max() - np.log(np.exp(wide - wide.max()).sum())
    chance = 1 / (1 + np.exp(-wide))
    seen("log_softmax", FORMULA, log_softmax.apply(log_softmax.Params(), row), exact)
    seen("sigmoid", FORMULA, sigmoid.apply(sigmoid.Params(), row), chance)
    np.testing.assert_allclose(log_softmax.apply(log_softmax.Params(), row), exact, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(sigmoid.apply(sigmoid.Params(), row), chance, rtol=1e-6, atol=1e-30)


def test_labels_above_a_threshold() -> None:
    bound = labels.bind(labels.Params.model_validate({"names": ["a", "b", "c"], "threshold": 0.5}), {})
    assert bound.top == 3
    found = labels.apply(bound, np.array([[0.5, 0.49, 0.9]], np.float32))
    equal("labels", FORMULA, [x.label for x in found.labels] == ["c", "a"])
    assert labels.apply(bound, np.zeros((1, 3), np.float32)).labels == ()
