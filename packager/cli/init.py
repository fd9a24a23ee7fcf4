"""`packager init`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from packager.cli.options import MANIFEST

if TYPE_CHECKING:
    from packager.core.console import Console
    from packager.drafting import Drafted

T = TypeVar("T")

NAME = "init"
SHOWN = 12
"""Contracts of a ranking that are printed."""

HELP = "Write a first manifest for a model: what is known, and what is guessed."

Model = Annotated[
    Path, typer.Argument(help="The model, in or below the manifest's folder; or a YAML file with its `model:` section.")
]
Where = Annotated[Path, typer.Option("--manifest", help="The manifest to write.")]
Labels = Annotated[Path | None, typer.Option("--labels", help="Labels, one in a line, in the order of the scores.")]
Tries = Annotated[list[Path] | None, typer.Option("--try", help="A file whose answer is known; may be repeated.")]
Answers = Annotated[list[str] | None, typer.Option("--expect", help="The right label of each --try, in order.")]
Shapes = Annotated[list[str] | None, typer.Option("--shape", help="Shape of an input: x=1,3,224,224.")]
Class = Annotated[str | None, typer.Option("--class", help="PyTorch weights: what builds their network, module:Class.")]
Given = Annotated[list[str] | None, typer.Option("--argument", help="An argument of that class: width=32.")]
Code = Annotated[list[Path] | None, typer.Option("--code", help="Where the class is: a Python file, folder or wheel.")]
Trust = Annotated[str | None, typer.Option("--trust", help="Why that code may run on this machine.")]
Python = Annotated[str | None, typer.Option("--python", help="Interpreter that has torch, where another is wanted.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a manifest that is there.")]


def run(
    model: Model,
    manifest: Where = MANIFEST,
    labels: Labels = None,
    tries: Tries = None,
    expect: Answers = None,
    shape: Shapes = None,
    class_: Class = None,
    argument: Given = None,
    code: Code = None,
    trust: Trust = None,
    python: Python = None,
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
            expected="one --expect for each --try, in the same order",
            hint='for one photo of a cat: --try photo.jpg --expect cat, where "cat" is one of the labels',
        )
    arguments = _by_name("--argument", map(_argument, argument or ()))
    network = drafting.Network(class_, arguments, tuple(code or ()), trust, python)
    pairs = tuple(zip(tries or (), expect or (), strict=True))
    shapes = _by_name("--shape", map(_shape, shape or ()))
    wish = drafting.Wish(model, manifest, labels, shapes, pairs, network)
    console = Console()
    with open_session(console) as session:
        made = drafting.write_first(session, wish)
    drafting.write(manifest, made.text)
    show(console, manifest, made)


def _by_name(option: str, given: Iterable[tuple[str, T]]) -> dict[str, T]:
    from packager.core.errors import UsageError

    found: dict[str, T] = {}
    for name, value in given:
        if name in found:
            raise UsageError(f"`{option} {name}=...` is given twice", expected="each name once")
        found[name] = value
    return found


def _shape(given: str) -> tuple[str, tuple[int, ...]]:
    from packager.core.errors import UsageError

    name, _, sizes = given.rpartition("=")
    parts = sizes.split(",")
    if not name or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"`--shape {given}` cannot be read", expected="NAME=1,3,224,224")
    return name, tuple(map(int, parts))


def _argument(given: str) -> tuple[str, Any]:
    """NAME=VALUE; a value that reads as JSON (32, true, [1, 2]) is that, any other a text."""
    from packager.core.errors import UsageError

    name, equals, value = given.partition("=")
    if not equals or not name.isidentifier():
        raise UsageError(f"`--argument {given}` cannot be read", expected="NAME=VALUE, such as width=32")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def show(console: Console, manifest: Path, made: Drafted) -> None:
    """Print what was found and what is left to do."""
    from packager.manifest.draft import MARK

    if made.ranking:
        rows = [(summary, f"{score:.3f}") for summary, score in made.ranking[:SHOWN]]
        rows += [(f"... {len(made.ranking) - SHOWN} more", "")] if len(made.ranking) > SHOWN else []
        title = f"{len(made.ranking)} of {made.tried} contracts are right on every file; the first is taken"
        console.table(title, ("contract", "mean score of the right label"), rows)
    if made.close:
        console.warn("the first ones are too close to tell apart: name more files with --try")
    marked = [number for number, line in enumerate(made.text.splitlines(), 1) if f"# {MARK}" in line]
    console.line(f"written: {manifest}")
    if marked:
        places = ", ".join(f"{manifest}:{number}" for number in marked)
        console.line(f"lines that hold guesses: {places}")
    console.line(f"next: packager check {manifest}")
