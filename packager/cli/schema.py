"""`packager schema`."""

from __future__ import annotations

from typing import Annotated

import typer

NAME = "schema"
HELP = "Print the manifest's JSON Schema, for editors."

Reference = Annotated[bool, typer.Option("--reference", help="Print the reference page (Markdown) instead.")]


def run(reference: Reference = False) -> None:
    """Print the JSON Schema of the manifest with the steps, runtimes and targets of this installation."""
    from packager.core.console import Console
    from packager.manifest.reference import markdown
    from packager.manifest.schema import json_schema
    from packager.registry import Catalog

    console = Console(json_mode=not reference)
    if reference:
        console.line(markdown(Catalog()))
    else:
        console.emit_json(json_schema(Catalog()))
