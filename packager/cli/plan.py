"""`packager plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packager.cli.options import MANIFEST, Json, ManifestPath, Targets, Verbose

if TYPE_CHECKING:
    from packager.core.console import Console
    from packager.model.plan import Plan

NAME = "plan"
HELP = "Show what build will do: jobs, predicted sizes, what is not covered, tools that are missing."


def run(
    manifest: ManifestPath = MANIFEST, target: Targets = None, json: Json = False, verbose: Verbose = False
) -> None:
    """Print the plan of one manifest."""
    from packager import pipeline
    from packager.core.console import Console
    from packager.session import open_session

    console = Console(json_mode=json, verbose=verbose)
    with open_session(console) as session:
        _, made = pipeline.plan(session, manifest, target or ())
    if json:
        console.emit_json(made)
    else:
        show(console, made)


def show(console: Console, made: Plan) -> None:
    """Print a plan for a person."""
    source = made.source
    console.line(f"source: {source.format}, sha256 {source.sha256}")
    for spec in (*source.inputs, *source.outputs):
        shape = ",".join("?" if size is None else str(size) for size in spec.shape)
        ends = source.activations.get(spec.name)
        console.line(f"  {spec.name}: {spec.dtype}[{shape}]" + (f", ends in {ends.kind} ({ends.node})" if ends else ""))
    console.line(f"contract: {made.contract_hash}")
    for chain in (*made.inputs, *made.outputs):
        console.line(f"  {chain.name}: " + " -> ".join(_words(chain.types, [use.step for use in chain.steps])))
    rows = [(job.id, ", ".join(job.needs), job.about) for job in made.jobs]
    console.table("jobs", ("job", "needs", "about"), rows)
    if made.estimated_bytes:
        sizes = [(name, f"{size:,}") for name, size in made.estimated_bytes.items()]
        console.table("predicted size of weights", ("artefact", "bytes"), sizes)
    for target, tools in made.missing_tools.items():
        console.warn(f"{target}: its native test needs {', '.join(tools)}, not found here")
    for note in made.notes:
        console.warn(note)


def _words(types: tuple[object, ...], steps: list[str]) -> list[str]:
    words = [str(types[0])]
    for step, value in zip(steps, types[1:], strict=True):
        words += [step, str(value)]
    return words
