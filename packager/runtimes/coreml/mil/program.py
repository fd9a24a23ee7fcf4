"""Loads a Core ML mlprogram package and evaluates it with numpy.

It shows that graph, weights, names and shapes of a package are right. It does not show what Apple's kernels
compute: those may accumulate in another order or precision.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from coremltools.proto import FeatureTypes_pb2, MIL_pb2

from packager.runtimes.coreml.mil.errors import BadFeed, BadProgram, UnsupportedOp
from packager.runtimes.coreml.mil.package import Package
from packager.runtimes.coreml.mil.plan import Plan, make_plan, read_constants, unsupported_reason
from packager.runtimes.coreml.mil.registry import Array
from packager.runtimes.coreml.mil.values import TensorType, tensor_type

_COLOR_CHANNELS = {"RGB": 3, "BGR": 3, "GRAYSCALE": 1}


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a program.

    `dtype` is "float32", "float16", "int32", "bool" ... or "image". `shape` has -1 for an open dimension; an
    image's is (height, width, channels), its `color` is "RGB", "BGR" or "GRAYSCALE", else "".
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    color: str = ""


def _spec_of(name: str, declared: TensorType, feature: FeatureTypes_pb2.FeatureType | None) -> TensorSpec:
    """The spec of an input or output from its type in the program and its description."""
    if feature is None or feature.WhichOneof("Type") != "imageType":
        return TensorSpec(name, declared.dtype, declared.shape)
    color = FeatureTypes_pb2.ImageFeatureType.ColorSpace.Name(feature.imageType.colorSpace)
    _, channels, height, width = declared.shape if len(declared.shape) == 4 else (0, 0, 0, 0)
    if _COLOR_CHANNELS.get(color) != channels:
        raise BadProgram(f"image {name!r} is {color}, but the program declares shape {declared.shape}")
    return TensorSpec(name, "image", (height, width, channels), color)


def _all_operations(block: MIL_pb2.Block) -> Iterator[MIL_pb2.Operation]:
    """Every op of a block but constants, those of nested blocks included."""
    for operation in block.operations:
        if operation.type != "const":
            yield operation
        for nested in operation.blocks:
            yield from _all_operations(nested)


def _main_block(package: Package) -> tuple[MIL_pb2.Function, MIL_pb2.Block]:
    """The one function of the program, and the block of its opset."""
    functions = package.spec.mlProgram.functions
    if len(functions) != 1:
        raise BadProgram(f"the program has functions {sorted(functions)}", expected="exactly one")
    (function,) = functions.values()
    if function.opset not in function.block_specializations:
        raise BadProgram(f"the program has no block for its opset {function.opset!r}")
    return function, function.block_specializations[function.opset]


class MilProgram:
    """A loaded program. Immutable but for the plans, which are made at the first `predict` of each mode."""

    def __init__(self, package: Package) -> None:
        self._package = package
        function, self._block = _main_block(package)
        self._input_types = {item.name: tensor_type(item.type) for item in function.inputs}
        self._output_types = self._find_outputs()
        self._constants = read_constants(self._block, package)
        description = package.spec.description
        features = {item.name: item.type for item in (*description.input, *description.output)}
        self.inputs = tuple(_spec_of(k, v, features.get(k)) for k, v in self._input_types.items())
        self.outputs = tuple(_spec_of(k, v, features.get(k)) for k, v in self._output_types.items())
        self.spec_version = int(package.spec.specificationVersion)
        self.metadata: Mapping[str, str] = dict(description.metadata.userDefined)
        self._plans: dict[bool, Plan] = {}

    @classmethod
    def load(cls, path: Path) -> MilProgram:
        """Open a `.mlpackage` folder and read its constants; the folder is not needed afterwards.

        Raises BadProgram. Unsupported ops are named later, by `unsupported` and `predict`.
        """
        return cls(Package.open(path))

    def op_types(self) -> Mapping[str, int]:
        """How often each op type occurs, nested blocks included, constants not."""
        return Counter(operation.type for operation in _all_operations(self._block))

    def unsupported(self) -> list[tuple[str, str]]:
        """(op type, first output's name) of each op that `predict` would refuse."""
        refused = [
            (operation.type, operation.outputs[0].name if operation.outputs else "")
            for operation in self._block.operations
            if unsupported_reason(operation) is not None
        ]
        return refused + [("image output", spec.name) for spec in self.outputs if spec.dtype == "image"]

    def predict(self, feeds: Mapping[str, Array], *, half: bool = False) -> dict[str, Any]:
        """Evaluate the program.

        `feeds` has one array per input, of its shape and dtype; for an image, uint8[height, width, channels]
        with the channels in the order of the spec's `color`. Floats come back as float32. With `half`, each
        float16 result is rounded to float16 after its op, which itself works in float32; without, float16
        weights are used as they are and everything is computed in float32. A classifier also gives its best label
        (str) and its scores by label (dict).

        Raises BadFeed, UnsupportedOp, or BadProgram where an op's inputs make no sense.
        """
        for spec in self.outputs:
            if spec.dtype == "image":
                raise UnsupportedOp("image output", spec.name)
        if half not in self._plans:
            self._plans[half] = make_plan(
                self._block, self._package, self._constants, self._input_types, tuple(self._output_types), half=half
            )
        unknown = sorted(set(feeds) - set(self._input_types))
        if unknown:
            raise BadFeed(f"the program has no input {unknown}", expected=f"{sorted(self._input_types)}")
        values = {spec.name: self._feed(spec, feeds) for spec in self.inputs}
        return self._plans[half].run(values)

    def _find_outputs(self) -> dict[str, TensorType]:
        """Types of the block's outputs, each given by the op (or input) that makes it."""
        types = dict(self._input_types)
        for operation in self._block.operations:
            types.update((item.name, tensor_type(item.type)) for item in operation.outputs)
        missing = [name for name in self._block.outputs if name not in types]
        if missing:
            raise BadProgram(f"no op makes the output {missing[0]!r}")
        return {name: types[name] for name in self._block.outputs}

    def _feed(self, spec: TensorSpec, feeds: Mapping[str, Array]) -> Array:
        """One feed, checked, in the layout and dtype that the program's ops expect."""
        if spec.name not in feeds:
            raise BadFeed(f"input {spec.name!r} is missing", expected=f"{_names(self.inputs)}")
        value = np.asarray(feeds[spec.name])
        if not TensorType("", spec.shape).accepts(value.shape):
            raise BadFeed(f"input {spec.name!r} has shape {value.shape}", expected=f"{spec.shape}")
        declared = self._input_types[spec.name]
        if spec.dtype == "image":
            if value.dtype != np.uint8:
                raise BadFeed(f"image {spec.name!r} has dtype {value.dtype}", expected="uint8")
            value = value.transpose(2, 0, 1)[np.newaxis]
        elif declared.held is None or not _same_kind(value.dtype, declared.held):
            raise BadFeed(f"input {spec.name!r} has dtype {value.dtype}", expected=declared.dtype)
        return np.ascontiguousarray(value, declared.held)


def _same_kind(have: np.dtype[Any], want: np.dtype[Any]) -> bool:
    """Whether both are floats, both integers, or both booleans."""
    return {"u": "i"}.get(have.kind, have.kind) == {"u": "i"}.get(want.kind, want.kind)


def _names(specs: Iterable[TensorSpec]) -> list[str]:
    return sorted(spec.name for spec in specs)
