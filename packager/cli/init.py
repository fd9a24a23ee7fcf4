"""`packager init`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from packager.cli.options import MANIFEST

if TYPE_CHECKING:
    from packager.core.console import Console
    from packager.drafting import Drafted

NAME = "init"
HELP = "Write a first manifest for a model: what is known, and what is guessed."

Model = Annotated[Path, typer.Argument(help="The model, in or below the manifest's folder.")]
Where = Annotated[Path, typer.Option("--manifest", help="The manifest to write.")]
Labels = Annotated[Path | None, typer.Option("--labels", help="Labels, one in a line, in the order of the scores.")]
Tries = Annotated[list[Path] | None, typer.Option("--try", help="A file whose answer is known; may be repeated.")]
Answers = Annotated[list[str] | None, typer.Option("--expect", help="The right label of each --try, in order.")]
Shapes = Annotated[list[str] | None, typer.Option("--shape", help="Shape of an input: x=1,3,224,224.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a manifest that is there.")]


def run(
    model: Model,
    manifest: Where = MANIFEST,
    labels: Labels = None,
    tries: Tries = None,
    expect: Answers = None,
    shape: Shapes = None,
    force: Force = False,
) -> None:
    """Write a first manifest. With --try and --expect, find the contract that gives the right answers."""
    from packager import drafting
    from packager.core.console import Console
    from packager.core.errors import UsageError
    from packager.session import open_session

    if manifest.exists() and not force:
        raise UsageError(f"`{manifest}` is there already", hint="--force replaces it; --manifest names another")
    if len(tries or ()) != len(expect or ()):
        raise UsageError(
            f"{len(tries or ())} times --try, {len(expect or ())} times --expect",
            expected="one --expect for each --try",
        )
    wish = drafting.Wish(
        model, manifest, labels, dict(map(_shape, shape or ())), tuple(zip(tries or (), expect or (), strict=True))
    )
    console = Console()
    with open_session(console) as session:
        made = drafting.write_first(session, wish)
    drafting.write(manifest, made.text)
    show(console, manifest, made)


def _shape(given: str) -> tuple[str, tuple[int, ...]]:
    from packager.core.errors import UsageError

    name, _, sizes = given.rpartition("=")
    parts = sizes.split(",")
    if not name or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"`--shape {given}` cannot be read", expected="NAME=1,3,224,224")
    return name, tuple(map(int, parts))


def show(console: Console, manifest: Path, made: Drafted) -> None:
    """Print what was found and what is left to do."""
    from packager.manifest.draft import MARK

    if made.ranking:
        rows = [(summary, f"{score:.3f}") for summary, score in made.ranking]
        title = f"{len(rows)} of {made.tried} contracts are right on every file; the first is taken"
        console.table(title, ("contract", "mean score of the right label"), rows)
    if made.close:
        console.warn("the first ones are too close to tell apart: name more files with --try")
    marked = [number for number, line in enumerate(made.text.splitlines(), 1) if f"# {MARK}" in line]
    console.line(f"written: {manifest}")
    if marked:
        places = ", ".join(f"{manifest}:{number}" for number in marked)
        console.line(f"lines that hold guesses: {places}")
    console.line(f"next: packager check {manifest}")
