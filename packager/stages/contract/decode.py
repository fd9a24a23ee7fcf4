"""From a sample's file to what the app hands over. What this version cannot convert it refuses in words."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from packager.model.contract import ContractType, ImageType, TensorType

SRGB_COLORANTS = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
"""sRGB's primaries adapted to D50 as ICC profiles store them (IEC 61966-2-1, Bradford), XYZ."""
COLORANT_TOLERANCE = 0.003
PLAIN_MODES = ("RGB", "L", "1", "P")
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
"""Pillow reads more, some by starting other programs."""


class DecodeError(Exception):
    """A sample cannot be decoded; `hint` says what to do."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


def decode(path: Path, kind: ContractType, ignore_profile: bool = False) -> NDArray[Any]:
    """Decode one file: uint8 H x W x 3 (oriented, sRGB) for an image, the array itself for a tensor (`.npy`).

    `ignore_profile` takes the pixels as sRGB whatever colour profile the file carries.
    Raises `DecodeError` for broken files, non-sRGB profiles, alpha, CMYK and 16 bit.
    """
    if isinstance(kind, ImageType):
        return _image(path, kind, ignore_profile)
    if isinstance(kind, TensorType):
        return _tensor(path, kind)
    raise DecodeError(f"{path.name}: nothing decodes into {kind}")


def _tensor(path: Path, kind: TensorType) -> NDArray[Any]:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as fault:
        raise DecodeError(f"{path.name} is not a .npy file: {fault}", "save the array with numpy.save") from fault
    if array.dtype.name != kind.dtype or array.shape != kind.shape:
        raise DecodeError(f"{path.name} holds {array.dtype.name}{list(array.shape)}, the model takes {kind}")
    return np.ascontiguousarray(array)


def _image(path: Path, kind: ImageType, ignore_profile: bool) -> NDArray[Any]:
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=FORMATS) as opened:
            _refuse_large(path.name, opened, kind.max_pixels)
            deep = ";16" in str(opened.tile)  # Pillow cuts 16-bit RGB to 8 bits without a word
            opened.load()
            _refuse_mode(path.name, opened, deep)
            if not ignore_profile:
                _refuse_profile(path.name, opened)
            image = ImageOps.exif_transpose(opened)
            return np.ascontiguousarray(np.asarray(image.convert("RGB")))
    except DecodeError:
        raise
    except Exception as fault:  # a broken file makes Pillow's readers raise anything
        hint = f"files that can be decoded: {', '.join(FORMATS)}"
        raise DecodeError(f"{path.name} cannot be decoded as an image: {fault}", hint) from fault


def _refuse_large(name: str, image: Image.Image, limit: int | None) -> None:
    if limit is not None and image.width * image.height > limit:
        raise DecodeError(
            f"{name} has {image.width}x{image.height} pixels, the input accepts {limit / 1e6:g} MP",
            "raise `accepts: {image: {max: ...}}` or use a smaller image",
        )


def _refuse_mode(name: str, image: Image.Image, deep: bool) -> None:
    hint = "save the image as 8-bit RGB or grey without transparency"
    if deep or image.mode.startswith("I"):
        raise DecodeError(f"{name} has 16 bits a channel, which this version does not convert", hint)
    if _opaque(image):
        return
    if image.has_transparency_data:
        raise DecodeError(f"{name} has transparency (mode {image.mode}), which this version does not convert", hint)
    if image.mode not in PLAIN_MODES:
        raise DecodeError(f"{name} has pixel mode {image.mode}, which this version does not convert", hint)


def _refuse_profile(name: str, image: Image.Image) -> None:
    profile = image.info.get("icc_profile")
    if profile and not is_srgb(profile):
        raise DecodeError(
            f"{name} has an embedded colour profile that is not sRGB ({profile_name(profile)})",
            "convert the image to sRGB, or say `srgb: ignore` on the sample to take its pixels as they are; "
            "this version does not convert colour spaces",
        )


def _opaque(image: Image.Image) -> bool:
    return image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255)


def profile_name(profile: bytes) -> str:
    """Description of an ICC profile, or that it cannot be read."""
    try:
        return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip()
    except (ImageCms.PyCMSError, OSError):
        return "unreadable profile"


def is_srgb(profile: bytes) -> bool:
    """Whether an RGB profile's primaries are sRGB's and its description says sRGB; grey profiles never are."""
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
    except (ImageCms.PyCMSError, OSError):
        return False
    if opened.xcolor_space.strip() != "RGB":
        return False
    found = (opened.red_colorant, opened.green_colorant, opened.blue_colorant)
    known = [colorant for colorant in found if colorant is not None]
    if len(known) < len(found):
        return False
    worst = max(
        abs(a - b)
        for colorant, wanted in zip(known, SRGB_COLORANTS, strict=True)
        for a, b in zip(colorant[0], wanted, strict=True)
    )
    return worst <= COLORANT_TOLERANCE and "srgb" in (opened.profile_description or "").lower()
