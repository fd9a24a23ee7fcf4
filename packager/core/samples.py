"""Arrays between the pipeline and its workers: a folder of `<n>.npz`, one file per sample, one member per tensor."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]
"""Arrays by tensor name."""


def write_sample(folder: Path, index: int, arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Write one sample as `<index>.npz`; equal arrays give equal bytes. Any tensor name is allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{index}.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array, order="C"), allow_pickle=False)
    return path


def write_samples(folder: Path, samples: Iterable[Mapping[str, NDArray[Any]]]) -> Path:
    """Write all samples as `0.npz`, `1.npz`, ... and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, arrays in enumerate(samples):
        write_sample(folder, index, arrays)
    return folder


def read_sample(path: Path) -> Arrays:
    """Return the arrays of one `.npz` by tensor name. Raises ValueError for pickled content."""
    with zipfile.ZipFile(path) as archive:
        return {name.removesuffix(".npy"): _read_member(archive, name) for name in archive.namelist()}


def _read_member(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name) as member:
        return np.lib.format.read_array(member, allow_pickle=False)


def sample_paths(folder: Path) -> list[Path]:
    """Return the samples of a folder in the order of their numbers."""
    return sorted(folder.glob("*.npz"), key=lambda path: int(path.stem))


def read_samples(folder: Path) -> Iterator[Arrays]:
    """Yield the samples of a folder in the order of their numbers."""
    for path in sample_paths(folder):
        yield read_sample(path)
