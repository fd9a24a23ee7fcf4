"""`packager check`."""

from __future__ import annotations

from packager.cli.options import MANIFEST, ManifestPath, Verbose

NAME = "check"
HELP = "Check manifest, files, contract and targets: all problems at once. Starts no worker, opens no network."


def run(manifest: ManifestPath = MANIFEST, verbose: Verbose = False) -> None:
    """Check one manifest."""
    from packager import pipeline
    from packager.core.console import Console
    from packager.session import open_session

    console = Console(verbose=verbose)
    with open_session(console) as session:
        checked = pipeline.check(session, manifest)
    for text in checked.unseen:
        console.line(f"not seen: {text}")
    what = "no problem found" if checked.project else "no problem found in what could be seen"
    console.line(f"{manifest}: {what}")
