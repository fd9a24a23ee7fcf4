"""Workers: processes that import the heavy libraries, kept alive between jobs and watched.

`WorkerPool` is the parent's side; `python -m packager.core.worker KIND` is the child.
"""

from __future__ import annotations

import json
import os
import select
import signal
import site
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from packager.core import errors
from packager.core.errors import (
    ChildFailedError,
    ConvertError,
    Finding,
    Location,
    PackagerError,
    ToolMissingError,
)
from packager.core.jsonable import to_json
from packager.core.process import kill_group
from packager.core.resources import process_memory

ENVIRONMENT: Mapping[str, str] = {
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "CUDA_VISIBLE_DEVICES": "",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
}
"""What every worker is started with: one thread, no oneDNN, no GPU, fixed order, locale and time zone."""

_DESCRIPTORS = "PACKAGER_WORKER_DESCRIPTORS"
_TICK = 0.2  # seconds between two looks at a worker's memory and time


@dataclass(frozen=True)
class Provide:
    """An argument of a job that a worker makes once and keeps: `entry` is `module:function`."""

    entry: str
    request: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class WorkerJob:
    """A call of `entry` (`module:function`) in a worker of `kind`.

    The function gets `request`, `inputs` (name to path), `out` (an existing folder) and each of `provide`.
    An exception that is no PackagerError becomes an `error`.
    """

    kind: str
    entry: str
    request: Mapping[str, Any]
    inputs: Mapping[str, Path]
    out: Path
    provide: Mapping[str, Provide] = field(default_factory=dict)
    label: str = ""
    error: type[PackagerError] = ConvertError


class WorkerPool:
    """At most `limit` workers; one of each kind stays alive and is used again. Use it by `with`."""

    def __init__(self, limit: int = 2) -> None:
        self.limit = limit
        self.started = 0
        self._workers: dict[str, _Worker] = {}
        self._busy: set[str] = set()
        self._changed = threading.Condition()
        self._closed = False
        # The kernel ties a child's life to the thread that started it, so one lasting thread starts all.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="worker-starter")

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def retire(self, kind: str) -> None:
        """End the idle worker of a kind, to have its memory and its place back; a busy one stays."""
        with self._changed:
            worker = None if kind in self._busy else self._workers.pop(kind, None)
        if worker is not None:
            worker.kill()

    def close(self) -> None:
        """Kill all workers; a job that runs in another thread ends with ChildFailedError."""
        with self._changed:
            self._closed = True
            workers = list(self._workers.values())
            self._workers.clear()
        for worker in workers:
            worker.kill()
        self._starter.shutdown()

    def run(
        self,
        job: WorkerJob,
        *,
        log: Path,
        time_limit: float,
        memory_limit: int | None = None,
        on_wait: Callable[[float], None] | None = None,
    ) -> dict[str, Any]:
        """Run a job and return what its function returned ({} for nothing).

        `time_limit` is in seconds and includes the start of a worker, `memory_limit` in bytes of the whole
        process group. `on_wait` is called with the seconds so far, some times a second. Raises the job's own
        PackagerError with the log named; `job.error` for any other exception; ChildFailedError for a worker
        that died, hung or took too much memory.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        worker = self._take(job.kind, log)
        watch = _Watch(job, log, time.monotonic(), time_limit, memory_limit, on_wait)
        keep = False
        try:
            answer = worker.ask(_request(job, log), watch)
            keep = True
        finally:
            if not keep:
                worker.kill()
            self._give_back(job.kind, keep)
        if "error" in answer:
            raise _rebuilt(answer["error"], job.error, log)
        return answer["ok"] or {}

    def _take(self, kind: str, log: Path) -> _Worker:
        with self._changed:
            while kind in self._busy or len(self._busy) >= self.limit:
                self._changed.wait()
            self._busy.add(kind)
            worker = self._workers.get(kind)
            if worker is not None and worker.alive():
                return worker
            for idle in [other for other in self._workers if other not in self._busy]:
                if len(self._workers) >= self.limit:
                    self._workers.pop(idle).kill()
        try:
            worker = self._starter.submit(_Worker, kind, log).result()
        except BaseException:
            self._give_back(kind, keep=False)
            raise
        with self._changed:
            self.started += 1
            self._workers[kind] = worker
            if self._closed:
                worker.kill()
        return worker

    def _give_back(self, kind: str, keep: bool) -> None:
        with self._changed:
            if not keep:
                self._workers.pop(kind, None)
            self._busy.discard(kind)
            self._changed.notify_all()


@dataclass(frozen=True)
class _Watch:
    """The limits of one job, and the errors for breaking them."""

    job: WorkerJob
    log: Path
    started: float
    time_limit: float
    memory_limit: int | None
    on_wait: Callable[[float], None] | None

    def look(self, group: int) -> None:
        seconds = time.monotonic() - self.started
        if self.on_wait is not None:
            self.on_wait(seconds)
        if seconds > self.time_limit:
            raise self.failed(
                f"did not end within its time limit of {self.time_limit:g} s and was stopped", "to end in time"
            )
        if self.memory_limit is not None:
            used = process_memory(group)
            if used > self.memory_limit:
                raise self.failed(
                    f"used {used / 2**20:.0f} MiB of memory and was stopped",
                    f"at most {self.memory_limit / 2**20:.0f} MiB",
                )

    def died(self, code: int) -> ChildFailedError:
        how = f"with exit code {code}"
        if code < 0:
            with suppress(ValueError):
                how = f"by signal {signal.Signals(-code).name}"
        return self.failed(f"ended its worker {how}", "an answer")

    def failed(self, what: str, expected: str) -> ChildFailedError:
        name = self.job.label or self.job.entry
        return ChildFailedError(f"{name} {what}", expected=expected, hint=f"What it said: {self.log}")


class _Worker:
    """One child process and the two pipes to it."""

    def __init__(self, kind: str, log: Path) -> None:
        if sys.platform == "win32":
            raise ToolMissingError(
                "models cannot be converted on Windows itself", hint="Use the Windows Subsystem for Linux."
            )
        request_out, self._requests = os.pipe()
        self._answers, answer_in = os.pipe()
        self._buffer = b""
        environment = {
            **os.environ,
            **ENVIRONMENT,
            **_import_path(),
            _DESCRIPTORS: f"{request_out} {answer_in} {os.getpid()}",
        }
        try:
            with log.open("ab") as sink:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", __name__, kind],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=sink,
                    pass_fds=(request_out, answer_in),
                    start_new_session=True,
                )
        finally:
            os.close(request_out)
            os.close(answer_in)

    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        kill_group(self._process)

    def __del__(self) -> None:
        # Not in `kill`, which another thread may call while this one reads.
        for name in ("_requests", "_answers"):
            with suppress(AttributeError, OSError):
                os.close(getattr(self, name))

    def ask(self, request: bytes, watch: _Watch) -> dict[str, Any]:
        """Send a request and wait for its answer; raises ChildFailedError."""
        try:
            sent = 0
            while sent < len(request):
                sent += os.write(self._requests, request[sent:])
        except BrokenPipeError:
            raise watch.died(self._process.wait()) from None
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], _TICK)
            if ready:
                data = os.read(self._answers, 1 << 20)
                if not data:
                    raise watch.died(self._process.wait())
                self._buffer += data
            else:
                watch.look(self._process.pid)
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _import_path() -> dict[str, str]:
    """Let the child import this very packager, also from a checkout that is not installed."""
    root = str(Path(__file__).absolute().parents[2])
    known = os.environ.get("PYTHONPATH", "")
    if root in site.getsitepackages():
        return {}
    return {"PYTHONPATH": os.pathsep.join(part for part in (root, known) if part)}


def _request(job: WorkerJob, log: Path) -> bytes:
    request = {
        "entry": job.entry,
        "request": to_json(job.request),
        "inputs": _absolute(job.inputs),
        "out": str(job.out.absolute()),
        "log": str(log.absolute()),
        "provide": {
            name: {
                "entry": asked.entry,
                "request": to_json(asked.request),
                "inputs": _absolute(asked.inputs),
            }
            for name, asked in job.provide.items()
        },
    }
    return json.dumps(request, allow_nan=False).encode() + b"\n"


def _absolute(inputs: Mapping[str, Path]) -> dict[str, str]:
    return {name: str(path.absolute()) for name, path in inputs.items()}


def _rebuilt(described: Mapping[str, Any], unknown: type[PackagerError], log: Path) -> PackagerError:
    """Return the error that a worker reported, its log named in the hint."""
    if "findings" not in described:
        what = f"{described['kind']}: {described['text']}"
        return unknown(what, hint=f"The log with the traceback: {log}")
    kind = getattr(errors, described["kind"], None)
    if not (isinstance(kind, type) and issubclass(kind, PackagerError)):
        kind = next((known for known in _subclasses() if known.exit_code == described["exit_code"]), unknown)
    findings = [_finding(found) for found in described["findings"]]
    last = findings[-1]
    hint = f"{last.hint} (log: {log})" if last.hint else f"The log: {log}"
    findings[-1] = Finding(last.what, last.where, last.expected, hint, last.source_line)
    return kind(tuple(findings))


def _subclasses() -> list[type[PackagerError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and PackagerError in kind.__bases__]


def _finding(described: Mapping[str, Any]) -> Finding:
    where = Location(**described["where"]) if described["where"] else None
    return Finding(**{**described, "where": where})


if __name__ == "__main__":
    from packager.core.worker_child import serve

    _requests, _answers, _parent = (int(part) for part in os.environ.pop(_DESCRIPTORS).split())
    serve(_requests, _answers, _parent)
