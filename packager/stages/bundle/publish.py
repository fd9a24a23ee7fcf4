"""Publishes a bundle: all files in a hidden folder beside the old one, then one exchange."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from packager.core.errors import BundleError
from packager.core.locks import lock, open_for_lock
from packager.model.project import RenderedFile

RENAME_EXCHANGE = 2
AT_FDCWD = -100
STAGING = re.compile(r"\.(?P<name>.+)\.staging$")


def publish(out: Path, name: str, files: Iterable[RenderedFile], before_swap: Callable[[Path], None]) -> Path:
    """Write `files` as `out/name`. A kill at any moment leaves the old bundle or the new one.

    `before_swap` gets the staged folder while this build holds the lock of the output folder. Raises `BundleError`.
    """
    final = out / name
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = open_for_lock(out)
    except OSError as fault:
        raise BundleError(
            f"{out} cannot be written: {fault.strerror}", hint="choose another folder by --out"
        ) from fault
    try:
        lock(handle, exclusive=True, wait=True)
        staged = out / f".{name}.staging"
        remove_leftovers(out)
        _write(staged, files)
        before_swap(staged)
        _swap(staged, final)
        shutil.rmtree(staged, ignore_errors=True)
    except OSError as fault:
        shutil.rmtree(out / f".{name}.staging", ignore_errors=True)
        raise BundleError(
            f"the bundle could not be written: {fault.strerror or fault}",
            hint="free some disk space" if fault.errno == errno.ENOSPC else "check the output folder's permissions",
        ) from fault
    finally:
        os.close(handle)
    return final


def remove_leftovers(out: Path) -> None:
    """Remove what a killed build left behind. The caller holds the folder's lock."""
    for folder in out.iterdir():
        if STAGING.fullmatch(folder.name):
            shutil.rmtree(folder, ignore_errors=True)


def _write(staged: Path, files: Iterable[RenderedFile]) -> None:
    staged.mkdir()
    for file in files:
        path = staged / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(file.content, bytes):
            path.write_bytes(file.content)
        else:
            shutil.copyfile(file.content, path)
        path.chmod(0o755 if file.executable else 0o644)


def _swap(staged: Path, final: Path) -> None:
    """Put `staged` in the place of `final`; the old bundle, if any, is then in the staged place."""
    if not final.exists():
        staged.rename(final)
        return
    if _exchange(staged, final):
        return
    # Only where the system or file system cannot exchange names: a moment without any bundle remains.
    old = staged.with_name(f".{final.name}.old.staging")
    final.rename(old)
    staged.rename(final)
    with suppress(OSError):
        shutil.rmtree(old)


def _exchange(a: Path, b: Path) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    done = libc.renameat2(AT_FDCWD, os.fsencode(a), AT_FDCWD, os.fsencode(b), RENAME_EXCHANGE)
    if done == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS):
        return False
    raise OSError(code, os.strerror(code))
