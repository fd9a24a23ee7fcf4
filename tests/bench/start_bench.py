"""What `packager --help` costs beside Python itself and the command-line library."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from timing import best, run

ROUNDS = 15


def main() -> list[dict[str, Any]]:
    """Seconds of an empty Python, of the library with one verb, of the whole help; and the ratio of the last two."""
    library = "import typer; a = typer.Typer(rich_markup_mode=None)\n@a.command()\ndef f() -> None: ...\na(['--help'])"
    codes = {"empty Python": "pass", "typer, one verb": library}
    codes["packager --help"] = "from packager.cli import main; main(['--help'])"
    with TemporaryDirectory() as folder:
        times = {
            what: best(lambda code=code: run([sys.executable, "-P", "-c", code], Path(folder)), ROUNDS)
            for what, code in codes.items()
        }
    rows: list[dict[str, Any]] = [{"what": what, "value": seconds, "unit": "s"} for what, seconds in times.items()]
    ratio = times["packager --help"] / times["typer, one verb"]
    return [*rows, {"what": "packager --help / typer, one verb", "value": ratio, "unit": "ratio"}]
