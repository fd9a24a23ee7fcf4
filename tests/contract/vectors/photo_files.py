"""Image files as cameras, scanners and printers write them, made from computed pixels; and what they decode to."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from icc import display_p3
from PIL import Image

SIZE = (24, 16)
PIXELS = {
    "cmyk.jpg": "9743233d",
    "display_p3.jpg": "06a50b80",
    "display_p3.png": "133b1626",
    "grey16.png": "3d66b8b0",
    "orientation_1.jpg": "8d3ede0c",
    "orientation_2.jpg": "a887887f",
    "orientation_3.jpg": "5ca343c7",
    "orientation_4.jpg": "cd813a29",
    "orientation_5.jpg": "c5568745",
    "orientation_6.jpg": "69b21225",
    "orientation_7.jpg": "59dfa80a",
    "orientation_8.jpg": "461c9c96",
    "rgb16.png": "39f44653",
    "rgba.png": "cb7e45dc",
    "rgba16.png": "cb7e45dc",
}
"""First 8 digits of the sha256 of height, width, channels (little-endian int32) and the decoded pixels, by file name.

The rgba files decode for an input that accepts rgba, the others for one that accepts rgb.
"""


def write_photos(folder: Path) -> list[Path]:
    """Writes every file of `PIXELS`."""
    colors = picture(3)
    Image.fromarray(colors).save(folder / "display_p3.png", icc_profile=display_p3())
    _jpeg(folder / "display_p3.jpg", Image.fromarray(colors), icc_profile=display_p3())
    Image.fromarray(picture(4)).save(folder / "rgba.png")
    _jpeg(folder / "cmyk.jpg", Image.frombytes("CMYK", SIZE, picture(4).tobytes()))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        _jpeg(folder / f"orientation_{orientation}.jpg", Image.fromarray(colors), exif=exif)
    for name, channels in (("grey16", 1), ("rgb16", 3), ("rgba16", 4)):
        (folder / f"{name}.png").write_bytes(png16(deep(channels)))
    return [folder / name for name in PIXELS]


def picture(channels: int) -> Any:
    """uint8 [16, 24, channels]: blocks of 8 x 8 with a gradient, corners all different."""
    y, x, c = np.mgrid[: SIZE[1], : SIZE[0], :channels]
    return ((x // 8) * 85 + (y // 8) * 120 + c * 60 + x + 3 * y).astype(np.uint8)


def deep(channels: int) -> Any:
    """uint16 [16, 24, channels]: high bytes of `picture`, low bytes of their own."""
    y, x, c = np.mgrid[: SIZE[1], : SIZE[0], :channels]
    return picture(channels).astype(np.uint16) << 8 | ((x * 37 + y * 101 + c * 11) % 256).astype(np.uint16)


def png16(pixels: Any) -> bytes:
    """A PNG of 16 bits a channel, which Pillow writes for grey only. uint16 [h, w, 1, 3 or 4]."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, channels = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _jpeg(file: Path, image: Image.Image, **more: Any) -> None:
    image.save(file, quality=95, subsampling=0, **more)
