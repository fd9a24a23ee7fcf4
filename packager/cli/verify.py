"""`packager verify`."""

from __future__ import annotations

from packager.cli.options import BundlePath, Json, Verbose

NAME = "verify"
HELP = "Open a bundle again: every hash, and every golden vector against every model."


def run(bundle: BundlePath, json: Json = False, verbose: Verbose = False) -> None:
    """Verify one bundle."""
    from packager import pipeline
    from packager.core.console import Console
    from packager.session import open_session

    console = Console(json_mode=json, verbose=verbose)
    with open_session(console) as session:
        rows = pipeline.verify_bundle(session, bundle)
    if json:
        console.emit_json({"bundle": str(bundle), "artifacts": rows})
        return
    columns = ("artefact", "kernel set", "samples", "worst difference")
    table = [(row["artifact"], row["kernel_set"], row["samples"], f"{row['worst']:.4g}") for row in rows]
    console.table("golden vectors", columns, table)
    console.line(f"{bundle}: unchanged, and every golden vector holds")
