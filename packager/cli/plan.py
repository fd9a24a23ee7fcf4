"""`packager plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packager.cli.options import MANIFEST, Json, ManifestPath, Targets, Verbose

if TYPE_CHECKING:
    from packager.core.console import Console
    from packager.model.plan import Plan, Prediction

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
    if source.origin is not None:
        console.line(f"source: {source.origin.format}, sha256 {source.origin.sha256}, exported by its own framework to")
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
    _show_predictions(console, made)
    if made.evaluation is not None:
        about = made.evaluation
        words = f"{about['metric']} of `{about['output']}` on {about['samples']} labelled samples of {about['data']}"
        console.line(f"evaluation: {words}; an artefact may be worse by {about['max_drop']:g}")
    else:
        console.line("evaluation: none, accuracy will not be established")
    for target, tools in made.missing_tools.items():
        console.warn(f"{target}: its native test needs {', '.join(tools)}, not found here")
    for note in made.notes:
        console.warn(note)


def _show_predictions(console: Console, made: Plan) -> None:
    if made.source.ops:
        counted = ", ".join(f"{count} {op}" for op, count in made.source.ops.items())
        console.line(f"operations of the source: {counted}")
    rows = [(p.artifact, _bytes(p.file_bytes), _bytes(p.peak_bytes), _peak_words(p)) for p in made.predictions]
    if rows:
        columns = ("artefact", "weights in the file", "peak memory", "how")
        console.table("predicted, before anything is made", columns, rows)
    for prediction in made.predictions:
        for note in prediction.notes:
            console.line(f"{prediction.artifact}: {note}")


def _bytes(count: int | None) -> str:
    return "not known" if count is None else f"{count:,}"


def _peak_words(found: Prediction) -> str:
    if found.peak_bytes is None:
        return "the source does not tell the sizes of its tensors"
    at = f" at {found.peak_at}" if found.peak_at else ""
    missing = f"; too small by {found.partial} tensors of unknown size" if found.partial else ""
    return f"weights and the most values alive at once{at}, without the runtime itself{missing}"


def _words(types: tuple[object, ...], steps: list[str]) -> list[str]:
    words = [str(types[0])]
    for step, value in zip(steps, types[1:], strict=True):
        words += [step, str(value)]
    return words
