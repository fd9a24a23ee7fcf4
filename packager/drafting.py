"""The first manifest of a model: what is known, what is guessed, and what a trial with known answers says."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from packager.core.errors import Finding, ManifestError, ModelError, PlanError, UsageError
from packager.core.samples import read_samples, write_samples
from packager.manifest import load_text
from packager.manifest.draft import Draft, Sample, bundle_name, identifiers, text
from packager.model.contract import Chain
from packager.model.recipes import Known, Proposal
from packager.model.source import ModelSource
from packager.model.target import TargetSpec
from packager.model.tensors import TensorSpec
from packager.plan import Chains
from packager.plan.chains import build_chains
from packager.plan.reference import StepFailedError, run_chain
from packager.registry import Catalog
from packager.session import Inputs, Session
from packager.stages import contract, convert, source, trial
from packager.stages.contract.refusal import DecodeError

FREE_SIDE = 224
"""Guess for a free height or width."""

RIVALS = 3
"""Other contracts that are named."""

SUM_TOLERANCE = 1e-3
"""Numbers that are not negative and whose sum is this near to 1 are probabilities."""

SPREAD = 0.05
"""Half of the range of scores that `expect:` of a tried file gets."""


@dataclass(frozen=True)
class Wish:
    """What the user gave: model, where the manifest goes, labels, shapes, and files with their right answers."""

    model: Path
    manifest: Path
    labels: Path | None = None
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    tries: tuple[tuple[Path, str], ...] = ()


@dataclass(frozen=True)
class Drafted:
    """The manifest's text, and what a trial found: summary and mean score of each contract that was right."""

    text: str
    ranking: tuple[tuple[str, float], ...] = ()
    tried: int = 0
    close: bool = False


@dataclass(frozen=True)
class _Sketch:
    """The model with every proposal for each of its tensors."""

    draft: Draft
    found: ModelSource
    choices: Mapping[str, Sequence[Proposal]]
    ends: Mapping[str, Sequence[Proposal]]


def write_first(session: Session, wish: Wish) -> Drafted:
    """The text of a first manifest. Raises ModelError, UsageError, or ManifestError where no contract is right."""
    with session.console.stage("inspect"):
        sketch = _sketch(session, wish)
    if not wish.tries:
        return Drafted(text(sketch.draft))
    with session.console.stage("try"):
        return _tried(session, wish, sketch)


def _sketch(session: Session, wish: Wish) -> _Sketch:
    catalog = session.catalog
    if not wish.model.exists():
        raise ModelError(f"there is no model at `{wish.model}`", expected="a model file or folder")
    found = source.inspect(wish.model, wish.shapes, catalog)
    known = _known(session, wish, found)
    inputs, shapes, guessed = _fixed(found, wish.shapes, known)
    outputs = [replace(spec, shape=tuple(size or 1 for size in spec.shape)) for spec in found.outputs]
    choices = {spec.name: _proposals(session, "input", spec, known) for spec in inputs}
    ends = {spec.name: _proposals(session, "output", spec, known) for spec in outputs}
    targets = _targets(found, catalog)
    draft = Draft(
        name=bundle_name(wish.model.stem),
        source=_inside(wish.model, wish.manifest),
        inputs={name: given[0] for name, given in choices.items()},
        outputs={name: given[0] for name, given in ends.items()},
        shapes=shapes,
        guessed_shapes=guessed,
        origin=known.origin,
        formats=_formats(targets),
        targets=targets,
    )
    return _Sketch(draft, found, choices, ends)


def _targets(found: ModelSource, catalog: Catalog) -> dict[str, TargetSpec]:
    """Targets that know what to start with and whose engine takes the model's types of numbers."""
    used = {spec.dtype for spec in (*found.inputs, *found.outputs)}
    able = {}
    for name, spec in catalog.targets.items():
        engine = catalog.engine(spec.start["runtime"], spec.language) if spec.start else None
        if engine is not None and used <= set(engine.facts.get("dtypes", used)):
            able[name] = spec
    return able


def _formats(targets: Mapping[str, TargetSpec]) -> list[str]:
    """What the targets ship, and what their tests need beside it."""
    wanted = {f"{spec.start['runtime']}/{spec.start['precision']}" for spec in targets.values()}
    for spec in targets.values():
        wanted |= set(spec.harness.artifacts) if spec.harness else set()
    return sorted(wanted)


def _known(session: Session, wish: Wish, found: ModelSource) -> Known:
    """Facts of the file itself, of files beside it, and of the labels that the user named; later ones win."""
    reader = getattr(session.catalog.sources[found.format], "known", None)
    facts = [reader(wish.model)] if reader is not None else []
    besides = (getattr(module, "known_beside", None) for module in session.catalog.recipes.values())
    facts += [read(wish.model) for read in besides if read is not None]
    if wish.labels is not None:
        facts.append(_named_labels(wish.labels, wish.manifest))
    merged: dict[str, Any] = {"activations": found.activations}
    origin: list[str] = []
    for fact in facts:
        given = {f.name: getattr(fact, f.name) for f in fields(fact)}
        origin += given.pop("origin")
        merged |= {key: value for key, value in given.items() if value}
    return Known(**merged, origin=tuple(origin))


def _named_labels(file: Path, manifest: Path) -> Known:
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise UsageError(f"`{file}` cannot be read: {fault}", expected="UTF-8 text, one label in a line") from fault
    return Known(labels=tuple(lines), labels_file=_inside(file, manifest), origin=(f"labels of {file.name}",))


def _inside(path: Path, manifest: Path) -> str:
    """A file's path as the manifest names it. Raises UsageError for one outside of the manifest's folder."""
    folder = manifest.absolute().parent
    relative = os.path.relpath(path.absolute(), folder)
    if relative.startswith(".."):
        raise UsageError(
            f"`{path}` lies outside of the manifest's folder",
            expected=f"a file in or below `{folder}`",
            hint="copy it there, or name another manifest with --manifest",
        )
    return Path(relative).as_posix()


def _fixed(
    found: ModelSource, given: Mapping[str, tuple[int, ...]], known: Known
) -> tuple[list[TensorSpec], dict[str, tuple[int, ...]], bool]:
    """Inputs with every dimension set, the shapes that the manifest must state, and whether one was guessed."""
    inputs, stated, guessed = [], dict(given), False
    side = iter(known.size or (FREE_SIDE, FREE_SIDE))
    for spec in found.inputs:
        batch = tuple(1 for size in spec.shape[:1] if size is None)
        rest = spec.shape[len(batch) :]
        shape = (*batch, *(next(side, FREE_SIDE) if size is None else size for size in rest))
        if None in rest:
            stated[spec.name], guessed = shape, True
        inputs.append(replace(spec, shape=shape))
    return inputs, stated, guessed


def _proposals(session: Session, side: str, spec: TensorSpec, known: Known) -> Sequence[Proposal]:
    modules = sorted(session.catalog.recipes.values(), key=lambda module: module.ORDER)
    for module in modules:
        made = module.proposals(spec, known) if side == module.SIDE else ()
        if made:
            return made
    raise ModelError(f"no recipe takes `{spec.name}`, {spec.dtype}", hint="write the manifest by hand")


def _tried(session: Session, wish: Wish, sketch: _Sketch) -> Drafted:
    """Every proposal for the one input over the files, in one run of the source model."""
    name, output, choices = _single(sketch)
    drafts = [replace(sketch.draft, inputs={name: proposal}) for proposal in choices]
    outputs = _outputs(session, wish, drafts)
    (tensor, ends) = next(iter(sketch.ends.items()))
    ending = _ending(ends, tensor, outputs)
    drafts = [replace(draft, outputs={tensor: ending}) for draft in drafts]
    attempts = _attempts(session, wish, drafts[0], output, outputs)
    ranked = trial.rank(attempts)
    if not ranked:
        raise ManifestError(_nothing_right(choices, attempts, wish))
    first = ranked[0]
    answers = zip(wish.tries, first.scores, strict=True)
    samples = [
        Sample(_inside(file, wish.manifest), output, {"label": label, "score": _range(score)})
        for (file, label), score in answers
    ]
    sure = replace(
        choices[first.index], steps=tuple(replace(s, guess="") for s in choices[first.index].steps), guess=""
    )
    rows = tuple((choices[each.index].summary, each.score) for each in ranked)
    draft = replace(drafts[first.index], inputs={name: sure}, samples=samples, tried=_comments(rows, len(choices)))
    close = len(rows) > 1 and abs(rows[0][1] - rows[1][1]) < trial.CLOSE
    return Drafted(text(draft), rows, len(choices), close)


def _single(sketch: _Sketch) -> tuple[str, str, Sequence[Proposal]]:
    """The one input's tensor, the one output's name and the proposals. Raises UsageError where a trial cannot be."""
    if len(sketch.choices) != 1 or len(sketch.draft.outputs) != 1:
        raise UsageError(
            f"--try needs a model with one input and one output; this one has {len(sketch.choices)} and "
            f"{len(sketch.draft.outputs)}",
            hint="run init without --try, and check the marked lines by hand",
        )
    (tensor, proposal) = next(iter(sketch.draft.outputs.items()))
    last = proposal.steps[-1].params or {} if proposal.steps else {}
    if "names" not in last and "file" not in last:
        raise UsageError(
            "--expect needs the labels of the model's classes, and none are known",
            expected="--labels FILE, one label in a line, as many as the model has scores",
        )
    (name, choices) = next(iter(sketch.choices.items()))
    return name, identifiers({tensor: proposal})[tensor], choices


def _outputs(session: Session, wish: Wish, drafts: Sequence[Draft]) -> list[list[Mapping[str, Any]]]:
    """The source model's outputs for each draft and file, all in one run."""
    feeds = []
    for draft in drafts:
        inputs, _ = _contract(session, wish, draft)
        feeds += [{chain.tensor: _feed(session, chain, file) for chain in inputs} for file, _ in wish.tries]
    made, files = _run(session, wish, drafts[0], feeds), len(wish.tries)
    return [made[start : start + files] for start in range(0, len(made), files)]


def _ending(ends: Sequence[Proposal], tensor: str, outputs: Sequence[Sequence[Mapping[str, Any]]]) -> Proposal:
    """The proposal that fits what the model was seen to give: probabilities or not."""
    seen = all(_are_probabilities(given[tensor]) for row in outputs for given in row)
    fitting = next((end for end in ends if end.of_probabilities == seen), ends[0])
    return replace(fitting, steps=tuple(replace(step, guess="") for step in fitting.steps))


def _are_probabilities(scores: Any) -> bool:
    return bool((scores >= 0).all()) and abs(float(scores.sum()) - 1.0) < SUM_TOLERANCE


def _attempts(
    session: Session, wish: Wish, draft: Draft, output: str, outputs: Sequence[Sequence[Mapping[str, Any]]]
) -> list[trial.Attempt]:
    """The judgement of each row of outputs; the last steps are the same for all."""
    _, chains = _contract(session, wish, draft)
    (chain,) = (chain for chain in chains if chain.name == output)
    expected = [label for _, label in wish.tries]
    judged = []
    for index, row in enumerate(outputs):
        results = [run_chain(session.catalog, chain, given[chain.tensor]) for given in row]
        found = trial.attempt(index, results, expected)
        judged += [found] if found is not None else []
    return judged


def _contract(session: Session, wish: Wish, draft: Draft) -> Chains:
    """The checked chains of one draft. Raises PlanError where they do not fit the model."""
    samples = [Sample(_inside(file, wish.manifest), "", {}) for file, _ in wish.tries]
    manifest = load_text(text(replace(draft, samples=samples)), wish.manifest, session.catalog)
    found = source.inspect(wish.model, manifest.model.shapes, session.catalog)
    inputs = Inputs(session.resolver(wish.manifest.absolute().parent))
    given, made, findings = build_chains(
        manifest, found, session.catalog, lambda address: inputs.resolve(address, ManifestError)
    )
    if findings:
        raise PlanError(tuple(findings))
    return given, made


def _feed(session: Session, chain: Chain, file: Path) -> Any:
    try:
        return run_chain(session.catalog, chain, contract.decode(file, chain.start, False))
    except (DecodeError, StepFailedError) as fault:
        raise UsageError(f"`{file}` cannot be tried: {fault}", hint=getattr(fault, "hint", "")) from fault


def _run(session: Session, wish: Wish, draft: Draft, feeds: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The source model's outputs for every feed, in its own framework."""
    shapes = {name: tuple(shape) for name, shape in draft.shapes.items()}
    found = source.inspect(wish.model, shapes, session.catalog)
    model = convert.SourceFile(wish.model, session.catalog.sources[found.format], found, shapes)
    with session.cache.temporary() as scratch:
        folder = write_samples(scratch / "feeds", feeds)
        return list(read_samples(session.actions.run(convert.reference_action(model, folder))))


def _range(score: float) -> list[float]:
    low, high = max(0.0, score - SPREAD), score + SPREAD
    return [math.floor(low * 100) / 100, math.ceil((min(1.0, high) if score <= 1 else high) * 100) / 100]


def _comments(rows: Sequence[tuple[str, float]], tried: int) -> list[str]:
    (first, score), *others = rows
    lines = [f"Found by trial of {tried} contracts: {first} (mean score of the right labels {score:.3f})."]
    if others:
        shown = "; ".join(f"{summary} {value:.3f}" for summary, value in others[:RIVALS])
        lines.append(f"Its rivals, also right on all files: {shown}" + ("; ..." if len(others) > RIVALS else "."))
    return lines


def _nothing_right(choices: Sequence[Proposal], attempts: Sequence[trial.Attempt], wish: Wish) -> Finding:
    """What came nearest, in words."""
    nearest = sorted(attempts, key=lambda each: -each.score)[:RIVALS]
    shown = "; ".join(
        f"{choices[each.index].summary}: {', '.join(each.best)} (right labels {each.score:.3f})" for each in nearest
    )
    return Finding(
        f"none of {len(choices)} usual contracts gives {', '.join(label for _, label in wish.tries)}",
        expected="one that gives the right label for every file",
        hint=f"the nearest: {shown}. Check the order of the labels, and that the files are typical",
    )


def write(path: Path, content: str) -> None:
    """Write the manifest in one step: an interruption leaves the old one or none."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(content, "utf-8")
        temporary.replace(path)
    except OSError as fault:
        raise UsageError(f"`{path}` cannot be written: {fault.strerror}", hint="check the folder's rights") from fault
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
