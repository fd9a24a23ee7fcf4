"""Which of the usual contracts gives the known answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from packager.core.errors import Finding, ManifestError, PlanError, UsageError
from packager.core.findings import one_of, suggest
from packager.core.hashing import json_hash
from packager.core.jsonable import to_json
from packager.core.samples import read_samples, write_samples
from packager.drafting.sketch import Sketch
from packager.drafting.wish import Drafted, Wish, inside
from packager.manifest import load_text
from packager.manifest.draft import Draft, Sample, identifiers, text
from packager.model.contract import Chain, ImageType
from packager.model.recipes import Proposal
from packager.model.tensors import Quantization, TensorSpec
from packager.plan import Chains
from packager.plan.chains import build_chains
from packager.plan.reference import StepFailedError, run_chain, run_steps
from packager.session import Inputs, Session
from packager.stages import contract, convert, trial
from packager.stages.contract.refusal import DecodeError

RIVALS = 3
"""Other contracts that are named."""

SUM_TOLERANCE = 1e-3
"""Numbers that are not negative and whose sum is this near to 1 are probabilities."""

SPREAD = 0.05
"""Half of the range of scores that `expect:` of a tried file gets."""


def try_contracts(session: Session, wish: Wish, sketch: Sketch) -> Drafted:
    """Every proposal for the one input over the files, in one run of the source model.

    Raises UsageError for a model or files that cannot be tried, ManifestError where no contract is right.
    """
    name, tensor, output = _single(sketch)
    choices, ends = sketch.choices[name], sketch.ends[tensor]
    _check(wish, sketch)
    drafts = [_with(sketch.draft, name, proposal) for proposal in choices]
    outputs = _outputs(session, wish, sketch, drafts)
    ending = _ending(ends, next(spec for spec in sketch.found.outputs if spec.name == tensor), outputs)
    drafts = [replace(draft, outputs={**draft.outputs, tensor: ending}) for draft in drafts]
    attempts = _attempts(session, wish, sketch, drafts[0], output, outputs)
    ranked = trial.rank(attempts)
    if not ranked:
        raise ManifestError(_nothing_right(choices, attempts, wish))
    first = ranked[0]
    answers = zip(wish.tries, first.scores, strict=True)
    samples = [
        Sample(inside(file, wish.manifest), output, {"label": label, "score": _range(score)})
        for (file, label), score in answers
    ]
    rows = tuple((choices[each.index].summary, each.score) for each in ranked)
    rivals = [choices[each.index] for each in ranked[1:] if abs(first.score - each.score) < trial.CLOSE]
    draft = _with(drafts[first.index], name, _told_apart(choices[first.index], rivals))
    draft = replace(draft, samples=samples, tried=_comments(rows, len(choices)))
    return Drafted(text(draft), rows, len(choices), bool(rivals))


def _with(draft: Draft, name: str, proposal: Proposal) -> Draft:
    return replace(draft, inputs={**draft.inputs, name: proposal})


def _without_guesses(proposal: Proposal) -> Proposal:
    return replace(proposal, steps=tuple(replace(step, guess="") for step in proposal.steps), guess="")


def _told_apart(taken: Proposal, rivals: Sequence[Proposal]) -> Proposal:
    """Marks of guesses stay on steps that a rival as good takes otherwise; on all where it has a step of its own."""
    if not rivals:
        return _without_guesses(taken)
    names = {step.name for step in taken.steps}
    if any(step.name not in names for rival in rivals for step in rival.steps):
        return taken
    shared = [[(step.name, step.params) for step in rival.steps] for rival in rivals]
    steps = tuple(
        replace(step, guess="") if all((step.name, step.params) in each for each in shared) else step
        for step in taken.steps
    )
    return replace(taken, steps=steps)


def _single(sketch: Sketch) -> tuple[str, str, str]:
    """Tensors of the one input and of the output that names classes, and the name of that output."""
    named = [tensor for tensor, proposal in sketch.draft.outputs.items() if proposal.names_classes]
    if len(sketch.choices) != 1 or (len(sketch.draft.outputs) > 1 and len(named) != 1):
        raise UsageError(
            f"--try needs a model with one input and one output of classes; this one has {len(sketch.choices)} and "
            f"{len(named)} (of {len(sketch.draft.outputs)} outputs)",
            hint="run init without --try, and check the marked lines by hand",
        )
    (name,) = sketch.choices
    if not named:
        _could_be_classes(sketch)
    if not named or not sketch.known.labels:
        (tensor,) = named or sketch.draft.outputs
        size = next(spec.shape[-1:] for spec in sketch.found.outputs if spec.name == tensor)
        count = f"{size[0]} lines, one" if size and size[0] else "one"
        have = f"; {len(sketch.known.labels)} are known" if sketch.known.labels else ", and none are known"
        raise UsageError(
            f"--expect needs the labels of the model's classes{have}",
            expected=f"--labels FILE, {count} label in a line, as many as the model has scores",
        )
    (tensor,) = named
    return name, tensor, identifiers(sketch.draft.outputs)[tensor]


def _could_be_classes(sketch: Sketch) -> None:
    """The one output is a row of scores, for which labels alone are missing. Raises UsageError."""
    ((tensor, proposal),) = sketch.draft.outputs.items()
    shape = next(spec.shape for spec in sketch.found.outputs if spec.name == tensor)
    sizes = [size or 1 for size in shape]
    if proposal.tensors or not sizes or math.prod(sizes) != sizes[-1]:
        what = "plain numbers" if not proposal.tensors else proposal.summary
        raise UsageError(
            f"--try needs an output of classes, and `{tensor}` {list(shape)} is taken as {what}",
            expected="one score for each class: [1, n]",
            hint="run init without --try, and check the marked lines by hand",
        )


def _check(wish: Wish, sketch: Sketch) -> None:
    """Files that are there, labels that the model has. Raises UsageError."""
    labels = sketch.known.labels
    for file, label in wish.tries:
        if not file.is_file():
            raise UsageError(f"there is no file `{file}` to try", expected="a file whose right answer is known")
        inside(file, wish.manifest)
        if label not in labels:
            near = [each for each in labels if label.casefold() in each.casefold()]
            hint = f"did you mean {one_of(near)}?" if near else suggest(label, labels)
            raise UsageError(f"`{label}` is not among the {len(labels)} labels", expected=one_of(labels), hint=hint)


def _outputs(session: Session, wish: Wish, sketch: Sketch, drafts: Sequence[Draft]) -> list[list[Mapping[str, Any]]]:
    """The source model's outputs for each draft and file, all in one run."""
    feeds, feeder = [], _Feeder(session)
    for draft in drafts:
        inputs, _ = _contract(session, wish, sketch, draft)
        feeds += [{chain.tensor: feeder.feed(chain, file) for chain in inputs} for file, _ in wish.tries]
    with session.cache.temporary() as scratch:
        folder = write_samples(scratch / "feeds", feeds)
        made: list[Mapping[str, Any]] = list(
            read_samples(session.actions.run(convert.reference_action(sketch.opened, folder)))
        )
    files = len(wish.tries)
    return [made[start : start + files] for start in range(0, len(made), files)]


def _ending(ends: Sequence[Proposal], spec: TensorSpec, outputs: Sequence[Sequence[Mapping[str, Any]]]) -> Proposal:
    """The proposal that fits what the model was seen to give: probabilities or not."""
    seen = all(_are_probabilities(given[spec.name], spec.quantization) for row in outputs for given in row)
    return _without_guesses(next((end for end in ends if end.of_probabilities == seen), ends[0]))


def _are_probabilities(scores: Any, stored: Quantization | None) -> bool:
    if stored is not None and scores.dtype.kind != "f":
        scores = (scores.astype("float32") - stored.zero_point) * stored.scale
        return bool((scores >= 0).all()) and abs(float(scores.sum()) - 1.0) < stored.scale * scores.size
    return bool((scores >= 0).all()) and abs(float(scores.sum()) - 1.0) < SUM_TOLERANCE


def _attempts(
    session: Session,
    wish: Wish,
    sketch: Sketch,
    draft: Draft,
    output: str,
    outputs: Sequence[Sequence[Mapping[str, Any]]],
) -> list[trial.Attempt]:
    """The judgement of each row of outputs; the last steps are the same for all."""
    _, chains = _contract(session, wish, sketch, draft)
    (chain,) = (chain for chain in chains if chain.name == output)
    expected = [label for _, label in wish.tries]
    judged = []
    for index, row in enumerate(outputs):
        results = [run_chain(session.catalog, chain, given[chain.tensor]) for given in row]
        found = trial.attempt(index, results, expected)
        judged += [found] if found is not None else []
    return judged


def _contract(session: Session, wish: Wish, sketch: Sketch, draft: Draft) -> Chains:
    """The checked chains of one draft. Raises PlanError where they do not fit the model."""
    samples = [Sample(inside(file, wish.manifest), "", {}) for file, _ in wish.tries]
    manifest = load_text(text(replace(draft, samples=samples)), wish.manifest, session.catalog)
    inputs = Inputs(session.resolver(wish.manifest.absolute().parent))
    given, made, findings = build_chains(
        manifest, sketch.found, session.catalog, lambda address: inputs.resolve(address, ManifestError)
    )
    if findings:
        raise PlanError(tuple(findings))
    return given, made


class _Feeder:
    """Files through chains; what chains of several drafts have in common, up to the last picture, is made once."""

    def __init__(self, session: Session) -> None:
        self._catalog = session.catalog
        self._made: dict[str, Any] = {}

    def feed(self, chain: Chain, file: Path) -> Any:
        """The model's input. Raises UsageError for a file that cannot be read, or does not fit a step."""
        try:
            return self._after(chain, file, len(chain.steps))
        except (DecodeError, StepFailedError) as fault:
            raise UsageError(f"`{file}` cannot be tried: {fault}", hint=getattr(fault, "hint", "")) from fault

    def _after(self, chain: Chain, file: Path, count: int) -> Any:
        """The value after the first steps."""
        key = json_hash([str(file), str(chain.start), [[use.step, to_json(use.bound)] for use in chain.steps[:count]]])
        if key in self._made:
            return self._made[key]
        if count == 0:
            value = contract.decode(file, chain.start, False)
        else:
            value = run_steps(self._catalog, chain.steps[count - 1 : count], self._after(chain, file, count - 1))
        if isinstance(chain.types[count], ImageType):
            self._made[key] = value
        return value


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
        f"none of {len(choices)} usual contracts gives {', '.join(label for _, label in wish.tries)}; "
        "no manifest was written",
        expected="one that gives the right label for every file",
        hint=f"the nearest: {shown}. Check the order of the labels, and that the files are typical",
    )
