"""From an image file to the pixels that the app would hand over. What cannot be converted is refused in words.

Pillow decodes; everything after that is arithmetic of the contract's own steps, found by their roles.
"""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from packager.model.contract import ImageType
from packager.registry import Catalog
from packager.stages.contract.profiles import profile_name, space_of
from packager.stages.contract.refusal import DecodeError

Pixels = NDArray[Any]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
"""Pillow reads more, some by starting other programs."""
COLOR_MODES = ("RGB", "P")
GREY_MODES = ("L", "1")
WIDE_GREY_MODES = ("I;16", "I;16L", "I;16B", "I;16N")
EXIF_ORIENTATION = 0x0112


def decode_image(path: Path, kind: ImageType, ignore_profile: bool = False) -> Pixels:
    """uint8 [h, w, c] of one file: upright, in sRGB, in the colour model that the input accepts.

    - The EXIF orientation is applied by the step of the role `upright`.
    - Display P3 is converted by the role `to_srgb`; other profiles are refused. `ignore_profile` takes the pixels as
      sRGB whatever profile the file carries.
    - 16 bits a channel become 8 by the role `high_byte` (Pillow does the same to colours while it reads them).
    - For an rgb input: CMYK is converted by the role `inks_to_rgb`, grey becomes three equal channels, transparency is
      refused unless it is opaque throughout. An rgba input takes all of these with their alpha, a cmyk input CMYK only,
      a grey input grey only.

    Raises `DecodeError` for broken files and for what is refused.
    """
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=FORMATS) as opened:
            _refuse_large(path.name, opened, kind.max_pixels)
            opened.load()
            pixels = _in_color(path.name, opened, kind)
            pixels = _in_srgb(path.name, opened, pixels, kind, ignore_profile)
            return _upright(opened, pixels)
    except DecodeError:
        raise
    except Exception as fault:  # a broken file makes Pillow's readers raise anything
        hint = f"files that can be decoded: {', '.join(FORMATS)}"
        raise DecodeError(f"{path.name} cannot be decoded as an image: {fault}", hint) from fault


@cache
def _catalog() -> Catalog:
    return Catalog()


def _step(role: str, value: Pixels, **params: object) -> Pixels:
    """The reference of the step that has a role, applied."""
    _, module = _catalog().step_with_role(role)
    result: Pixels = module.apply(module.Params.model_validate(params), value)
    return np.ascontiguousarray(result)


def _refuse_large(name: str, image: Image.Image, limit: int | None) -> None:
    if limit is not None and image.width * image.height > limit:
        raise DecodeError(
            f"{name} has {image.width}x{image.height} pixels, the input accepts {limit / 1e6:g} MP",
            "raise `accepts: {image: {max: ...}}` or use a smaller image",
        )


def _in_color(name: str, image: Image.Image, kind: ImageType) -> Pixels:
    """uint8 [h, w, c] in the accepted colour model, colours in the file's space, as stored."""
    if image.mode == "CMYK" and kind.channels == 4 and kind.color != "rgba":
        return np.asarray(image)
    if kind.color not in ("rgb", "rgba"):
        return _grey_or_refused(name, image, kind)
    if kind.color == "rgba" and image.mode != "CMYK":
        return _with_alpha(name, image)
    _refuse_transparency(name, image)
    if image.mode == "CMYK":
        colors = _step("inks_to_rgb", np.asarray(image))
        return colors if kind.color == "rgb" else _opaque(colors)
    return _colors(name, image)


def _grey_or_refused(name: str, image: Image.Image, kind: ImageType) -> Pixels:
    if kind.channels == 1 and image.mode in (*GREY_MODES, *WIDE_GREY_MODES) and not image.has_transparency_data:
        return _grey(image)
    hint = "use a file with these colours, or let the input accept rgb and put a step before the others"
    raise DecodeError(f"{name} has pixel mode {image.mode}, the input accepts {kind.color} pixels", hint)


def _colors(name: str, image: Image.Image) -> Pixels:
    if image.mode in (*GREY_MODES, *WIDE_GREY_MODES):
        return np.repeat(_grey(image), 3, axis=2)
    if image.mode not in (*COLOR_MODES, "RGBA"):
        hint = "save the image as RGB, grey or CMYK with 8 or 16 bits a channel"
        raise DecodeError(f"{name} has pixel mode {image.mode}, which is not converted", hint)
    return np.asarray(image.convert("RGB"))


def _grey(image: Image.Image) -> Pixels:
    if image.mode in WIDE_GREY_MODES:
        return _step("high_byte", np.asarray(image).astype(np.uint16)[..., None])
    return np.asarray(image.convert("L"))[..., None]


def _with_alpha(name: str, image: Image.Image) -> Pixels:
    if image.has_transparency_data and image.mode not in WIDE_GREY_MODES:
        return np.asarray(image.convert("RGBA"))
    _refuse_transparency(name, image)
    return _opaque(_colors(name, image))


def _opaque(colors: Pixels) -> Pixels:
    return np.concatenate([colors, np.full((*colors.shape[:2], 1), 255, np.uint8)], axis=2)


def _refuse_transparency(name: str, image: Image.Image) -> None:
    opaque = image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255)
    if image.has_transparency_data and not opaque:
        raise DecodeError(
            f"{name} has transparency (mode {image.mode}), and the input accepts no alpha channel",
            "save the image without transparency, or write `accepts: {image: {color: rgba}}` and an `alpha` step first",
        )


def _in_srgb(name: str, image: Image.Image, pixels: Pixels, kind: ImageType, ignore_profile: bool) -> Pixels:
    """The first three channels in sRGB; inks stay what they are."""
    profile = image.info.get("icc_profile")
    if not profile or ignore_profile:
        return pixels
    space = space_of(profile)
    if space == "srgb":
        return pixels
    if space is None or image.mode == "CMYK" or kind.color not in ("rgb", "rgba"):
        raise DecodeError(
            f"{name} has an embedded colour profile that is not sRGB ({profile_name(profile)})",
            "convert the image to sRGB (Display P3 is converted here), or say `srgb: ignore` on the sample to take its "
            "pixels as they are",
        )
    return np.concatenate([_step("to_srgb", pixels[..., :3], source=space), pixels[..., 3:]], axis=2)


def _upright(image: Image.Image, pixels: Pixels) -> Pixels:
    orientation = image.getexif().get(EXIF_ORIENTATION, 1)
    known = isinstance(orientation, int) and 1 <= orientation <= 8
    return _step("upright", pixels, orientation=orientation if known else 1)
