"""What the package registry plug-ins share: refusing odd names, running the client, finding its download."""

from __future__ import annotations

import re
from pathlib import Path

from packager.core.archive import FetchError
from packager.core.process import Command, Runner

TIME_LIMIT = 1200.0
"""Seconds for a download."""

_SHOWN = 3  # lines of a client's complaint that are shown
_LONGEST = 600  # characters of them
_WRONG = re.compile(r"(?i)\berror\b|\berr!|^E: ")


def check_name(what: str, text: str, pattern: str) -> None:
    """Refuse a name or version that the registry cannot have (or that its client would take as an option)."""
    if not re.fullmatch(pattern, text):
        raise FetchError(f"{text!r} is not a {what}", expected=f"text like {pattern}")


def download(command: Command, *, title: str, archive: str | None, to: Path, runner: Runner, hint: str) -> Path:
    """Run a client that downloads one archive into the folder `to`; return the file.

    `title` names the package in messages. Raises FetchError where the client fails or the archive is not
    the one named, ToolMissingError without a client, ChildFailedError at the time limit.
    """
    done = runner.run(command)
    if done.returncode != 0:
        raise FetchError(
            f"{title} could not be fetched: {complaint(done.stderr + done.stdout)}",
            expected=f"`{command.label}` to find the package, version and archive in its registry",
            hint=hint,
        )
    found = sorted(path for path in to.iterdir() if path.is_file())
    names = ", ".join(path.name for path in found) or "nothing"
    if len(found) != 1 or (archive is not None and found[0].name != archive):
        raise FetchError(
            f"{title} gave {names}", expected=archive or "one archive", hint="Correct `archive:` or the version."
        )
    return found[0]


def complaint(text: str) -> str:
    """Return the first lines of a client's output that say what is wrong, as one line."""
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in text.splitlines()]
    wrong = [re.sub(r"^\[?(ERROR|npm error|npm ERR!|E:)[]: ]*", "", line) for line in lines if _WRONG.search(line)]
    chosen = [line for line in (wrong or lines) if line][:_SHOWN]
    return " ".join(chosen)[:_LONGEST] or "it said nothing"
