"""`resize` like pillow: equal to the bit to Pillow 13.0.0."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent / "vectors"))

from proof import seen

from packager.model.contract import ImageType, TensorType
from packager.steps import resize

METHODS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
SIDE = st.integers(1, 96)


def picture(w: int, h: int, channels: int, seed: int, *, extremes: bool) -> Any:
    rng = np.random.default_rng(seed)
    if extremes:
        return (rng.integers(0, 2, (h, w, channels)) * 255).astype(np.uint8)
    return rng.integers(0, 256, (h, w, channels), np.uint8)


def pil(array: Any) -> Image.Image:
    return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)


def pixels(image: Image.Image) -> Any:
    return np.asarray(image).reshape(image.height, image.width, -1)


def params(width: int, height: int, fit: str, method: str, fill: int = 0) -> resize.Params:
    return resize.Params.model_validate(
        {"width": width, "height": height, "fit": fit, "like": "pillow", "method": method, "fill": fill}
    )


def same(found: Any, expected: Any) -> None:
    """Equal to the bit to what Pillow gives."""
    seen("resize", f"Pillow {PIL.__version__}", found, expected)
    np.testing.assert_array_equal(found, expected)


def test_the_pinned_version_is_the_oracle() -> None:
    assert PIL.__version__ == "13.0.0"


@given(
    SIDE, SIDE, SIDE, SIDE, st.sampled_from((1, 3)), st.sampled_from(sorted(METHODS)), st.booleans(), st.integers(0, 9)
)
@example(20, 90, 18, 10, 3, "lanczos", True, 0)
@example(90, 20, 10, 18, 3, "lanczos", True, 0)
@settings(derandomize=True, max_examples=400, deadline=None)
def test_stretch(
    w: int, h: int, width: int, height: int, channels: int, method: str, extremes: bool, seed: int
) -> None:
    image = picture(w, h, channels, seed, extremes=extremes)
    found = resize.apply(params(width, height, "stretch", method), image)
    same(found, pixels(pil(image).resize((width, height), METHODS[method])))


@given(SIDE, SIDE, SIDE, SIDE, st.sampled_from(sorted(METHODS)))
@settings(derandomize=True, max_examples=150, deadline=None)
def test_crop_is_the_largest_centred_box_then_resize(w: int, h: int, width: int, height: int, method: str) -> None:
    image = picture(w, h, 3, w * h, extremes=False)
    box_w, box_h = max(1, min(w, h * width // height)), max(1, min(h, w * height // width))
    left, top = (w - box_w) // 2, (h - box_h) // 2
    cut = pil(image).crop((left, top, left + box_w, top + box_h))
    found = resize.apply(params(width, height, "crop", method), image)
    same(found, pixels(cut.resize((width, height), METHODS[method])))


@given(SIDE, SIDE, SIDE)
@settings(derandomize=True, max_examples=50, deadline=None)
def test_crop_to_a_square_is_the_centred_square(w: int, h: int, side: int) -> None:
    image = picture(w, h, 3, w + h, extremes=False)
    s = min(w, h)
    left, top = (w - s) // 2, (h - s) // 2
    expected = pil(image).crop((left, top, left + s, top + s)).resize((side, side), METHODS["bilinear"])
    same(resize.apply(params(side, side, "crop", "bilinear"), image), pixels(expected))


@given(SIDE, SIDE, SIDE, SIDE, st.sampled_from(sorted(METHODS)))
@settings(derandomize=True, max_examples=150, deadline=None)
def test_letterbox_keeps_the_ratio_and_fills_the_rest(w: int, h: int, width: int, height: int, method: str) -> None:
    image = picture(w, h, 3, w * h, extremes=False)
    scale_w, scale_h = width * h, height * w
    new_w = width if scale_h >= scale_w else max(1, int(np.floor(w * height / h + 0.5)))
    new_h = height if scale_h < scale_w else max(1, int(np.floor(h * width / w + 0.5)))
    canvas = Image.new("RGB", (width, height), (114, 114, 114))
    canvas.paste(pil(image).resize((new_w, new_h), METHODS[method]), ((width - new_w) // 2, (height - new_h) // 2))
    same(resize.apply(params(width, height, "letterbox", method, 114), image), pixels(canvas))


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize(
    ("w", "h", "width", "height"),
    [
        (4000, 3000, 224, 224),
        (3000, 4000, 97, 131),
        (1, 4000, 7, 224),
        (4000, 1, 224, 7),
        (1999, 1501, 1998, 33),
        (641, 479, 640, 480),
        (30, 20, 1200, 801),
    ],
)
def test_large_and_odd(w: int, h: int, width: int, height: int, method: str) -> None:
    image = picture(w, h, 3, 7, extremes=w % 2 == 1)
    found = resize.apply(params(width, height, "stretch", method), image)
    same(found, pixels(pil(image).resize((width, height), METHODS[method])))


def test_types() -> None:
    bound = params(96, 64, "crop", "bilinear")
    image = ImageType(None, None, "bgr", 12_000_000)
    assert resize.result_type(bound, image) == ImageType(96, 64, "bgr", 96 * 64)
    with pytest.raises(Exception, match="`resize` works on an image, but the value before it is float32"):
        resize.result_type(bound, TensorType("float32", (1, 2)))


@given(SIDE, SIDE, SIDE, SIDE, st.sampled_from(("crop", "stretch", "letterbox")), st.sampled_from(sorted(METHODS)))
@settings(derandomize=True, max_examples=200, deadline=None)
def test_workspace_of_a_bound_covers_every_image_in_it(
    w: int, h: int, width: int, height: int, fit: str, method: str
) -> None:
    """What is stated for "at most n pixels" is enough for each size with n pixels or fewer."""
    bound = params(width, height, fit, method)
    if max(w, h) > 16 * min(w, h):
        return
    stated = resize.call(bound, ImageType(None, None, "rgb", w * h)).workspace
    assert resize.call(bound, ImageType(w, h, "rgb", w * h)).workspace <= stated
