"""`yuv`, and `resize` like opencv-4: equal to the bit to OpenCV 4.12.0, whose answers `opencv_oracle.py` wrote down."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent / "vectors"))

from camera_frames import LAYOUTS, place, random_frame
from opencv_sets import digest, frames, resizes
from proof import FORMULA, equal, seen

from packager.model.contract import FrameType, ImageSize, ImageType, Move, StepMismatchError, TensorType
from packager.plan.reference import size_of
from packager.steps import crop, resize, yuv

VECTORS = Path(__file__).parent / "vectors"
OPENCV: dict[str, Any] = json.loads((VECTORS / "opencv.json").read_text("utf-8"))
LIKE = f"OpenCV {OPENCV['opencv']}"
PILLOW = f"Pillow {PIL.__version__}"
SIDE = st.integers(1, 96)


def opencv(width: int, height: int, fit: str, method: str, fill: int = 0) -> resize.Params:
    return resize.Params.model_validate(
        {"width": width, "height": height, "fit": fit, "like": "opencv-4", "method": method, "fill": fill}
    )


def test_resize_is_opencvs() -> None:
    assert OPENCV["opencv"] == "4.12.0"
    expected = iter(OPENCV["resize"])
    wrong, count = [], 0
    for one in resizes():
        for method in ("nearest", "bilinear"):
            found = resize.apply(opencv(one.width, one.height, "stretch", method), one.image())
            count += 1
            same = digest(found) == next(expected)
            seen("resize", LIKE, 0, 0 if same else np.inf)
            if not same:
                wrong.append((method, one))
    assert not wrong, wrong[:5]
    assert count == len(OPENCV["resize"]) > 600


def test_frames_are_opencvs() -> None:
    names = []
    for name, frame in frames():
        names.append(name)
        for layout in LAYOUTS:
            placed = place(frame, layout, gap=3)
            assert np.frombuffer(placed.data, np.uint8)[placed.u] == frame.u[0, 0]
            found = yuv.apply(yuv.Params(range="limited"), frame)
            equal("yuv", LIKE, digest(found) == OPENCV["frames"][name][layout])
        equal("yuv", LIKE, digest(yuv.apply(yuv.Params(range="full"), frame)) == OPENCV["frames"][name]["full"])
    assert names == list(OPENCV["frames"])


@given(SIDE, SIDE, st.sampled_from((0, 90, 180, 270)), st.sampled_from(("limited", "full")))
@settings(derandomize=True, max_examples=60, deadline=None)
def test_a_turned_frame_is_pillows_rotation(w: int, h: int, rotation: Any, span: Any) -> None:
    frame = random_frame(w, h, np.random.default_rng(w * 97 + h))
    level = Image.fromarray(yuv.apply(yuv.Params(range=span), frame))
    turned = level.rotate(-rotation, expand=True)
    own = replace(frame, rotation=rotation)
    np.testing.assert_array_equal(yuv.apply(yuv.Params(range=span), own), np.asarray(turned))
    assert size_of(own) == ImageSize(*turned.size)
    bound = yuv.Params(range=span, rotation=rotation)
    seen("yuv", PILLOW, yuv.apply(bound, frame), np.asarray(turned))
    np.testing.assert_array_equal(yuv.apply(bound, frame), np.asarray(turned))
    moves = yuv.geometry(bound, FrameType(w * h))
    assert moves == (() if rotation == 0 else (Move("orient", {90: 6, 180: 3, 270: 8}[rotation]),))


def test_a_pixel_of_an_odd_frame_has_its_chroma() -> None:
    frame = random_frame(5, 3, np.random.default_rng(0))
    found = yuv.apply(yuv.Params(range="limited"), frame)
    for y in range(3):
        for x in range(5):
            parts = (frame.y[y, x], frame.u[y // 2, x // 2], frame.v[y // 2, x // 2])
            one = yuv.limited(*(np.array(int(part), np.int32) for part in parts))
            np.testing.assert_array_equal(found[y, x], one)


def test_types() -> None:
    image = ImageType(None, None, "rgb", 2_000_000)
    assert yuv.result_type(yuv.Params(range="full"), FrameType(2_000_000)) == image
    with pytest.raises(StepMismatchError, match="`yuv` works on a camera frame"):
        yuv.result_type(yuv.Params(range="full"), image)
    with pytest.raises(StepMismatchError, match="`resize` works on an image"):
        resize.result_type(opencv(3, 3, "crop", "nearest"), TensorType("float32", (1, 2)))


@given(SIDE, SIDE, SIDE, SIDE, st.sampled_from(("crop", "letterbox")), st.sampled_from(("nearest", "bilinear")))
@settings(derandomize=True, max_examples=100, deadline=None)
def test_fits_are_those_of_pillow(w: int, h: int, width: int, height: int, fit: str, method: str) -> None:
    """The same box, size and place; what is inside is the stretched box."""
    image = np.random.default_rng(w + 97 * h).integers(0, 256, (h, w, 3), np.uint8)
    found = resize.apply(opencv(width, height, fit, method, 114), image)
    g = resize._geometry.place(w, h, width, height, fit)  # type: ignore[arg-type]
    box = image[g.top : g.top + g.box_height, g.left : g.left + g.box_width]
    inside = resize.apply(opencv(g.width, g.height, "stretch", method), box)
    expected = np.full((height, width, 3), 114, np.uint8)
    expected[g.y : g.y + g.height, g.x : g.x + g.width] = inside
    np.testing.assert_array_equal(found, expected)


@given(SIDE, SIDE, st.integers(1, 64), st.sampled_from(("nearest", "bilinear", "bicubic", "lanczos")))
@settings(derandomize=True, max_examples=100, deadline=None)
def test_shorter_is_torchvisions_size_and_pillows_pixels(w: int, h: int, side: int, method: str) -> None:
    """torchvision's `_compute_resized_output_size`: int(size * long / short)."""
    image = np.random.default_rng(w + 97 * h).integers(0, 256, (h, w, 3), np.uint8)
    bound = resize.Params.model_validate({"shorter": side, "like": "pillow", "method": method})
    short, long = min(w, h), max(w, h)
    other = int(side * long / short)
    size = (side, other) if w <= h else (other, side)
    expected = Image.fromarray(image).resize(size, Image.Resampling[method.upper()])
    seen("resize", PILLOW, resize.apply(bound, image), np.asarray(expected))
    np.testing.assert_array_equal(resize.apply(bound, image), np.asarray(expected))
    assert resize.result_type(bound, ImageType(w, h, "rgb", w * h)) == ImageType(*size, "rgb", size[0] * size[1])


@given(st.integers(1, 96), st.integers(1, 96), st.integers(1, 96), st.integers(1, 96))
@settings(derandomize=True, max_examples=100, deadline=None)
def test_even_rounding_is_torchvisions_centre_crop(w: int, h: int, width: int, height: int) -> None:
    """torchvision's `center_crop`: int(round((h - height) / 2.0))."""
    width, height = min(w, width), min(h, height)
    image = np.random.default_rng(0).integers(0, 256, (h, w, 1), np.uint8)
    top, left = round((h - height) / 2.0), round((w - width) / 2.0)
    found = crop.apply(crop.Params(width=width, height=height, rounding="even"), image)
    seen("crop", FORMULA, found, image[top : top + height, left : left + width])
    np.testing.assert_array_equal(found, image[top : top + height, left : left + width])


@given(SIDE, SIDE, SIDE, SIDE, st.sampled_from(("crop", "stretch", "letterbox", "shorter")), st.booleans())
@settings(derandomize=True, max_examples=150, deadline=None)
def test_workspace_of_a_bound_covers_every_image_in_it(
    w: int, h: int, width: int, height: int, fit: str, blend: bool
) -> None:
    if max(w, h) > 16 * min(w, h):
        return
    bound = opencv(width, height, fit, "bilinear" if blend else "nearest") if fit != "shorter" else None
    method = "bilinear" if blend else "nearest"
    bound = bound or resize.Params.model_validate({"shorter": width, "like": "pillow", "method": method})
    stated = resize.call(bound, ImageType(None, None, "rgb", w * h)).workspace
    assert resize.call(bound, ImageType(w, h, "rgb", w * h)).workspace <= stated


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"like": "opencv-4", "method": "lanczos", "width": 3, "height": 3, "fit": "crop"}, "only like pillow"),
        ({"like": "pillow", "method": "bilinear", "width": 3}, "or `shorter` is needed"),
        ({"like": "pillow", "method": "bilinear", "width": 3, "height": 3}, "or `shorter` is needed"),
        ({"like": "pillow", "method": "bilinear", "shorter": 3, "fit": "crop"}, "stands alone"),
        ({"like": "opencv-4", "method": "bilinear", "shorter": 3}, "only like pillow"),
    ],
)
def test_parameters_are_checked(params: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        resize.Params.model_validate(params)


def test_rounding_goes_with_a_size() -> None:
    with pytest.raises(ValueError, match="`rounding` goes with"):
        crop.Params(ratio="4:3", rounding="even")


def test_a_result_is_not_mapped_back_through_even_rounding() -> None:
    bound = crop.Params(width=3, height=2, rounding="even")
    with pytest.raises(StepMismatchError, match="mapped back"):
        crop.geometry(bound, ImageType(None, None, "rgb", 99))
    assert crop.geometry(crop.Params(width=3, height=2), ImageType(None, None)) == (Move("crop_size", 3, 2),)
