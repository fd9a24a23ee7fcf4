"""What one command works with: console, cache, runner, workers and plug-ins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from packager.core.actions import Actions
from packager.core.cache import Cache
from packager.core.console import Console
from packager.core.errors import Location, PackagerError
from packager.core.fetch import Resolver
from packager.core.hashing import content_hash
from packager.core.paths import cache_root
from packager.core.process import Runner, SystemRunner
from packager.core.worker import WorkerPool
from packager.model.address import Address
from packager.registry import Catalog


@dataclass(frozen=True)
class Session:
    """Everything that a command needs from outside; tests replace parts of it."""

    console: Console
    pool: WorkerPool
    cache: Cache = field(default_factory=lambda: Cache(cache_root()))
    catalog: Catalog = field(default_factory=Catalog)
    runner: Runner = field(default_factory=SystemRunner)

    @property
    def actions(self) -> Actions:
        """Runs cached actions in this session's workers."""
        return Actions(self.cache, self.pool, self.console)

    def resolver(self, base: Path) -> Resolver:
        """Finds the files of a project whose manifest stands in `base`."""
        return Resolver(self.cache, self.catalog.package_registries, base, self.runner, self.console)


@contextmanager
def open_session(console: Console) -> Iterator[Session]:
    """A session whose workers end with it."""
    with WorkerPool() as pool:
        yield Session(console, pool)


class Inputs:
    """Resolves addresses of one project and remembers what was read: {address: sha256}."""

    def __init__(self, resolver: Resolver, online: bool = True) -> None:
        self._resolver, self.online = resolver, online
        self.read: dict[str, str] = {}
        self.licenses: dict[str, str] = {}
        self.unseen: list[str] = []

    def resolve(self, address: Address, error: type[PackagerError], where: Location | None = None) -> Path:
        """File of an address; fetched where needed, unless offline (then `NotHereError`)."""
        path = self._resolver.find(address, error, where=where)
        if path is None and not self.online:
            raise NotHereError(str(address))
        if path is None:
            path = self._resolver.resolve(address, error, where=where)
        key = str(address)
        try:
            self.read[key] = content_hash(path)
        except OSError as fault:
            what = f"`{fault.filename or path}` cannot be read: {fault.strerror or fault}"
            raise error(what, where=where, hint="check its rights, and links that lead nowhere") from fault
        if not isinstance(address, str):
            self.licenses[key] = address.license or "not stated in the manifest"
        return path


class NotHereError(Exception):
    """A package file, or an exported model, is not in the cache, and this command fetches and starts nothing."""
