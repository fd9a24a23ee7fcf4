"""Protocols of the plug-ins that the registry finds by folder. Each plug-in is a module (or a TOML file)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from packager.core.process import Runner
from packager.model.contract import Call, ContractType, StepParams
from packager.model.source import ModelSource
from packager.model.tensors import Quantization


@runtime_checkable
class StepModule(Protocol):
    """`steps/<step>/__init__.py`: parameters, type rule, numpy reference, native call.

    Optional attributes:
    - `bind(params, files: Mapping[str, Path])`: reads files once; what it returns stands for `params` everywhere
      below (default: the params themselves). Raises `StepMismatchError` for wrong content.
    - `ROLE`: `"quantize"` or `"dequantize"` for the two steps that the plan adds around an integer model
      (their `Params` take `scale` and `zero_point`); `"upright"`, `"to_srgb"`, `"inks_to_rgb"`, `"high_byte"` for those
      that decoding a sample applies to its pixels.
    - `fuse(bound, value, following: Sequence[tuple[str, Any]])`: `(Call, n)` when this step and the next n
      (name, bound) can be one native call.
    - `NEEDS`: steps whose native files this step's native files call.
    - `geometry(bound, value) -> tuple[Move, ...]`: where the step moves pixels; without it they stay.
    - `MAPS = True`: a last step that maps places back to the image that an input was given. Its `Params` have `input`,
      `placed(bound, geometry)` takes the way back, `apply(bound, value, photo)` the image's size, and its call says
      `photo`.
    - `reach(bound, value, limit) -> float`: how far the step's one number can move where `value`, or the difference
      of its two tensors, moves by at most `limit` in each element; of a first step whose number has another scale
      than its tensor.
    - `class_names(bound)`: labels by class index, written into the model file's metadata.
    - `per_channel(bound, channels)`: (mean, std) by channel of a step that is (value - mean) / std; `AXES`: how a step
      that only moves a tensor's axes orders them. Both are for the model file's metadata (`plan/describe.py`).
    """

    SUMMARY: str
    Params: type[StepParams]

    def result_type(self, bound: Any, value: ContractType) -> ContractType:
        """Type after the step; raises `StepMismatchError` where the value before does not fit."""

    def apply(self, bound: Any, value: Any) -> Any:
        """The reference: numpy array (or result) in, the same out."""

    def call(self, bound: Any, value: ContractType) -> Call:
        """The native call for a value of this type."""


@runtime_checkable
class SourceModule(Protocol):
    """`sources/<format>/__init__.py`: looks into a model file without its framework.

    `OPEN` and `RUN` are `module:function` of the worker side.

    - `OPEN(request={shapes}, inputs={"model": Path})` returns the model for the converters, a
      `packager.importers.frozen.FrozenModel`: for `provide`, under the argument name `source`.
    - `RUN(request={shapes}, inputs={"model": Path, "feeds": Path}, out)` runs the original in its own framework:
      the reference. `feeds` and `out` are folders of `<n>.npz` by source name (`packager.core.samples`).

    `TOOLS` are the distributions whose versions decide the result, `CODE` the modules. `RUN_WORKER` is the kind of
    worker that RUN needs: `tf`, or `light` where it imports no TensorFlow. `SUFFIXES` are for messages only.

    A reader that only refuses, by name, what people bring has no SUFFIXES; its OPEN and RUN stay empty.
    A format that only its own framework can open has two more, and OPEN stays empty:

    - `EXPORT`, a `module:function` as RUN, without feeds: writes a model file of another format into `out` and returns
      {path}. The converters open that one; RUN stays the original's, so artefacts are compared with the original.
    - `prepare(path, model: Model, code: tuple[Path, ...]) -> Preparation`: the interpreter and whatever else EXPORT and
      RUN need. Raises `ModelError`, and `ToolMissingError` where the framework is not on this machine.

    Optional: `doctor() -> tuple[tuple[str, str, str], ...]`, rows of what, state and what to do.
    """

    SUMMARY: str
    SUFFIXES: tuple[str, ...]
    OPEN: str
    RUN: str
    RUN_WORKER: str
    TOOLS: tuple[str, ...]
    CODE: tuple[str, ...]

    def detect(self, path: Path) -> bool:
        """Whether the file or folder is of this format, by content."""

    def inspect(self, path: Path, shapes: Mapping[str, tuple[int | None, ...]]) -> ModelSource:
        """Inputs, outputs and facts; raises `ModelError` with what was found, where and what to do.

        An output whose shape cannot be seen has shape `()` and is listed in `facts["unknown_shapes"]`.
        """


@runtime_checkable
class RuntimeModule(Protocol):
    """`runtimes/<runtime>/__init__.py`: light facts, and the entries of its worker side (`module:function`).

    - `CONVERT(request={precision, name, shapes, ...}, inputs={"calibration": Path, "model": Path}, out, source)` writes
      the artefact into `out` and returns {path, inputs: [Port], outputs: [Port], ops}. `calibration` (model inputs by
      source name) only where `calibrated`. `source` is what OPEN gave; where `takes_original` it is left out, and
      `model` is the source's own file.
    - `RUN(request={precision, kernel_sets, mapping: {inputs: {source: own}, outputs: {source: own}}},
      inputs={"model": Path, "feeds": Path}, out)` writes `out/<kernel set>/<n>.npz` by source name, raw dtypes;
      feeds are the artefact's own input arrays by source name. It returns {kernel_sets}, those that could run the file:
      the first always, another may lack an operator.
    - `STAMP(request={contract, labels, description, mapping}, inputs={"model": Path}, out)` copies the artefact with
      contract hash, labels and what else the format's metadata can say of `description` (JSON of
      `model.description.Description`), under its own file name, and returns {path, requires}; `requires` lists the
      oldest versions that run the file: {name, version, why}.

    Optional: `cannot_say(description)` lists in words what of a contract the artefact's own metadata cannot say, for
    `plan`; `check_contract(description)` the reasons why a contract cannot have this runtime at all.

    Optional, for what `plan` says: `WIDTHS`, {precision: bytes of a weight in the file, of a weight while the model
    runs, of a value}; `notes(source, precision)`, costs and limits in words that are no reason to refuse.

    Optional: `last_words(log)`, the error for a conversion whose worker died, where its log tells why; else None.

    `RUN_WORKER` is the kind of worker that RUN and STAMP need: `tf`, or `light`. `SUFFIX` is the artefact's.
    `TOOLS` are the distributions whose versions decide the bytes, `CODE` the modules.
    """

    SUMMARY: str
    SUFFIX: str
    LICENSE: str
    CONVERT: str
    RUN: str
    STAMP: str
    RUN_WORKER: str
    TOOLS: tuple[str, ...]
    CODE: tuple[str, ...]

    def precisions(self) -> tuple[str, ...]:
        """Precisions that this runtime can be converted to."""

    def kernel_sets(self, precision: str) -> tuple[str, ...]:
        """Whose arithmetic is run here; the first one's numbers travel as golden vectors."""

    def quantized_interface(self, precision: str) -> bool:
        """Whether the artefact's inputs and outputs are integers."""

    def calibrated(self, precision: str, source: ModelSource) -> bool:
        """Whether conversion of this source needs samples."""

    def takes_original(self, source: ModelSource, precision: str) -> bool:
        """Whether conversion starts from the source's own file; OPEN is not needed then."""

    def check(self, source: ModelSource, precision: str) -> tuple[str, ...]:
        """Reasons why this source cannot be converted, as far as they are known without converting."""


@runtime_checkable
class PackageRegistryModule(Protocol):
    """`package_registries/<name>/__init__.py`: fetches one archive through the registry's ordinary client."""

    NAME: str

    def fetch(self, package: str, version: str, archive: str | None, to: Path, runner: Runner) -> Path:
        """Path of the fetched archive inside `to`."""

    def extract(self, archive: Path, member: str, scratch: Path, runner: Runner) -> Path:
        """File in `scratch` with the bytes of a member of the archive; `a.zip!b` for a member of a member."""


__all__ = ["PackageRegistryModule", "Quantization", "RuntimeModule", "SourceModule", "StepModule"]
