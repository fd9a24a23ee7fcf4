"""The sample that travels with a project, for its app."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from packager.model.address import Address
from packager.model.contract import Chain, Frame, ImageType
from packager.model.golden import SampleGolden
from packager.model.manifest import Sample
from packager.stages.render.context import SampleFile


def bundled_samples(
    golden: SampleGolden, sample: Sample, chains: Sequence[Chain], resolve: Callable[[Address], Path]
) -> tuple[SampleFile, ...]:
    """One file for each input of the first sample."""
    found = []
    for chain in chains:
        value = golden.decoded[chain.name]
        address = sample.files[chain.name]
        suffix = PurePosixPath(str(address).rpartition("!")[2]).suffix.lower()
        is_picture = isinstance(chain.start, ImageType) and chain.start.color == "rgb"
        if isinstance(value, Frame):
            shape: tuple[int, ...] = value.y.shape
            data = b"".join(plane.tobytes() for plane in (value.y, value.u, value.v))
        else:
            shape = value.shape
            data = np.ascontiguousarray(value.astype(value.dtype.newbyteorder("<"), copy=False)).tobytes()
        part = _png(value) if is_picture and sample.region is not None else None
        suffix = suffix if part is None else ".png"
        stem = "sample" if len(chains) == 1 else f"sample_{chain.name}"
        file_name = stem + (suffix if is_picture else ".bin")
        file = resolve(address)
        found.append(SampleFile(golden.name, chain.name, file, suffix, file_name, shape, data, is_picture, part))
    return tuple(found)


def _png(pixels: Any) -> bytes:
    """The pixels [h, w, 3] as a PNG file."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
