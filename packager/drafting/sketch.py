"""The model with what is known of it, and every proposal for each of its tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path, PurePosixPath
from typing import Any

from packager.core.errors import ModelError, UsageError
from packager.drafting.wish import Wish, asked_model, inside
from packager.manifest.draft import Draft, bundle_name
from packager.model.manifest import Model
from packager.model.plugins import RuntimeModule
from packager.model.recipes import Known, Proposal, usable
from packager.model.source import ModelSource
from packager.model.target import TargetSpec
from packager.model.tensors import TensorSpec
from packager.opening import exported, find_original
from packager.registry import Catalog
from packager.session import Inputs, Session
from packager.stages.convert import SourceFile

FREE_SIDE = 224
"""Guess for a free height or width."""


@dataclass(frozen=True)
class Sketch:
    """The draft that takes the first proposal of each tensor, and all of them: `choices` by input, `ends` by output.

    `original` is the user's model, which a trial runs; `opened` what the converters open.
    """

    draft: Draft
    original: SourceFile
    opened: SourceFile
    known: Known
    choices: Mapping[str, Sequence[Proposal]]
    ends: Mapping[str, Sequence[Proposal]]

    @property
    def found(self) -> ModelSource:
        """What is known of the opened model."""
        return self.opened.source


def make_sketch(session: Session, wish: Wish) -> Sketch:
    """Look into the model. Raises ModelError, UsageError, ToolMissingError and ManifestError (a YAML's `model:`)."""
    catalog = session.catalog
    asked = asked_model(wish, catalog)
    original, opened = _open(session, wish, asked)
    _both_ends(opened.source, wish)
    known = _known(catalog, wish, original)
    inputs, shapes, guessed = _fixed(opened.source, asked, known)
    if shapes != asked.shapes:
        asked = asked.model_copy(update={"shapes": shapes})
        original, opened = _open(session, wish, asked)
    known = replace(known, activations=opened.source.activations)
    outputs = [replace(spec, shape=tuple(size or 1 for size in spec.shape)) for spec in opened.source.outputs]
    ends = _ends(catalog, inputs, outputs, known)
    _labels_fit(wish, known, outputs, ends)
    fit = next((made[0].usual_fit for made in ends.values() if made[0].usual_fit), None)
    choices = {spec.name: _proposals(catalog, "input", spec, replace(known, usual_fit=fit)) for spec in inputs}
    targets = _targets(opened.source, catalog)
    draft = Draft(
        name=bundle_name(_stem(asked)),
        model=asked,
        license=known.license or asked.license or getattr(asked.source, "license", None),
        inputs={name: given[0] for name, given in choices.items()},
        outputs={name: given[0] for name, given in ends.items()},
        guessed_shapes=guessed,
        origin=known.origin,
        formats=_formats(opened.source, targets, catalog),
        targets=targets,
    )
    return Sketch(draft, original, opened, known, choices, ends)


def _open(session: Session, wish: Wish, asked: Model) -> tuple[SourceFile, SourceFile]:
    inputs = Inputs(session.resolver(wish.manifest.absolute().parent))
    original = find_original(session, asked, inputs)
    return original, exported(session, original)


def _both_ends(found: ModelSource, wish: Wish) -> None:
    """A model has inputs and outputs. Raises ModelError."""
    for kind, tensors in (("inputs", found.inputs), ("outputs", found.outputs)):
        if not tensors:
            raise ModelError(
                f"{wish.model.name} has no {kind}",
                expected="a model with at least one input and one output",
                hint="export the model again, with what it is fed as its input" if kind == "inputs" else "",
            )


def _stem(asked: Model) -> str:
    file = asked.source if isinstance(asked.source, str) else asked.source.file.rpartition("!")[2]
    return PurePosixPath(file).stem


def _targets(found: ModelSource, catalog: Catalog) -> dict[str, TargetSpec]:
    """Targets that know what to start with, whose engine takes the model's types of numbers, with a precision that
    this source can have.
    """
    used = {spec.dtype for spec in (*found.inputs, *found.outputs)}
    able = {}
    for name, spec in catalog.targets.items():
        engine = catalog.engine(spec.start["runtime"], spec.language) if spec.start else None
        if engine is None or not used <= set(engine.facts.get("dtypes", used)):
            continue
        precision = _precision(found, catalog.runtimes[spec.start["runtime"]], spec.start["precision"])
        if precision is not None:
            able[name] = replace(spec, start={**spec.start, "precision": precision})
    return able


def _precision(found: ModelSource, runtime: RuntimeModule, usual: str) -> str | None:
    """The usual precision, or the first that the source can have (a quantised file is taken as it is)."""
    held = found.facts.get("precision", usual)
    return next((each for each in (usual, held, *runtime.precisions()) if not runtime.check(found, each)), None)


def _formats(found: ModelSource, targets: Mapping[str, TargetSpec], catalog: Catalog) -> list[str]:
    """What the targets ship, and what their tests need beside it where the source can have that."""
    wanted = {f"{spec.start['runtime']}/{spec.start['precision']}" for spec in targets.values()}
    for spec in targets.values():
        for artifact in spec.harness.artifacts if spec.harness else ():
            runtime, _, precision = artifact.partition("/")
            wanted |= set() if catalog.runtimes[runtime].check(found, precision) else {artifact}
    return sorted(wanted)


def _known(catalog: Catalog, wish: Wish, original: SourceFile) -> Known:
    """Facts of the file itself, of files beside it, and of the labels that the user named; later ones win.

    But where layers inside the model scale, no file beside it can say that the contract scales too.
    """
    reader = getattr(original.module, "known", None)
    facts = [reader(original.path)] if reader is not None else []
    besides = (getattr(module, "known_beside", None) for module in catalog.recipes.values())
    facts += [read(original.path) for read in besides if read is not None]
    if wish.labels is not None:
        facts.append(_named_labels(wish.labels, wish.manifest))
    merged: dict[str, Any] = {}
    origin: list[str] = []
    for fact in facts:
        given = {f.name: getattr(fact, f.name) for f in fields(fact)}
        read_in = given.pop("origin")
        sound = given if fact.labels_file else usable(given)  # a file of labels is read again by its step
        origin += read_in if any(sound.values()) else ()
        inner = ("mean", "std") if merged.get("scales_itself") else ()
        merged |= {key: value for key, value in sound.items() if value and key not in inner}
    return Known(**merged, origin=tuple(origin))


def _named_labels(file: Path, manifest: Path) -> Known:
    try:
        lines = file.read_text("utf-8-sig").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as fault:
        reason = getattr(fault, "strerror", None) or fault
        raise UsageError(f"`{file}` cannot be read: {reason}", expected="UTF-8 text, one label in a line") from fault
    if not any(line.strip() for line in lines):
        raise UsageError(f"`{file}` holds no labels", expected="UTF-8 text, one label in a line")
    blank = next((number for number, line in enumerate(lines, 1) if not line.strip()), None)
    if blank is not None:
        raise UsageError(f"{file.name}:{blank} is blank", expected="UTF-8 text, one label in each line")
    return Known(labels=tuple(lines), labels_file=inside(file, manifest), origin=(f"labels of {file.name}",))


def _labels_fit(
    wish: Wish, known: Known, outputs: Sequence[TensorSpec], ends: Mapping[str, Sequence[Proposal]]
) -> None:
    """Labels that the user named have an output with as many scores. Raises UsageError."""
    steps = [step for made in ends.values() for step in made[0].steps]
    if wish.labels is None or any((step.params or {}).get("file") == known.labels_file for step in steps):
        return
    shapes = ", ".join(f"`{spec.name}` {spec.dtype}{list(spec.shape)}" for spec in outputs)
    raise UsageError(
        f"`{wish.labels}` holds {len(known.labels)} labels, which fit no output of the model: {shapes}",
        expected="one label in a line, as many as the model has scores or classes",
        hint="a line too few or too many is often a `background` class",
    )


def _fixed(
    found: ModelSource, asked: Model, known: Known
) -> tuple[list[TensorSpec], dict[str, tuple[int | None, ...]], bool]:
    """Inputs with every dimension set, the shapes that the manifest must state, and whether one was guessed."""
    inputs, guessed = [], False
    stated: dict[str, tuple[int | None, ...]] = dict(asked.shapes)
    side = iter(known.size or (FREE_SIDE, FREE_SIDE))
    for spec in found.inputs:
        batch = tuple(1 for size in spec.shape[:1] if size is None)
        rest = spec.shape[len(batch) :]
        shape = (*batch, *(next(side, FREE_SIDE) if size is None else size for size in rest))
        if None in rest:
            stated[spec.name] = shape
            guessed = guessed or known.size is None
        inputs.append(replace(spec, shape=shape))
    return inputs, stated, guessed


def _ends(
    catalog: Catalog, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], known: Known
) -> dict[str, Sequence[Proposal]]:
    """Proposals by output; those that take several tensors together stand under the first of them."""
    for module in sorted(catalog.recipes.values(), key=lambda module: module.ORDER):
        together = getattr(module, "together", None)
        made = together(inputs, outputs, known) if together is not None else ()
        if made:
            taken = made[0].tensors
            left = [spec for spec in outputs if spec.name not in taken]
            return {taken[0]: made, **{spec.name: _proposals(catalog, "output", spec, known) for spec in left}}
    return {spec.name: _proposals(catalog, "output", spec, known) for spec in outputs}


def _proposals(catalog: Catalog, side: str, spec: TensorSpec, known: Known) -> Sequence[Proposal]:
    modules = sorted(catalog.recipes.values(), key=lambda module: module.ORDER)
    for module in modules:
        made = module.proposals(spec, known) if side == module.SIDE else ()
        if made:
            return made
    raise ModelError(f"no recipe takes `{spec.name}`, {spec.dtype}", hint="write the manifest by hand")
