"""Publishes a bundle: all files in a hidden folder beside the old one, then one exchange."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from packager.core.errors import BundleError
from packager.core.locks import lock, open_for_lock
from packager.model.project import RenderedFile

RENAME_EXCHANGE = 2
AT_FDCWD = -100
STAGING = ".staging"
ASIDE = ".replaced"


def publish(out: Path, name: str, files: Iterable[RenderedFile], before_swap: Callable[[Path], None]) -> Path:
    """Write `files` as `out/name`. A kill at any moment leaves the old bundle or the new one.

    `before_swap` gets the staged folder while this build holds the lock of the output folder. Raises `BundleError`.
    """
    final, staged = out / name, out / f".{name}{STAGING}"
    try:
        with _alone(out):
            try:
                _remove_leftovers(out)
                _write(staged, files)
                before_swap(staged)
                _swap(staged, final)
            finally:
                _remove(staged)
    except OSError as fault:
        raise _unwritable(out, fault.strerror or str(fault), fault.errno == errno.ENOSPC) from fault
    return final


def prepare(out: Path) -> None:
    """Remove what a killed build left; raise `BundleError` where `out` cannot be written, before any work is done."""
    nearest = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise _unwritable(out, "not a folder that can be written")
    tidy(out)


def _unwritable(out: Path, why: str, full: bool = False) -> BundleError:
    return BundleError(
        f"the bundle cannot be written in {out}: {why}",
        expected="a folder that can be written, with enough space",
        hint="free some disk space" if full else "choose another folder by --out",
    )


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold the lock of the output folder, which is made where it is missing."""
    out.mkdir(parents=True, exist_ok=True)
    handle = open_for_lock(out)
    try:
        lock(handle, exclusive=True, wait=True)
        yield
    finally:
        os.close(handle)


def change(path: Path, action: Callable[[], None]) -> None:
    """Run `action` on the bundle at `path` while no build can replace it. Raises `BundleError`."""
    try:
        with _alone(path.absolute().parent):
            action()
    except OSError as fault:
        raise BundleError(f"{path} cannot be written: {fault.strerror or fault}") from fault


def tidy(out: Path) -> None:
    """Remove what a killed build left in `out`, unless a build is at work there."""
    try:
        handle = open_for_lock(out)
    except OSError:
        return
    try:
        if lock(handle, exclusive=True, wait=False):
            with suppress(OSError):
                _remove_leftovers(out)
    finally:
        os.close(handle)


def _remove_leftovers(out: Path) -> None:
    """The caller holds the folder's lock. A bundle that was moved aside, but not replaced, comes back."""
    for path in sorted(out.iterdir()):
        if path.name.startswith(".") and path.name.endswith(ASIDE):
            final = out / path.name[1 : -len(ASIDE)]
            if not os.path.lexists(final):
                path.rename(final)
                continue
        if path.name.startswith(".") and path.name.endswith((STAGING, ASIDE)):
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)


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
    if not os.path.lexists(final):
        staged.rename(final)
        return
    if _exchange(staged, final):
        return
    # Only where the system or file system cannot exchange names: killed between the two, the next command repairs it.
    old = staged.with_name(f".{final.name}{ASIDE}")
    final.rename(old)
    staged.rename(final)
    _remove(old)


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
