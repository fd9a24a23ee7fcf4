"""The only place that prints: stages with their time, lines, tables, JSON and errors.

Results go to standard output; progress, warnings and errors to standard error. In JSON mode standard output
holds the JSON alone. `rich` is imported at the first print, as `packager --help` must be quick.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packager.core.errors import PackagerError
from packager.core.findings import format_finding
from packager.core.jsonable import to_json

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.live import Live
    from rich.text import Text

_PLAIN_WIDTH = 240  # columns where there is no terminal: nothing is cut in a log file


class Console:
    """Prints for one command. Safe for threads. `NO_COLOR` and the kind of terminal are honoured."""

    def __init__(self, json_mode: bool = False, verbose: bool = False) -> None:
        self.json_mode = json_mode
        self.verbose = verbose
        self._lock = threading.RLock()
        self._stages: list[Stage] = []
        self._live: Live | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Show stage `name`, its time and what it waits for; on a terminal as a live line, else as lines."""
        stage = Stage(self, name)
        with self._lock:
            self._stages.append(stage)
            self._refresh()
        try:
            yield stage
        except BaseException:
            stage.end(ok=False)
            raise
        else:
            stage.end(ok=True)
        finally:
            with self._lock:
                self._stages.remove(stage)
                self._refresh()

    @contextmanager
    def task(self, text: str) -> Iterator[None]:
        """Say that the current stage waits for `text`; several at once are fine."""
        started = time.monotonic()
        with self._lock:
            stage = self._stages[-1] if self._stages else None
            if stage is not None:
                stage.tasks.append(text)
        done = False
        try:
            yield
            done = True
        finally:
            if stage is not None:
                with self._lock:
                    stage.tasks.remove(text)
                self._progress(stage.name, text if done else f"{text}: failed", time.monotonic() - started)

    def line(self, text: str = "") -> None:
        """Print a line of the result."""
        self._print(text, result=True)

    def warn(self, text: str) -> None:
        """Print a warning."""
        self._print(f"warning: {text}", result=False)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print a table; a cell is shown as its `str`, nothing for None."""
        from rich import box
        from rich.table import Table

        table = Table(title=printable(title), title_justify="left", box=box.SIMPLE_HEAD)
        for column in columns:
            table.add_column(_text(column), overflow="fold")
        for row in rows:
            table.add_row(*(_text("" if cell is None else str(cell)) for cell in row))
        self._print(table, result=True)

    def error(self, error: PackagerError) -> None:
        """Print every finding of an error."""
        self._print("\n\n".join(format_finding(finding) for finding in error.findings), result=False)

    def log_file(self, path: Path) -> None:
        """Print a job's log where the user asked for it by `-v`."""
        if self.verbose and path.is_file():
            self._print(path.read_text(encoding="utf-8", errors="replace").rstrip("\n"), result=False)

    def emit_json(self, value: Any) -> None:
        """Print `value` as JSON (UTF-8) to standard output."""
        text = json.dumps(to_json(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        with self._lock:
            self._pause()
            sys.stdout.flush()
            if hasattr(sys.stdout, "buffer"):
                sys.stdout.buffer.write(text.encode("utf-8", errors="backslashreplace"))
            else:
                sys.stdout.write(text)
            sys.stdout.flush()
            self._refresh()

    def _progress(self, stage: str, text: str, seconds: float) -> None:
        self._print(f"[{stage}] {text} ({seconds:.1f} s)", result=False)

    def _print(self, content: object, *, result: bool) -> None:
        shown = _text(content) if isinstance(content, str) else content
        with self._lock:
            self._pause()
            _rich(error=self.json_mode or not result).print(shown, soft_wrap=isinstance(content, str))
            self._refresh()

    def _pause(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _refresh(self) -> None:
        """Show the live line where there is a stage and a terminal."""
        if not self._stages or not sys.stderr.isatty():
            self._pause()
            return
        if self._live is None:
            from rich.live import Live
            from rich.spinner import Spinner

            console = _rich(error=True)
            if not console.is_terminal or console.is_dumb_terminal:
                return
            spinner = Spinner("dots")

            def render() -> Spinner:
                spinner.update(text=_text(self._stages[-1].status() if self._stages else ""))
                return spinner

            self._live = Live(
                get_renderable=render,
                console=console,
                transient=True,
                refresh_per_second=8,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()


class Stage:
    """One stage of the work, while it runs."""

    def __init__(self, console: Console, name: str) -> None:
        self.name = name
        self.tasks: list[str] = []
        self._console = console
        self._started = time.monotonic()
        self._waiting = ""
        self._since = self._started

    def waiting(self, text: str) -> None:
        """Say what the stage waits for now; what it waited for before is done."""
        self._close_waiting()
        self._waiting, self._since = text, time.monotonic()

    def end(self, *, ok: bool) -> None:
        """Print the last line of the stage; `Console.stage` calls it."""
        self._close_waiting("" if ok else ": failed")
        self._console._progress(self.name, "done" if ok else "failed", time.monotonic() - self._started)

    def status(self) -> str:
        """Return the live line: name, time, what is being waited for."""
        now = time.monotonic()
        waits = ", ".join([self._waiting] * bool(self._waiting) + self.tasks)
        return f"[{self.name}] {now - self._started:.0f} s" + (f"  {waits}" if waits else "")

    def _close_waiting(self, suffix: str = "") -> None:
        if self._waiting:
            seconds = time.monotonic() - self._since
            self._console._progress(self.name, self._waiting + suffix, seconds)
            self._waiting = ""


class NullConsole(Console):
    """Says nothing but errors' texts to nobody: for tests and for use as a library."""

    def emit_json(self, value: Any) -> None:
        """Check that `value` has a JSON form."""
        to_json(value)

    def _print(self, content: object, *, result: bool) -> None:
        pass

    def _refresh(self) -> None:
        pass


def printable(text: str) -> str:
    """Return `text` with control characters as escapes, so that no file name or log can drive a terminal."""
    return "".join(char if char in "\n\t" or char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"


def _rich(*, error: bool) -> RichConsole:
    """Return a rich console over today's stream (tests and pagers replace it)."""
    from rich.console import Console as RichConsole

    stream = sys.stderr if error else sys.stdout
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
    width = None if stream.isatty() else _PLAIN_WIDTH
    return RichConsole(file=stream, width=width, highlight=False, markup=False, emoji=False)


def _text(content: str) -> Text:
    from rich.text import Text

    text = Text(printable(content))
    text.highlight_regex(r"(?m)^error:", "bold red")
    text.highlight_regex(r"(?m)^warning:", "bold yellow")
    text.highlight_regex(r"(?m)^ *-->.*$|^ *\d* +\|", "blue")
    text.highlight_regex(r"(?m)^ +\^$", "bold red")
    text.highlight_regex(r"(?m)^ += (expected|hint):", "bold cyan")
    return text
