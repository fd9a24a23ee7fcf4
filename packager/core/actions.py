"""Cached pieces of work: each runs in a worker once, and its folder is found again by content."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packager.core import plugin_paths
from packager.core.cache import Cache
from packager.core.console import Console
from packager.core.errors import ChildFailedError, ConvertError, PackagerError
from packager.core.hashing import canonical_json, code_hash, content_hash, json_hash, tool_versions
from packager.core.jsonable import to_json
from packager.core.paths import log_root
from packager.core.resources import available_memory, cpu_class
from packager.core.worker import ENVIRONMENT, Provide, WorkerJob, WorkerPool

RESULT = "result.json"
"""In an action's folder: what its function returned, if anything."""

_USUAL_MEMORY = 2 << 30  # bytes reserved for a job without a limit of its own


@dataclass(frozen=True)
class Action:
    """A call of `entry` (`module:function`) in a worker of `kind`, whose folder is cached by content.

    `input_hashes` replaces the hashing of inputs that it names (`argument.input` for those of `provide`).
    `code` are the modules and `tools` the distributions that shape the result, besides the packages that the
    entries stand in. `time_limit` is in seconds, `memory_limit` in bytes; `memory` is what it
    is expected to take at most, where that is much less. `last_words` finds a known cause in the log of a worker that
    died, None where it knows none.
    """

    name: str
    kind: str
    entry: str
    request: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Path] = field(default_factory=dict)
    provide: Mapping[str, Provide] = field(default_factory=dict)
    code: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    input_hashes: Mapping[str, str] = field(default_factory=dict)
    error: type[PackagerError] = ConvertError
    time_limit: float = 1800.0
    memory_limit: int | None = None
    memory: int | None = None
    last_words: Callable[[Path], PackagerError | None] | None = None

    def key(self) -> str:
        """Return the sha256 of all that shapes the result: content, never a path, a name or a limit."""
        entries = (self.entry, *(asked.entry for asked in self.provide.values()))
        return json_hash(
            {
                "entry": self.entry,
                "request": to_json(self.request),
                "inputs": self._hashes(self.inputs, ""),
                "provide": {
                    name: {
                        "entry": asked.entry,
                        "request": to_json(asked.request),
                        "inputs": self._hashes(asked.inputs, f"{name}."),
                    }
                    for name, asked in self.provide.items()
                },
                "code": code_hash((*self.code, *map(_package, entries))),
                "tools": tool_versions(self.tools),
                "environment": dict(ENVIRONMENT),
                "cpu": cpu_class(),
                "python": f"{sys.version_info.major}.{sys.version_info.minor}",
            }
        )

    def _hashes(self, inputs: Mapping[str, Path], prefix: str) -> dict[str, str]:
        known = self.input_hashes
        return {name: known.get(prefix + name) or content_hash(path) for name, path in inputs.items()}


def _package(entry: str) -> str:
    """Return the package that the function of an entry is part of: its neighbours shape the result too."""
    module = entry.partition(":")[0]
    return module.rpartition(".")[0] or module


class Actions:
    """Runs actions: from the cache where it can, else in the workers of `pool`."""

    def __init__(self, cache: Cache, pool: WorkerPool, console: Console) -> None:
        self._cache = cache
        self._pool = pool
        self._console = console
        plugin_paths.extend()

    def run(self, action: Action) -> Path:
        """Return the action's folder; its `result.json` holds what the function returned.

        Raises the action's errors (see `WorkerPool.run`) and BundleError when the disk refuses.
        """
        key = action.key()
        return self._cache.get(key) or self._work(action, key)

    def find(self, action: Action) -> Path | None:
        """Return the action's folder where it is cached; nothing is started."""
        return self._cache.get(action.key())

    def run_all(self, actions: Sequence[Action]) -> list[Path]:
        """Run independent actions, those of different kinds side by side as far as memory goes.

        Neither the folders nor the error depend on the order in which they end: of several failures the
        first in the list is raised.
        """
        keys = [action.key() for action in actions]
        found = [self._cache.get(key) for key in keys]
        missing = [index for index, path in enumerate(found) if path is None]
        batch = _Batch(self, actions, keys)
        kinds = dict.fromkeys(actions[index].kind for index in missing)
        lanes = [[index for index in missing if actions[index].kind == kind] for kind in kinds]
        if lanes:
            batch.run(lanes, self._pool)
        return [path or batch.done[index] for index, path in enumerate(found)]

    def _work(self, action: Action, key: str) -> Path:
        found = self._cache.get(key)
        if found is not None:  # an equal action of the same batch was first
            return found
        log = log_root() / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', action.name)[:80]}-{key[:12]}.log"
        log.unlink(missing_ok=True)
        with self._cache.temporary() as scratch, self._console.task(action.name):
            out = scratch / "out"
            out.mkdir()
            job = WorkerJob(
                kind=action.kind,
                entry=action.entry,
                request=action.request,
                inputs=action.inputs,
                out=out,
                provide=action.provide,
                label=action.name,
                error=action.error,
            )
            try:
                result = self._pool.run(job, log=log, time_limit=action.time_limit, memory_limit=action.memory_limit)
            except ChildFailedError as fault:
                cause = action.last_words(log) if action.last_words is not None else None
                if cause is None:
                    raise
                raise cause from fault
            finally:
                self._console.log_file(log)
            if result:
                (out / RESULT).write_bytes(canonical_json(result) + b"\n")
            return self._cache.put(key, out, note={"kind": "action", "name": action.name})


class _Batch:
    """The actions of one `run_all` that are not cached."""

    def __init__(self, runner: Actions, actions: Sequence[Action], keys: Sequence[str]) -> None:
        self.done: dict[int, Path] = {}
        self._runner = runner
        self._actions = actions
        self._keys = keys
        self._failed: dict[int, BaseException] = {}
        self._reserved = 0
        self._room = available_memory()
        self._changed = threading.Condition()

    def run(self, lanes: Sequence[Sequence[int]], pool: WorkerPool) -> None:
        """Work on each lane in order, the lanes side by side; raise the first failure of the list."""
        with ThreadPoolExecutor(min(len(lanes), pool.limit), thread_name_prefix="action") as threads:
            futures = [threads.submit(self._lane, lane) for lane in lanes]
            try:
                for future in futures:
                    future.result()
            except BaseException:  # Ctrl-C
                for future in futures:
                    future.cancel()
                pool.close()
                raise
        if self._failed:
            raise self._failed[min(self._failed)]

    def _lane(self, lane: Sequence[int]) -> None:
        for index in lane:
            # An action after a failed one could only hide which failure is the first.
            if any(failed < index for failed in self._failed):
                return
            action = self._actions[index]
            size = action.memory or action.memory_limit or _USUAL_MEMORY
            self._reserve(size)
            try:
                self.done[index] = self._runner._work(action, self._keys[index])
            except Exception as problem:
                self._failed[index] = problem
            finally:
                self._free(size)

    def _reserve(self, size: int) -> None:
        """Wait until `size` bytes are free; one action may always run."""
        with self._changed:
            while self._reserved and self._reserved + size > self._room:
                self._changed.wait()
            self._reserved += size

    def _free(self, size: int) -> None:
        with self._changed:
            self._reserved -= size
            self._changed.notify_all()
