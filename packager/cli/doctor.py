"""`packager doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from packager.cli.options import Json, Verbose

NAME = "doctor"
HELP = "Show what is here, what is missing and what to type; --install fetches a pinned set of tools."

Install = Annotated[list[str] | None, typer.Option("--install", help="Toolset to install; several times for several.")]


def run(install: Install = None, json: Json = False, verbose: Verbose = False) -> None:
    """Look at this machine, or install toolsets."""
    from packager import pipeline
    from packager.core.console import Console
    from packager.session import open_session

    console = Console(json_mode=json, verbose=verbose)
    with open_session(console) as session:
        for name in install or ():
            pipeline.install_toolset(session, name)
        found = pipeline.diagnose(session)
    if json:
        console.emit_json(found)
        return
    console.table("tools", ("what", "state", "what to do"), [(r["what"], r["state"], r["do"]) for r in found])
