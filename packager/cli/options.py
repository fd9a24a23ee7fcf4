"""Arguments and options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def complete_target(incomplete: str) -> list[str]:
    """Target ids for shell completion."""
    from packager.registry import Catalog

    return [name for name in Catalog().targets if name.startswith(incomplete)]


ManifestPath = Annotated[Path, typer.Argument(help="The manifest.", show_default=True)]
BundlePath = Annotated[Path, typer.Argument(help="The bundle's folder, such as dist/name-1.0.0.")]
Out = Annotated[Path, typer.Option("--out", help="Folder that bundles are published in.")]
Targets = Annotated[
    list[str] | None,
    typer.Option("--target", help="Only this target; may be given several times.", autocompletion=complete_target),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else there.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show the logs of converters.")]

MANIFEST = Path("manifest.yaml")
DIST = Path("dist")
