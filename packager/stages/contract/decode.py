"""From a sample's file to what the app hands over. What this version cannot convert it refuses in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packager.model.contract import (
    AudioType,
    BytesType,
    ContractType,
    Frame,
    FrameType,
    ImageType,
    SeriesType,
    TensorType,
)
from packager.stages.contract import media
from packager.stages.contract.images import decode_image
from packager.stages.contract.refusal import DecodeError

__all__ = ["DecodeError", "decode"]


def decode(path: Path, kind: ContractType, ignore_profile: bool = False) -> NDArray[Any] | Frame:
    """Decode one file: uint8 H x W x C (`images.decode_image`) for an image, the array itself for a tensor (`.npy`).

    Audio is int16 [frames, channels], a series float32 [length, channels], bytes uint8 [n], a camera frame a `Frame`.

    `ignore_profile` takes the pixels as sRGB whatever colour profile the file carries.
    Raises `DecodeError` for broken files and for what cannot be converted.
    """
    if isinstance(kind, ImageType):
        return decode_image(path, kind, ignore_profile)
    if isinstance(kind, TensorType):
        return _tensor(path, kind)
    if isinstance(kind, AudioType):
        return media.audio(path, kind)
    if isinstance(kind, SeriesType):
        return media.series(path, kind)
    if isinstance(kind, BytesType):
        return media.content(path, kind)
    if isinstance(kind, FrameType):
        return media.frame(path, kind)
    raise DecodeError(f"{path.name}: nothing decodes into {kind}")


def _tensor(path: Path, kind: TensorType) -> NDArray[Any]:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as fault:
        raise DecodeError(f"{path.name} is not a .npy file: {fault}", "save the array with numpy.save") from fault
    if array.dtype.name != kind.dtype or array.shape != kind.shape:
        raise DecodeError(f"{path.name} holds {array.dtype.name}{list(array.shape)}, the model takes {kind}")
    return np.asarray(array, order="C")
