"""`packager test`."""

from __future__ import annotations

from packager.cli.options import BundlePath, Json, Targets, Verbose

NAME = "test"
HELP = "Compile and run a bundle's projects here; write the evidence. Uses what this machine has, fetches nothing."


def run(bundle: BundlePath, target: Targets = None, json: Json = False, verbose: Verbose = False) -> None:
    """Test one bundle's projects natively."""
    from packager import pipeline
    from packager.core.console import Console
    from packager.session import open_session

    console = Console(json_mode=json, verbose=verbose)
    with open_session(console) as session:
        rows = pipeline.test_bundle(session, bundle, target or ())
    if json:
        console.emit_json({"bundle": str(bundle), "tests": [row.to_json() for row in rows]})
    else:
        columns = ("target", "language", "compiled", "ran", "stages", "evidence", "result", "why")
        yes = {True: "yes", False: "no"}
        table = [
            (r.target, r.language, yes[r.compiled], yes[r.ran], ", ".join(r.stages), r.evidence, r.result, r.why)
            for r in rows
        ]
        console.table("native tests", columns, table)
    pipeline.refuse_failed(rows)
