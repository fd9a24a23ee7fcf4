"""Checked chains: each step's type before and after, for every input and output. All findings at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from packager.core.errors import Finding, ManifestError
from packager.core.hashing import json_hash
from packager.core.jsonable import to_json
from packager.model.address import Address
from packager.model.contract import (
    AudioType,
    BytesType,
    Chain,
    ContractType,
    FrameType,
    ImageType,
    ResultType,
    SeriesType,
    StepMismatchError,
    StepUse,
    TensorsType,
    TensorType,
)
from packager.model.manifest import Accepts, Input, Manifest, Output, Step
from packager.model.source import ModelSource
from packager.model.tensors import TensorSpec
from packager.plan.geometry import geometry_of
from packager.registry import Catalog

Resolve = Callable[[Address], Path]
Place = tuple[str | int, ...]
DEFAULT_MEGAPIXELS = 12.0
UNITS = {"B": 1, "kB": 1000, "MB": 1_000_000}
EXPECTABLE = {
    "Classification": ("label", "score"),
    "Detections": ("label", "score", "count", "box"),
    "Landmarks": ("score",),
    "Values": ("values",),
}
"""Keys of `expect:` that fit a result."""


class ChainBuilder:
    """Builds the chains of one manifest and gathers every finding on the way."""

    def __init__(self, manifest: Manifest, source: ModelSource, catalog: Catalog, resolve: Resolve) -> None:
        self.manifest, self.source, self.catalog, self.resolve = manifest, source, catalog, resolve
        self.findings: list[Finding] = []
        self.fed: list[str] = []
        self.chains: dict[str, Chain | None] = {}

    def find(self, place: Place, what: str, expected: str = "", hint: str = "") -> None:
        """Record one problem at a place of the manifest."""
        where = self.manifest.where(*place)
        self.findings.append(Finding(what, where, expected, hint, self.manifest.line_at(where)))

    def input(self, name: str, declared: Input) -> Chain | None:
        """Chain from what the app hands over to the model's input tensor."""
        place: Place = ("inputs", name)
        spec = self.tensor(place, declared.tensor, self.source.inputs, "input")
        if spec is None:
            return None
        self.fed.append(spec.name)
        model_type = self.tensor_type(place, spec)
        start = self.accepted(declared, model_type)
        chain = self.walk(name, spec.name, start, declared.steps, place)
        if chain is not None and model_type is not None and not fits(chain.end, model_type):
            self.find(
                (*place, "steps", len(declared.steps) - 1) if declared.steps else place,
                f"input `{name}` gives {chain.end}, the model's `{spec.name}` takes {model_type}",
                expected=f"steps that end in {model_type}",
                hint=missing_step_hint(chain.end, model_type),
            )
            return None
        return chain

    def output(self, name: str, declared: Output) -> Chain | None:
        """Chain from the model's output tensor to a typed result."""
        place: Place = ("outputs", name)
        specs, fed = self.output_tensors(place, declared)
        types = [self.tensor_type(place, spec) for spec in specs]
        known = tuple(kind for kind in types if kind is not None)
        if not specs or len(known) < len(specs):
            return None
        start = known[0] if declared.tensors is None else TensorsType(known)
        chain = self.walk(name, specs[0].name, start, declared.steps, place)
        if chain is None:
            return None
        chain = replace(chain, rest=tuple(spec.name for spec in specs[1:]), fed=fed if any(fed) else ())
        if not isinstance(chain.end, ResultType):
            self.find(
                place,
                f"output `{name}` ends in {chain.end}, not in a typed result",
                expected="a last step that makes a result, such as `labels`",
            )
            return None
        self.expectations(name, chain.end)
        return chain

    def output_tensors(self, place: Place, declared: Output) -> tuple[list[TensorSpec], tuple[str, ...]]:
        """The model's tensors that an output takes, and which input makes each; none after a finding."""
        if declared.tensors is None:
            spec = self.tensor(place, declared.tensor, self.source.outputs, "output")
            return ([], ()) if spec is None else ([spec], ("",))
        makers = {chain.tensor: name for name, chain in self.chains.items() if chain is not None}
        made = {spec.name: spec for spec in self.source.outputs}
        known = {spec.name: spec for spec in self.source.inputs} | made
        wrong = [self.unfit(wanted, index, declared.tensors) for index, wanted in enumerate(declared.tensors)]
        for index, (what, expected) in enumerate(wrong):
            if what:
                self.find((*place, "tensors", index), what, expected)
        fed = tuple("" if wanted in made else makers.get(wanted) for wanted in declared.tensors)
        if any(what for what, _ in wrong) or None in fed:  # None: that input has a finding of its own
            return [], ()
        return [known[wanted] for wanted in declared.tensors], tuple(name or "" for name in fed)

    def unfit(self, wanted: str, index: int, all_wanted: Sequence[str]) -> tuple[str, str]:
        """Why a tensor cannot stand at this place of an output, and what can; two empty texts where it can."""
        outputs, inputs = ([spec.name for spec in specs] for specs in (self.source.outputs, self.source.inputs))
        of_outputs, of_inputs = (", ".join(f"`{name}`" for name in names) for names in (outputs, inputs))
        if wanted not in outputs and wanted not in inputs:
            expected = f"one of its outputs {of_outputs}, or of the inputs {of_inputs}"
            return f"the model has no tensor `{wanted}`", expected
        if all_wanted.index(wanted) < index:
            return f"`{wanted}` stands twice", f"each one of {of_outputs}, or of the inputs {of_inputs}, once"
        if index == 0 and wanted not in outputs:
            return f"`{wanted}` is an input of the model", f"first one of its outputs {of_outputs}"
        return "", ""

    def expectations(self, name: str, kind: ResultType) -> None:
        """Every sample expects only what this result can hold."""
        fitting = EXPECTABLE.get(kind.kind, ())
        for index, sample in enumerate(self.manifest.samples):
            for key in sample.expect[name].said() if name in sample.expect else ():
                if key not in fitting:
                    wanted = f"one of {', '.join(f'`{k}`' for k in fitting)}" if fitting else "no expectation"
                    place = ("samples", index, "expect", name, key)
                    self.find(place, f"`{key}` cannot be expected of {kind}", wanted)

    def tensor(self, place: Place, wanted: str | None, specs: tuple[TensorSpec, ...], kind: str) -> TensorSpec | None:
        """The model's tensor that an input or output stands for."""
        names = ", ".join(f"`{spec.name}`" for spec in specs)
        if wanted is None:
            if len(specs) == 1:
                return specs[0]
            self.find(place, f"the model has {len(specs)} {kind}s", f"`tensor:` with one of {names}")
            return None
        for spec in specs:
            if spec.name == wanted:
                return spec
        self.find((*place, "tensor"), f"the model has no {kind} `{wanted}`", f"one of {names}")
        return None

    def tensor_type(self, place: Place, spec: TensorSpec) -> TensorType | None:
        """The tensor's type with the batch set to 1; any other free dimension must be given under `shapes`."""
        if spec.name in self.source.facts.get("unknown_shapes", ()):
            self.find(
                place,
                f"the shape of the model's output `{spec.name}` cannot be seen without running it",
                expected="a shape that follows from the graph and the shapes of its inputs",
                hint="give the inputs' shapes by `shapes:` under `model:`, or export the model with fixed shapes",
            )
            return None
        shape = self.manifest.model.shapes.get(spec.name, spec.shape)
        if shape and shape[0] is None:
            shape = (1, *shape[1:])
        fixed = tuple(dimension for dimension in shape if dimension is not None)
        if len(fixed) != len(shape):
            shown = ",".join("?" if d is None else str(d) for d in shape)
            self.find(
                place,
                f"the model leaves the shape of `{spec.name}` open: [{shown}]",
                expected="every dimension but the batch is known",
                hint=f"add `shapes: {{{spec.name}: [...]}}` under `model:`",
            )
            return None
        return TensorType(spec.dtype, fixed, self.source.activations.get(spec.name))

    def accepted(self, declared: Input, model_type: TensorType | None) -> ContractType:
        """Type of what the app hands over."""
        return accepted_type(declared.accepts) or model_type or TensorType("float32", ())

    def walk(self, name: str, tensor: str, start: ContractType, steps: tuple[Step, ...], place: Place) -> Chain | None:
        """Apply every step's type rule; stops this chain at the first step that does not fit."""
        types: list[ContractType] = [start]
        uses: list[StepUse] = []
        photo = ""
        for index, step in enumerate(steps):
            here: Place = (*place, "steps", index)
            module = self.catalog.steps[step.name]
            try:
                bound = self.bind(module, step.params, here)
                if getattr(module, "MAPS", False):
                    placed = self.placed(module, bound)
                    if placed is None:
                        return None
                    bound, photo = placed
                types.append(module.result_type(bound, types[-1]))
            except StepMismatchError as mismatch:
                self.find(here, f"step `{step.name}`: {mismatch.what}", mismatch.expected, mismatch.hint)
                return None
            uses.append(StepUse(step.name, bound, here))
        return Chain(name, tensor, tuple(uses), tuple(types), photo=photo)

    def placed(self, module: Any, bound: Any) -> tuple[Any, str] | None:
        """A step that maps places back, with the way to the original image; None where that input has a finding."""
        wanted: str | None = bound.input
        pictures = [name for name, declared in self.manifest.inputs.items() if is_picture(declared.accepts)]
        if (wanted is None and len(pictures) != 1) or (wanted is not None and wanted not in pictures):
            found = f"`{wanted}` is no image that the app hands over" if wanted else f"there are {len(pictures)} images"
            expected = f"`input:` with one of {', '.join(pictures)}" if pictures else "an input that accepts an image"
            raise StepMismatchError(f"places cannot be mapped back to an image: {found}", expected)
        name = wanted or pictures[0]
        chain = self.chains.get(name)
        if chain is None:
            return None
        return module.placed(bound, geometry_of(self.catalog, chain)), name

    def bind(self, module: Any, params: Any, here: Place) -> Any:
        """Parameters with the content of the files that they name."""
        binder = getattr(module, "bind", None)
        if binder is None:
            return params
        files = {key: self.resolve(address) for key, address in params.files().items()}
        try:
            return binder(params, files)
        except (OSError, UnicodeDecodeError) as fault:
            where = self.manifest.where(*here)
            raise ManifestError(
                Finding(f"a file of this step cannot be read: {fault}", where, source_line=self.manifest.line_at(where))
            ) from fault


def is_picture(accepts: Accepts) -> bool:
    """Whether the app hands over an image or a camera frame."""
    return accepts.image is not None or accepts.frame is not None


def accepted_type(accepts: Accepts) -> ContractType | None:
    """Type of what the app hands over; None for the model's own tensor."""
    if accepts.image is not None:
        return ImageType(None, None, accepts.image.color, _pixels(accepts.image.max))
    if accepts.frame is not None:
        return FrameType(_pixels(accepts.frame.max))
    if accepts.audio is not None:
        seconds = float(accepts.audio.max.removesuffix(" s"))
        return AudioType(accepts.audio.rate, accepts.audio.channels, max(1, round(seconds * accepts.audio.rate)))
    if accepts.series is not None:
        return SeriesType(accepts.series.channels, accepts.series.max)
    if accepts.bytes is not None:
        number, _, unit = accepts.bytes.max.partition(" ")
        return BytesType(max(1, round(float(number) * UNITS[unit])))
    return None


def _pixels(text: str | None) -> int:
    megapixels = float(text.removesuffix(" MP")) if text else DEFAULT_MEGAPIXELS
    return round(megapixels * 1_000_000)


def fits(value: ContractType, model: TensorType) -> bool:
    """Whether a chain's value can be the model's input."""
    return isinstance(value, TensorType) and value.dtype == model.dtype and value.shape == model.shape


def missing_step_hint(value: ContractType, model: TensorType) -> str:
    """What usually is missing where a chain does not reach the model's input."""
    if isinstance(value, FrameType):
        return "add a step that makes an image of the frame"
    if isinstance(value, ImageType):
        if value.width is None:
            return "add a `resize` step"
        return "add a `normalize` step (mean 0 and std 1 keep the raw values)"
    if isinstance(value, TensorType) and value.size == model.size and value.dtype == model.dtype:
        return "the number of elements is right, the order of dimensions is not: check `layout` and the size"
    return ""


def build_chains(
    manifest: Manifest, source: ModelSource, catalog: Catalog, resolve: Resolve
) -> tuple[tuple[Chain, ...], tuple[Chain, ...], list[Finding]]:
    """Chains of all inputs and outputs, and every finding; a chain with a finding is left out."""
    builder = ChainBuilder(manifest, source, catalog, resolve)
    builder.chains = {name: builder.input(name, declared) for name, declared in manifest.inputs.items()}
    outputs = [builder.output(name, declared) for name, declared in manifest.outputs.items()]
    _check_all_inputs_fed(builder)
    fine_inputs = tuple(chain for chain in builder.chains.values() if chain is not None)
    return fine_inputs, tuple(chain for chain in outputs if chain is not None), builder.findings


def _check_all_inputs_fed(builder: ChainBuilder) -> None:
    guessing = len(builder.fed) < len(builder.manifest.inputs)  # an input whose tensor is not known may be meant
    for spec in builder.source.inputs:
        count = builder.fed.count(spec.name)
        if count > 1 or (count == 0 and not guessing):
            found = "several inputs feed it" if count else "no input feeds it"
            builder.find(("inputs",), f"the model's input `{spec.name}`: {found}", "exactly one input for each tensor")


def contract_hash(inputs: tuple[Chain, ...], outputs: tuple[Chain, ...]) -> str:
    """Identity of the contract: names, tensors, types, steps with parameters and file contents."""
    return json_hash({"inputs": [_described(c) for c in inputs], "outputs": [_described(c) for c in outputs]})


def _described(chain: Chain) -> Mapping[str, Any]:
    steps = [{"step": use.step, "parameters": to_json(use.bound)} for use in chain.steps]
    types = [str(value) for value in chain.types]
    more: dict[str, Any] = {"tensors": chain.tensors} if chain.rest else {}
    more |= {"fed": chain.fed} if chain.fed else {}
    return {"name": chain.name, "tensor": chain.tensor, "types": types, "steps": steps, **more}
