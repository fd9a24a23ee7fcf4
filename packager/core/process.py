"""Runs the programs of this machine: each in its own process group, which never outlives this process."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from packager.core.errors import ChildFailedError, ToolMissingError

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Command:
    """A program to run.

    `env` is added to this process's environment; `timeout` is in seconds; `label` says in messages what the
    program is for. With `stdout` its output goes to that file as bytes and is not captured.
    """

    argv: tuple[str, ...]
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    label: str = ""
    stdout: Path | None = None


@dataclass(frozen=True)
class Completed:
    """How a program ended: `returncode` is minus the signal's number for one that was killed."""

    returncode: int
    stdout: str
    stderr: str
    seconds: float


class Runner(Protocol):
    """Runs a command and returns how it ended, whatever its exit code."""

    def run(self, command: Command, *, log: Path | None = None, capture: bool = True) -> Completed:
        """Run `command` to its end; append what it says to `log`.

        Without `capture` the output is not returned. Raises ToolMissingError where the program cannot be
        started and ChildFailedError at its time limit.
        """
        ...


def require_tool(name: str, hint: str) -> Path:
    """Return the path of program `name`. Raises ToolMissingError, with `hint` saying how to get it."""
    found = shutil.which(name)
    if found is None:
        raise ToolMissingError(f"{name} is not on this machine", expected=f"{name} in PATH", hint=hint)
    return Path(found)


def die_with_parent(parent: int) -> bool:
    """Ask the kernel to kill this process when `parent`, which started it, ends. False where it cannot.

    The kernel watches the *thread* that started the process: it must live as long as the child should.
    """
    if _LIBC is None or _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        return False
    if os.getppid() != parent:  # it ended before the call
        os._exit(1)
    return True


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process started with `start_new_session` and all that it started, and reap it."""
    try:
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()


def _before_exec() -> Callable[[], None] | None:
    if _LIBC is None:
        return None
    parent = os.getpid()

    def ask() -> None:
        die_with_parent(parent)

    return ask


class SystemRunner:
    """The `Runner` of this machine: no standard input, no terminal, UTF-8 with replacement."""

    def run(self, command: Command, *, log: Path | None = None, capture: bool = True) -> Completed:
        """See `Runner.run`."""
        with ExitStack() as stack:
            to_log: IO[bytes] | None = None
            if log is not None:
                log.parent.mkdir(parents=True, exist_ok=True)
                to_log = stack.enter_context(log.open("ab", buffering=0))
                to_log.write(f"$ {shlex.join(command.argv)}\n".encode(errors="replace"))
            out: IO[bytes] | int = subprocess.PIPE if capture else (to_log or subprocess.DEVNULL)
            err = out
            if command.stdout is not None:
                out = stack.enter_context(command.stdout.open("wb"))
            started = time.monotonic()
            process = self._start(command, out, err)
            stdout, stderr = self._wait(process, command, to_log if capture else None, log)
        seconds = time.monotonic() - started
        return Completed(process.returncode, _text(stdout), _text(stderr), seconds)

    def _start(self, command: Command, out: IO[bytes] | int, err: IO[bytes] | int) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                command.argv,
                cwd=command.cwd,
                env={**os.environ, **command.env},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=_before_exec(),  # noqa: PLW1509 - it makes one system call, and allocates nothing
            )
        except (FileNotFoundError, PermissionError, NotADirectoryError) as problem:
            if command.cwd is not None and not command.cwd.is_dir():
                raise
            raise ToolMissingError(
                f"{command.argv[0]} cannot be started: {problem.strerror}",
                expected=f"{command.argv[0]}{' for ' + command.label if command.label else ''}",
                hint="Run `packager doctor` to see what is missing.",
            ) from problem

    def _wait(
        self, process: subprocess.Popen[bytes], command: Command, to_log: IO[bytes] | None, log: Path | None
    ) -> tuple[bytes, bytes]:
        timed_out = False
        try:
            stdout, stderr = process.communicate(timeout=command.timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            kill_group(process)
            stdout, stderr = _remains(process)
        except BaseException:
            kill_group(process)
            raise
        if to_log is not None:
            to_log.write((stdout or b"") + (stderr or b""))
        if timed_out:
            what = command.label or command.argv[0]
            raise ChildFailedError(
                f"{what} did not end within {command.timeout:g} s and was stopped",
                expected=f"`{shlex.join(command.argv)}` to end",
                hint=f"Its log: {log}" if log else "",
            )
        return stdout or b"", stderr or b""


def _remains(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Return what a killed process said; a daemon that left the group may hold the pipe open for ever."""
    try:
        return process.communicate(timeout=5)
    except subprocess.TimeoutExpired as held:
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        return held.stdout or b"", held.stderr or b""


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
