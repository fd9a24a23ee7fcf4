"""Colour profiles (ICC.1:2022): which space the pixels of a file are in."""

from __future__ import annotations

import io
import struct
from typing import Literal

from PIL import ImageCms

Colorants = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
Space = Literal["srgb", "display_p3"]

SRGB_COLORANTS: Colorants = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
"""sRGB's primaries adapted to D50 as ICC profiles store them (IEC 61966-2-1, Bradford), XYZ."""
DISPLAY_P3_COLORANTS: Colorants = ((0.5151, 0.2412, -0.0011), (0.2919, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
"""Display P3's (SMPTE EG 432-1 with white D65), the same way."""
COLORANT_TOLERANCE = 0.003
CURVE_TOLERANCE = 0.002
"""Largest difference of linear light, 0..1: half a level of 8 bits."""


def profile_name(profile: bytes) -> str:
    """Description of an ICC profile, or that it cannot be read."""
    try:
        return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip()
    except (ImageCms.PyCMSError, OSError):
        return "unreadable profile"


def space_of(profile: bytes) -> Space | None:
    """`srgb`, `display_p3`, or None for a space that has no conversion here.

    sRGB is taken by its primaries and its name; Display P3 by its primaries and its curves, which must be sRGB's: the
    conversion is exact for nothing else. Grey profiles are neither.
    """
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
    except (ImageCms.PyCMSError, OSError):
        return None
    if opened.xcolor_space.strip() != "RGB":
        return None
    found = [colorant[0] for colorant in (opened.red_colorant, opened.green_colorant, opened.blue_colorant) if colorant]
    if len(found) < 3:
        return None
    if _near(found, SRGB_COLORANTS) and "srgb" in (opened.profile_description or "").lower():
        return "srgb"
    if _near(found, DISPLAY_P3_COLORANTS) and has_srgb_curves(profile):
        return "display_p3"
    return None


def _near(found: list[tuple[float, float, float]], wanted: Colorants) -> bool:
    pairs = zip(found, wanted, strict=True)
    return all(abs(a - b) <= COLORANT_TOLERANCE for one, other in pairs for a, b in zip(one, other, strict=True))


def has_srgb_curves(profile: bytes) -> bool:
    """Whether the three tone curves are sRGB's within `CURVE_TOLERANCE`, at 65 places."""
    places = [i / 64 for i in range(65)]
    try:
        tags = _tags(profile)
        return all(
            abs(_curve(tags[name], x) - _srgb(x)) <= CURVE_TOLERANCE
            for name in (b"rTRC", b"gTRC", b"bTRC")
            for x in places
        )
    except (KeyError, IndexError, ValueError, ArithmeticError, struct.error):
        return False


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """Contents of a profile's tags by signature (ICC.1:2022, 7.3)."""
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = [struct.unpack_from(">4sII", profile, 132 + 12 * index) for index in range(min(count, 100))]
    return {name: profile[start : start + size] for name, start, size in entries}


def _srgb(x: float) -> float:
    return x / 12.92 if x <= 0.04045 else float(((x + 0.055) / 1.055) ** 2.4)


def _curve(tag: bytes, x: float) -> float:
    """A `curv` (10.6) or `para` (10.18) tag at x, 0..1. Raises ValueError for another type."""
    if tag[:4] == b"para":
        return _parametric(tag, x)
    if tag[:4] != b"curv":
        raise ValueError("not a curve")
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return x
    points = struct.unpack_from(f">{min(count, 65536)}H", tag, 12)
    if count == 1:
        return float(x ** (points[0] / 256))
    at = x * (len(points) - 1)
    low = min(int(at), len(points) - 2)
    return float((points[low] + (points[low + 1] - points[low]) * (at - low)) / 65535)


def _parametric(tag: bytes, x: float) -> float:
    (kind,) = struct.unpack_from(">H", tag, 8)
    lengths = (1, 3, 4, 5, 7)
    g, *rest = (value / 65536 for value in struct.unpack_from(f">{lengths[kind]}i", tag, 12))
    if kind == 0:
        return float(x**g)
    if kind < 3:
        a, b, c = (*rest, 0.0)[:3]
        return float(max(a * x + b, 0.0) ** g + c if x >= -b / a else c)
    a, b, c, d, e, f = (*rest, 0.0, 0.0)[:6]
    return float(max(a * x + b, 0.0) ** g + e if x >= d else c * x + f)
