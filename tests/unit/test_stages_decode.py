"""From files to pixels: what is converted, and what is refused in words."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from packager.model.contract import ImageType, TensorType
from packager.stages.contract.decode import DecodeError, decode

ANY = ImageType(None, None, "rgb", 1_000_000)
# Primaries adapted to D50, XYZ: Display P3 and Adobe RGB (1998) as their ICC profiles hold them.
DISPLAY_P3 = ((0.5151, 0.2412, -0.0011), (0.2919, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
ADOBE_RGB = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))


def profile(name: str, primaries: tuple[tuple[float, float, float], ...], gamma: float = 2.2) -> bytes:
    """A minimal ICC 2.4 matrix profile."""

    def fixed(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(values: tuple[float, float, float]) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(map(fixed, values))

    text = name.encode() + b"\0"
    described = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * 78
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = [(b"desc", described), (b"wtpt", xyz((0.9642, 1.0, 0.8249))), (b"cprt", b"text\0\0\0\0none\0")]
    tags += [(tag, xyz(value)) for tag, value in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)]
    tags += [(tag, curve) for tag in (b"rTRC", b"gTRC", b"bTRC")]
    offset, table, data = 128 + 4 + 12 * len(tags), b"", b""
    for tag, value in tags:
        padded = value + b"\0" * (-len(value) % 4)
        table += tag + struct.pack(">II", offset + len(data), len(value))
        data += padded
    size = offset + len(data)
    head = struct.pack(">I4sI4s4s4s", size, b"\0" * 4, 0x02400000, b"mntr", b"RGB ", b"XYZ ") + b"\0" * 12 + b"acsp"
    head += b"\0" * 28 + b"".join(map(fixed, (0.9642, 1.0, 0.8249)))
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def gradient(width: int = 6, height: int = 4) -> Image.Image:
    pixels = np.arange(width * height * 3, dtype=np.uint8).reshape(height, width, 3)
    return Image.fromarray(pixels)


def refusal(path: Path, kind: ImageType | TensorType = ANY, ignore_profile: bool = False) -> str:
    with pytest.raises(DecodeError) as caught:
        decode(path, kind, ignore_profile)
    assert path.name in str(caught.value)
    assert caught.value.hint
    return str(caught.value)


def test_lossless_files_keep_every_pixel(tmp_path: Path) -> None:
    for suffix in ("png", "bmp", "ppm", "tiff", "webp"):
        file = tmp_path / f"gradient.{suffix}"
        gradient().save(file, **({"lossless": True} if suffix == "webp" else {}))
        found = decode(file, ANY)
        assert found.dtype == np.uint8
        assert found.flags.c_contiguous
        np.testing.assert_array_equal(found, np.asarray(gradient()), err_msg=suffix)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    stored = np.asarray(gradient())
    upright = {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.transpose(1, 0, 2),
        6: np.rot90(stored, -1),
        7: stored[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(stored, 1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    gradient().save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(decode(tmp_path / "turned.png", ANY), upright[orientation])


def test_grey_and_palette_become_rgb(tmp_path: Path) -> None:
    grey = Image.fromarray(np.array([[0, 128], [255, 7]], np.uint8))
    grey.save(tmp_path / "grey.png")
    found = decode(tmp_path / "grey.png", ANY)
    np.testing.assert_array_equal(found, np.repeat(np.asarray(grey)[..., None], 3, axis=2))
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putdata([1, 0])
    palette.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(decode(tmp_path / "palette.png", ANY), [[[40, 50, 60], [10, 20, 30]]])


@pytest.mark.parametrize(
    ("name", "primaries"), [("Display P3", DISPLAY_P3), ("Adobe RGB (1998)", ADOBE_RGB)], ids=["p3", "adobe"]
)
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_other_colour_profiles_are_refused_by_name(
    tmp_path: Path, name: str, primaries: tuple[tuple[float, float, float], ...], suffix: str
) -> None:
    file = tmp_path / f"wide.{suffix}"
    gradient().save(file, icc_profile=profile(name, primaries))
    assert name in refusal(file)
    assert "not sRGB" in refusal(file)
    assert decode(file, ANY, ignore_profile=True).shape == (4, 6, 3)


def test_a_profile_that_only_calls_itself_srgb_is_refused(tmp_path: Path) -> None:
    gradient().save(tmp_path / "liar.png", icc_profile=profile("sRGB", DISPLAY_P3))
    assert "not sRGB" in refusal(tmp_path / "liar.png")


def test_the_srgb_profile_is_taken(tmp_path: Path) -> None:
    known = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    gradient().save(tmp_path / "srgb.png", icc_profile=known)
    np.testing.assert_array_equal(decode(tmp_path / "srgb.png", ANY), np.asarray(gradient()))


def test_a_profile_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    gradient().save(tmp_path / "broken.png", icc_profile=b"not a profile")
    assert "unreadable profile" in refusal(tmp_path / "broken.png")


def test_alpha_is_refused_unless_it_is_opaque_throughout(tmp_path: Path) -> None:
    clear = gradient().convert("RGBA")
    clear.putpixel((0, 0), (1, 2, 3, 254))
    clear.save(tmp_path / "clear.png")
    assert "transparency" in refusal(tmp_path / "clear.png")
    Image.new("LA", (2, 2), (9, 100)).save(tmp_path / "grey.png")
    assert "transparency" in refusal(tmp_path / "grey.png")
    gradient().convert("RGBA").save(tmp_path / "opaque.png")
    np.testing.assert_array_equal(decode(tmp_path / "opaque.png", ANY), np.asarray(gradient()))


def test_a_transparent_colour_of_a_palette_or_of_rgb_is_refused(tmp_path: Path) -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.save(tmp_path / "palette.png", transparency=0)
    assert "transparency" in refusal(tmp_path / "palette.png")
    gradient().save(tmp_path / "keyed.png", transparency=(0, 1, 2))
    assert "transparency" in refusal(tmp_path / "keyed.png")


def test_large_images_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    file = tmp_path / "large.png"
    gradient(40, 30).save(file)
    assert "40x30" in refusal(file, ImageType(None, None, "rgb", 1199))
    assert decode(file, ImageType(None, None, "rgb", 1200)).shape == (30, 40, 3)
    # Cut after the header: only an image that is not decoded gives its size.
    file.write_bytes(file.read_bytes()[:60])
    assert "40x30" in refusal(file, ImageType(None, None, "rgb", 1199))


def test_no_other_program_is_started_for_a_file(tmp_path: Path) -> None:
    (tmp_path / "script.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    assert "cannot be decoded" in refusal(tmp_path / "script.eps")


def test_only_the_named_formats_are_opened(tmp_path: Path) -> None:
    for suffix in ("tga", "ico", "pcx"):
        gradient().save(tmp_path / f"odd.{suffix}")
        assert "cannot be decoded" in refusal(tmp_path / f"odd.{suffix}"), suffix


def test_a_header_that_is_cut_is_a_refusal(tmp_path: Path) -> None:
    body = struct.pack(">I", 4) + b"IHDR" + b"\0\0\0\1"
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body + struct.pack(">I", zlib.crc32(body[4:])))
    assert "Truncated IHDR" in refusal(tmp_path / "cut.png")


def test_tensors_come_from_npy_without_pickles(tmp_path: Path) -> None:
    kind = TensorType("float32", (1, 2))
    np.save(tmp_path / "right.npy", np.array([[1, 2]], np.float32))
    np.testing.assert_array_equal(decode(tmp_path / "right.npy", kind), np.array([[1, 2]], np.float32))
    np.save(tmp_path / "double.npy", np.array([[1, 2]]))
    np.save(tmp_path / "pickled.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(DecodeError, match=r"int64\[1, 2\]"):
        decode(tmp_path / "double.npy", kind)
    with pytest.raises(DecodeError, match=r"not a \.npy file"):
        decode(tmp_path / "pickled.npy", kind)


def files() -> list[bytes]:
    made = []
    for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM"):
        buffer = io.BytesIO()
        gradient().save(buffer, kind)
        made.append(buffer.getvalue())
    return made


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(files()), st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=8))
def test_broken_files_are_pixels_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, changes: list[tuple[int, int]]
) -> None:
    broken = bytearray(data)
    for place, value in changes:
        broken[place % len(broken)] = value
    path = tmp_path_factory.getbasetemp() / "broken"
    path.write_bytes(broken)
    try:
        assert decode(path, ANY).shape[2] == 3
    except DecodeError as refused:
        assert str(refused)
