"""Camera frames to colours."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from packager.core.constants import Choice
from packager.model.contract import Call, ContractType, Frame, FrameType, ImageType, Move, StepMismatchError, StepParams
from packager.steps._values import Array, aligned, largest_area

SUMMARY = "a YUV 4:2:0 camera frame to rgb by OpenCV's integer formula, turned upright"
ORIENTATIONS = {0: 1, 90: 6, 180: 3, 270: 8}
"""EXIF orientation that says the same as a rotation."""

LIMITED_BITS, FULL_BITS = 20, 14


class Params(StepParams):
    """What the camera's numbers mean, and how it is mounted."""

    range: Literal["limited", "full"] = Field(
        description="limited: luma 16 to 235, video and most Android cameras; full: 0 to 255, JPEG and iPhone's "
        "`420YpCbCr8BiPlanarFullRange`. Both by the matrix of ITU-R BT.601. A frame with that of BT.709 (iPhone's may: "
        "`kCVImageBufferYCbCrMatrixKey` says it) gives colours that are other by up to 37 of 255: have the camera "
        "deliver BGRA and hand it over as an rgb image, or train with such colours."
    )
    rotation: Literal[0, 90, 180, 270] = Field(
        default=0,
        description="How the camera is mounted: degrees clockwise, beside those that each frame says of itself.",
    )


def result_type(bound: Params, value: ContractType) -> ContractType:  # noqa: ARG001
    """Frame -> rgb image of the same size; 90 and 270 exchange width and height."""
    if not isinstance(value, FrameType):
        raise StepMismatchError(
            f"`yuv` works on a camera frame, but the value before it is {value}",
            "a camera frame",
            "write `accepts: {frame: {...}}`, and put `yuv` first",
        )
    return ImageType(None, None, "rgb", value.max_pixels)


def limited(y: Array, u: Array, v: Array) -> Array:
    """int32 [...] each -> uint8 [..., 3]: `cv2.COLOR_YUV2RGB_NV21`, `_NV12`, `_I420` of OpenCV 4.12.0.

    With l = max(0, y - 16) * 1220542 + 2^19, u and v less 128: R = l + 1673527 v; G = l - 852492 v - 409993 u;
    B = l + 2116026 u; each >> 20 and clamped to 0..255.
    """
    light = np.maximum(y - 16, 0) * 1220542 + (1 << (LIMITED_BITS - 1))
    u, v = u - 128, v - 128
    sums = np.stack([light + 1673527 * v, light - 852492 * v - 409993 * u, light + 2116026 * u], axis=-1)
    levels: Array = np.clip(sums >> LIMITED_BITS, 0, 255).astype(np.uint8)
    return levels


def full(y: Array, u: Array, v: Array) -> Array:
    """int32 [...] each -> uint8 [..., 3]: `cv2.COLOR_YCrCb2RGB` of OpenCV 4.12.0 with each chroma value repeated 2 x 2.

    With u and v less 128, h = 2^13: R = y + (22987 v + h >> 14); G = y + (-11698 v - 5636 u + h >> 14);
    B = y + (29049 u + h >> 14); each clamped to 0..255.
    """
    half = 1 << (FULL_BITS - 1)
    u, v = u - 128, v - 128
    red, blue = (22987 * v + half) >> FULL_BITS, (29049 * u + half) >> FULL_BITS
    green = (-11698 * v - 5636 * u + half) >> FULL_BITS
    levels: Array = np.clip(np.stack([y + red, y + green, y + blue], axis=-1), 0, 255).astype(np.uint8)
    return levels


def apply(bound: Params, value: Frame) -> Array:
    """Frame of h x w -> uint8 [h, w, 3], or [w, h, 3] where it is turned by 90 or 270 degrees.

    Each chroma value serves 2 x 2 pixels. The frame's own rotation and the contract's are added up.
    """
    h, w = value.y.shape
    u, v = (np.repeat(np.repeat(plane, 2, axis=0), 2, axis=1)[:h, :w].astype(np.int32) for plane in (value.u, value.v))
    convert = limited if bound.range == "limited" else full
    quarters = (value.rotation + bound.rotation) // 90
    return np.ascontiguousarray(np.rot90(convert(value.y.astype(np.int32), u, v), -quarters))


def geometry(bound: Params, value: ContractType) -> tuple[Move, ...]:  # noqa: ARG001
    """The contract's turn; places are in the frame as its own rotation makes it stand."""
    return (Move("orient", ORIENTATIONS[bound.rotation]),) if bound.rotation else ()


def call(bound: Params, value: ContractType) -> Call:
    """`yuv(range, rotation)`: frame -> image."""
    output = result_type(bound, value)
    assert isinstance(output, ImageType)
    arguments = (("range", Choice("yuv_range", bound.range)), ("rotation", bound.rotation))
    return Call("yuv", arguments, output, aligned(3 * largest_area(output)))
