"""Canonical JSON, sha256 of bytes, files, folders and code, and the versions of installed tools."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_CACHES = {"__pycache__", ".DS_Store"}


def canonical_json(value: Any) -> bytes:
    """Return the one JSON text of `value`: sorted keys, UTF-8, no spaces.

    Raises ValueError for NaN and infinity and TypeError for what JSON cannot hold.
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", errors="surrogatepass")


def sha256_bytes(data: bytes) -> str:
    """Return the lower-case hexadecimal sha256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the lower-case hexadecimal sha256 of a file's bytes. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def json_hash(value: Any) -> str:
    """Return the sha256 of `value` as canonical JSON."""
    return sha256_bytes(canonical_json(value))


def file_hashes(folder: Path) -> dict[str, str]:
    """Return {path in the folder, with `/`: sha256} of every file beneath `folder`.

    A link to a file counts with the bytes it leads to; a link to a folder is not followed and counts with
    its target's text, so a loop cannot hang the walk. Raises OSError.
    """
    found: dict[str, str] = {}
    for base, folders, files in os.walk(folder, onerror=_raise):
        here = Path(base)
        for name in files:
            path = here / name
            found[path.relative_to(folder).as_posix()] = sha256_file(path)
        for name in folders:
            path = here / name
            if path.is_symlink():
                target = f"link:{path.readlink().as_posix()}"
                found[path.relative_to(folder).as_posix()] = sha256_bytes(target.encode())
    return found


def _raise(problem: OSError) -> None:
    raise problem


def tree_hash(folder: Path) -> str:
    """Return the sha256 of a folder's paths and bytes; order, times and modes do not count."""
    return json_hash(file_hashes(folder))


def content_hash(path: Path) -> str:
    """Return `sha256_file` of a file or `tree_hash` of a folder. Raises OSError."""
    return tree_hash(path) if path.is_dir() else sha256_file(path)


def code_hash(module_names: Iterable[str]) -> str:
    """Return the sha256 of the source of the named modules; a package counts with every file beneath it.

    Native step files and other data files of a package are code too; compiled Python is not. The place of
    the package on the disk does not count. Raises ModuleNotFoundError.
    """
    found: dict[str, str] = {}
    for name in sorted(set(module_names)):
        spec = importlib.util.find_spec(name)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if spec.submodule_search_locations is not None:
            for root in spec.submodule_search_locations:
                found |= {f"{name}/{path}": digest for path, digest in _code_files(Path(root)).items()}
        elif spec.origin is not None:
            found[f"{name}.py"] = sha256_file(Path(spec.origin))
    return json_hash(found)


def _code_files(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for base, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _CACHES]
        for name in files:
            path = Path(base, name)
            if name not in _CACHES and path.suffix not in {".pyc", ".pyo"}:
                found[path.relative_to(folder).as_posix()] = sha256_file(path)
    return found


def tool_versions(dists: Iterable[str]) -> dict[str, str]:
    """Return {distribution: installed version}, "missing" for one that is not installed."""
    from importlib.metadata import PackageNotFoundError, version  # slow to import; `--help` must be quick

    found: dict[str, str] = {}
    for name in sorted(set(dists)):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found
