"""The cache on disk: folders by key, verified when read, and downloaded files by their sha256.

    entries/<key>/index.json    {kind, note, files: {path: sha256}}; its mtime is the time of last use
    entries/<key>/files/**      the content
    blobs/<sha256>/<name>       a downloaded file
    tmp/<random>/               work in progress, locked by its process
    logs/                       of jobs (`packager.core.paths.log_root`)

Everything appears by one rename, so a killed process leaves an entry whole or not at all.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packager.core.errors import BundleError
from packager.core.hashing import canonical_json, file_hashes, sha256_file
from packager.core.locks import lock, open_for_lock

_KEY = re.compile(r"[0-9a-f]{16,64}")
_YOUNG = 60.0  # seconds in which a temporary folder may not have its lock yet
_TAKEN = {errno.EEXIST, errno.ENOTEMPTY}


@dataclass(frozen=True)
class CacheEntry:
    """One entry: `size` in bytes, `last_used` in seconds since 1970, `kind` "blob" for a downloaded file."""

    key: str
    kind: str
    size: int
    last_used: float
    note: Mapping[str, Any] = field(default_factory=dict)


class Cache:
    """A cache under `root`, which is made at the first write. Safe for threads and for several processes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._in_use: int | None = None
        self._guard = threading.Lock()

    def get(self, key: str) -> Path | None:
        """Return the folder of entry `key`, or None.

        Every file is hashed; an entry that does not match its index is removed.
        """
        entry = self._entry(key)
        if not entry.is_dir():
            return None
        self._hold()
        try:
            index = json.loads((entry / "index.json").read_bytes())
            sound = bool(index["files"] == file_hashes(entry / "files"))
        except (OSError, ValueError, KeyError, TypeError):
            sound = False
        if not sound:
            self._discard(entry)
            return None
        _touch(entry / "index.json")
        return entry / "files"

    def put(self, key: str, produced: Path, *, note: Mapping[str, Any]) -> Path:
        """Move the folder `produced` into the cache under `key` and return where it is now.

        `note` is kept for `entries`; its "kind" names the sort of content. Where another build was first,
        its entry stays and is returned. Raises BundleError when the disk refuses.
        """
        entry = self._entry(key)
        with _disk(self.root), self.temporary() as scratch:
            staged = scratch / "entry"
            staged.mkdir()
            shutil.move(produced, staged / "files")
            index = {
                "kind": str(note.get("kind", "")),
                "note": dict(note),
                "files": file_hashes(staged / "files"),
            }
            (staged / "index.json").write_bytes(canonical_json(index))
            for _ in range(3):
                if _rename(staged, entry):
                    return entry / "files"
                found = self.get(key)  # removes it when it is broken
                if found is not None:
                    return found
        raise BundleError(f"the cache entry {key} keeps changing", hint=f"Remove {entry} and try again.")

    def blob(self, sha256: str, name: str | None = None) -> Path | None:
        """Return the downloaded file with this sha256, verified, under the file name `name` if given."""
        folder = self._blob_folder(sha256)
        try:
            found = sorted(folder.iterdir())
        except OSError:
            return None
        if not found:
            return None
        self._hold()
        path = folder / name if name is not None and folder / name in found else found[0]
        try:
            if sha256_file(path) != sha256:
                self._discard(folder)
                return None
            if name is not None and path.name != name:
                path = _same_file(path, folder / name)
        except FileNotFoundError:
            return None
        _touch(path)
        return path

    def put_blob(self, path: Path, sha256: str) -> Path:
        """Move a downloaded file, whose sha256 the caller has checked, into the cache and return it there."""
        with _disk(self.root), self.temporary() as scratch:
            staged = scratch / "blob"
            staged.mkdir()
            shutil.move(path, staged / path.name)
            for _ in range(3):
                if _rename(staged, self._blob_folder(sha256)):
                    break
                if self.blob(sha256) is not None:
                    break
            found = self.blob(sha256, path.name)
        if found is None:
            raise BundleError(f"the file {path.name} does not have the sha256 {sha256}")
        return found

    @contextmanager
    def temporary(self) -> Iterator[Path]:
        """Give an empty folder on the cache's file system; it is gone afterwards, whatever happens."""
        with _disk(self.root):
            self._hold()
            self._sweep()
            folder = Path(tempfile.mkdtemp(dir=self._made("tmp")))
            descriptor = open_for_lock(folder) if sys.platform != "win32" else None
        try:
            if descriptor is not None:
                lock(descriptor, exclusive=True, wait=True)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if descriptor is not None:
                os.close(descriptor)

    def entries(self) -> list[CacheEntry]:
        """Return everything that is cached, the longest unused first."""
        found: list[CacheEntry] = []
        for folder in _folders(self.root / "entries"):
            with suppress(OSError, ValueError, KeyError, TypeError):
                index = json.loads((folder / "index.json").read_bytes())
                used = (folder / "index.json").stat().st_mtime
                found.append(CacheEntry(folder.name, index["kind"], _size(folder), used, index["note"]))
        for folder in _folders(self.root / "blobs"):
            with suppress(OSError, ValueError):
                files = sorted(folder.iterdir())
                used = max(file.stat().st_mtime for file in files)
                note = {"file": files[0].name}
                found.append(CacheEntry(folder.name, "blob", files[0].stat().st_size, used, note))
        return sorted(found, key=lambda entry: (entry.last_used, entry.key))

    def prune(self, max_bytes: int | None = None, max_age_days: float | None = None) -> list[CacheEntry]:
        """Remove what was unused for `max_age_days`, then the longest unused until `max_bytes` are left.

        Logs of that age go too. Returns what was removed. Raises BundleError while another packager uses the cache.
        """
        with self._alone():
            kept = self.entries()
            removed: list[CacheEntry] = []
            oldest = time.time() - max_age_days * 86400 if max_age_days is not None else 0.0
            _remove_older(self.root / "logs", oldest)
            size = sum(entry.size for entry in kept)
            for entry in kept:
                old = entry.last_used < oldest
                if old or (max_bytes is not None and size > max_bytes):
                    blob = entry.kind == "blob"
                    self._discard(self._blob_folder(entry.key) if blob else self._entry(entry.key))
                    removed.append(entry)
                    size -= entry.size
            return removed

    def clear(self) -> None:
        """Remove everything, logs too. Raises BundleError while another packager uses the cache."""
        with self._alone():
            for name in ("entries", "blobs", "tmp", "logs"):
                shutil.rmtree(self.root / name, ignore_errors=True)

    def _entry(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"a cache key is hexadecimal, not {key!r}")
        return self.root / "entries" / key

    def _blob_folder(self, sha256: str) -> Path:
        if not _KEY.fullmatch(sha256):
            raise ValueError(f"a sha256 is hexadecimal, not {sha256!r}")
        return self.root / "blobs" / sha256

    def _made(self, name: str) -> Path:
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _hold(self) -> None:
        """Share the cache's lock for as long as this process lives, so that nobody prunes what it uses."""
        with self._guard:
            if self._in_use is None:
                self.root.mkdir(parents=True, exist_ok=True)
                self._in_use = open_for_lock(self.root / "lock", create=True)
                lock(self._in_use, exclusive=False, wait=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with _disk(self.root):
            self._hold()
            assert self._in_use is not None
            if not lock(self._in_use, exclusive=True, wait=False):
                lock(self._in_use, exclusive=False, wait=True)
                raise BundleError("another packager is using the cache", hint="Try again when it has ended.")
            try:
                self._sweep()
                yield
            finally:
                lock(self._in_use, exclusive=False, wait=True)

    def _discard(self, folder: Path) -> None:
        """Remove a folder so that no reader ever sees half of it."""
        with suppress(OSError), self.temporary() as scratch:
            folder.rename(scratch / "discarded")

    def _sweep(self) -> None:
        """Remove the temporary folders of processes that ended without doing so."""
        if sys.platform == "win32":
            return
        for folder in _folders(self.root / "tmp"):
            with suppress(OSError):
                if time.time() - folder.stat().st_mtime < _YOUNG:
                    continue
                descriptor = open_for_lock(folder)
                try:
                    if lock(descriptor, exclusive=True, wait=False):
                        shutil.rmtree(folder, ignore_errors=True)
                finally:
                    os.close(descriptor)


@contextmanager
def _disk(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise BundleError(
            f"the cache cannot be written: {problem.strerror or problem}",
            expected=f"room and the right to write in {root}",
            hint="Free space (`packager cache prune`), or set XDG_CACHE_HOME to another disk.",
        ) from problem


def _rename(staged: Path, final: Path) -> bool:
    """Move a finished folder to its place; False where one stands there already."""
    final.parent.mkdir(parents=True, exist_ok=True)
    try:
        staged.rename(final)
    except OSError as problem:
        if problem.errno in _TAKEN:
            return False
        raise
    return True


def _same_file(path: Path, other: Path) -> Path:
    """Give a file a second name, so that readers which look at the suffix can open it."""
    with suppress(FileExistsError):
        try:
            os.link(path, other)
        except PermissionError:
            shutil.copyfile(path, other)
    return other


def _touch(path: Path) -> None:
    with suppress(OSError):
        os.utime(path)


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(path for path in parent.iterdir() if path.is_dir())
    except FileNotFoundError:
        return []


def _remove_older(folder: Path, oldest: float) -> None:
    for path in folder.glob("*.log"):
        with suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
