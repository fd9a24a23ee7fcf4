"""`packager build`."""

from __future__ import annotations

from typing import Annotated

import typer

from packager.cli.options import DIST, MANIFEST, ManifestPath, Out, Targets, Verbose

NAME = "build"
HELP = "Build the bundle: contract, convert, verify, render, bundle."

Force = Annotated[bool, typer.Option("--force", help="Replace a bundle whose files were edited.")]


def run(
    manifest: ManifestPath = MANIFEST,
    out: Out = DIST,
    target: Targets = None,
    force: Force = False,
    verbose: Verbose = False,
) -> None:
    """Build one manifest."""
    from packager import pipeline
    from packager.core.console import Console
    from packager.session import open_session

    console = Console(verbose=verbose)
    with open_session(console) as session:
        published = pipeline.build(session, manifest, out, target or (), force)
    pipeline.show_bundle(console, published)
