"""What comes before the pixels: files as devices write them, each with the pixels that it must decode to."""

from __future__ import annotations

import hashlib
import io
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

sys.path.insert(0, str(Path(__file__).parents[1] / "contract" / "vectors"))

from icc import display_p3
from photo_files import PIXELS, deep, picture, write_photos

from packager.model.contract import CHANNELS, Color, ImageType
from packager.stages.contract.images import decode_image
from packager.stages.contract.profiles import has_srgb_curves, space_of
from packager.stages.contract.refusal import DecodeError
from packager.steps import alpha, cmyk, depth, orient, srgb


def accepts(color: Color) -> ImageType:
    return ImageType(None, None, color, 1_000_000)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    assert {file.name for file in write_photos(folder)} == {file.name for file in folder.iterdir()}
    return folder


def raw(file: Path) -> Any:
    """Pixels as Pillow stores them."""
    with Image.open(file) as image:
        return np.asarray(image)


@pytest.mark.parametrize("name", sorted(PIXELS))
def test_every_file_decodes_to_its_pixels(photos: Path, name: str) -> None:
    found = decode_image(photos / name, accepts("rgba" if name.startswith("rgba") else "rgb"))
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous
    shape = struct.pack("<3i", *found.shape)
    assert hashlib.sha256(shape + found.tobytes()).hexdigest()[:8] == PIXELS[name]


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_display_p3_is_the_srgb_steps_arithmetic(photos: Path, suffix: str) -> None:
    file = photos / f"display_p3.{suffix}"
    found = decode_image(file, accepts("rgb"))
    np.testing.assert_array_equal(found, srgb.apply(srgb.Params(source="display_p3"), raw(file)))
    profile = ImageCms.ImageCmsProfile(io.BytesIO(display_p3()))
    expected = ImageCms.profileToProfile(Image.fromarray(raw(file)), profile, ImageCms.createProfile("sRGB"))
    assert expected is not None
    assert np.abs(found.astype(int) - np.asarray(expected)).max() <= 1
    assert (found != raw(file)).any()
    np.testing.assert_array_equal(decode_image(file, accepts("rgb"), ignore_profile=True), raw(file))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_the_orient_step(photos: Path, orientation: int) -> None:
    file = photos / f"orientation_{orientation}.jpg"
    found = decode_image(file, accepts("rgb"))
    np.testing.assert_array_equal(found, orient.apply(orient.Params(orientation=orientation), raw(file)))
    with Image.open(file) as image:
        np.testing.assert_array_equal(found, np.asarray(ImageOps.exif_transpose(image)))


@pytest.mark.parametrize("tag", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_upright(tmp_path: Path, tag: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = tag
    Image.fromarray(picture(3)).save(tmp_path / "odd.png", exif=exif)
    np.testing.assert_array_equal(decode_image(tmp_path / "odd.png", accepts("rgb")), picture(3))


def test_cmyk_is_the_cmyk_steps_arithmetic(photos: Path) -> None:
    inks = raw(photos / "cmyk.jpg")
    assert inks.shape[2] == 4
    found = decode_image(photos / "cmyk.jpg", accepts("rgb"))
    np.testing.assert_array_equal(found, cmyk.apply(cmyk.Params(), inks))
    np.testing.assert_array_equal(decode_image(photos / "cmyk.jpg", accepts("cmyk")), inks)
    with Image.open(photos / "cmyk.jpg") as image:
        np.testing.assert_array_equal(found, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize(("name", "channels"), [("grey16", 1), ("rgb16", 3), ("rgba16", 4)])
def test_sixteen_bits_become_the_depth_steps_eight(photos: Path, name: str, channels: int) -> None:
    found = decode_image(photos / f"{name}.png", accepts("rgba" if channels == 4 else "rgb"))
    expected = depth.apply(depth.Params(), deep(channels))
    np.testing.assert_array_equal(found, np.repeat(expected, 3, axis=2) if channels == 1 else expected)


def test_alpha_reaches_the_alpha_step(photos: Path) -> None:
    found = decode_image(photos / "rgba.png", accepts("rgba"))
    np.testing.assert_array_equal(found, picture(4))
    over = alpha.apply(alpha.Params(mode="over", background=255), found)
    canvas = Image.new("RGB", (found.shape[1], found.shape[0]), (255, 255, 255))
    canvas.paste(Image.fromarray(found[..., :3]), (0, 0), Image.fromarray(found[..., 3]))
    np.testing.assert_array_equal(over, np.asarray(canvas))
    with pytest.raises(DecodeError, match="transparency"):
        decode_image(photos / "rgba.png", accepts("rgb"))


def test_a_file_without_alpha_is_opaque_for_an_rgba_input(tmp_path: Path) -> None:
    Image.fromarray(picture(3)).save(tmp_path / "plain.png")
    found = decode_image(tmp_path / "plain.png", accepts("rgba"))
    np.testing.assert_array_equal(found[..., :3], picture(3))
    assert (found[..., 3] == 255).all()
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putdata([1, 0])
    palette.save(tmp_path / "palette.png", transparency=0)
    found = decode_image(tmp_path / "palette.png", accepts("rgba"))
    np.testing.assert_array_equal(found, [[[40, 50, 60, 255], [10, 20, 30, 0]]])


def test_display_p3_with_alpha_keeps_its_alpha(tmp_path: Path) -> None:
    Image.fromarray(picture(4)).save(tmp_path / "wide.png", icc_profile=display_p3())
    found = decode_image(tmp_path / "wide.png", accepts("rgba"))
    expected = srgb.apply(srgb.Params(source="display_p3"), picture(4)[..., :3])
    np.testing.assert_array_equal(found, np.concatenate([expected, picture(4)[..., 3:]], axis=2))


@pytest.mark.parametrize(
    ("name", "color"),
    [("rgb16.png", "grey"), ("rgb16.png", "cmyk"), ("cmyk.jpg", "grey"), ("grey16.png", "cmyk")],
)
def test_colours_that_an_input_does_not_accept_are_refused(photos: Path, name: str, color: Color) -> None:
    with pytest.raises(DecodeError, match=f"accepts {color} pixels") as caught:
        decode_image(photos / name, accepts(color))
    assert caught.value.hint


def test_grey_for_a_grey_input(photos: Path, tmp_path: Path) -> None:
    found = decode_image(photos / "grey16.png", accepts("grey"))
    np.testing.assert_array_equal(found, depth.apply(depth.Params(), deep(1)))
    Image.fromarray(picture(1)[..., 0]).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(decode_image(tmp_path / "grey.png", accepts("grey")), picture(1))
    assert found.shape[2] == CHANNELS["grey"]


def test_floats_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.ones((4, 4), np.float32)).save(tmp_path / "floats.tiff")
    with pytest.raises(DecodeError, match="pixel mode F"):
        decode_image(tmp_path / "floats.tiff", accepts("rgb"))


def test_a_cmyk_file_with_a_profile_is_refused(tmp_path: Path) -> None:
    inks = Image.frombytes("CMYK", (8, 8), bytes(8 * 8 * 4))
    inks.save(tmp_path / "print.jpg", icc_profile=display_p3())
    with pytest.raises(DecodeError, match="colour profile"):
        decode_image(tmp_path / "print.jpg", accepts("rgb"))
    assert (decode_image(tmp_path / "print.jpg", accepts("rgb"), ignore_profile=True) == 255).all()


def with_curve(curve: bytes) -> bytes:
    """The Display P3 profile with another tone curve; the three tags follow each other with one length."""
    profile = display_p3()
    start = profile.index(b"para")
    end = start + 3 * 32
    assert profile[start : start + 32] == profile[end - 32 : end]
    return profile[:start] + curve.ljust(32, b"\0") * 3 + profile[end:]


def test_curves_are_compared_not_trusted() -> None:
    assert space_of(display_p3()) == "display_p3"
    assert has_srgb_curves(display_p3())
    assert has_srgb_curves(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    gamma = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256))
    straight = b"curv\0\0\0\0" + struct.pack(">I", 0)
    odd = b"para\0\0\0\0" + struct.pack(">HH", 9, 0)
    for curve in (gamma, straight, odd, b"none"):
        assert not has_srgb_curves(with_curve(curve))
        assert space_of(with_curve(curve)) is None
    for size in (0, 128, 140, 300):
        assert not has_srgb_curves(display_p3()[:size])
