"""The contract's value types, what a step answers about itself, and how native code calls it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from packager.core.constants import Constant
from packager.model.address import PackageFile
from packager.model.tensors import Activation, Quantization

Color = Literal["rgb", "bgr", "grey", "rgba", "cmyk"]
CHANNELS = {"rgb": 3, "bgr": 3, "grey": 1, "rgba": 4, "cmyk": 4}


@dataclass(frozen=True)
class ImageType:
    """An 8-bit image, rows of interleaved channels (H x W x C); width and height None where the app decides."""

    width: int | None
    height: int | None
    color: Color = "rgb"
    max_pixels: int | None = None

    @property
    def channels(self) -> int:
        """Number of interleaved channels."""
        return CHANNELS[self.color]

    def __str__(self) -> str:
        size = f"{self.width}x{self.height}" if self.width is not None else "any size"
        return f"image ({size}, {self.color})"


@dataclass(frozen=True)
class TensorType:
    """A dense C-order array; `activation` says what made a model's output, `channel` names image channels."""

    dtype: str
    shape: tuple[int, ...]
    activation: Activation | None = None

    @property
    def size(self) -> int:
        """Number of elements."""
        total = 1
        for dimension in self.shape:
            total *= dimension
        return total

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"


ResultKind = Literal["Classification", "Detections", "Landmarks", "Mask", "Embedding", "Values"]


@dataclass(frozen=True)
class ResultType:
    """A typed result that the app sees."""

    kind: ResultKind

    def __str__(self) -> str:
        return self.kind


ContractType = ImageType | TensorType | ResultType


class StepMismatchError(Exception):
    """A step cannot take the value before it. Plain facts; the plan adds the manifest's line."""

    def __init__(self, what: str, expected: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what, self.expected, self.hint = what, expected, hint


@dataclass(frozen=True)
class Label:
    """One class with its score in the model's own scale (a probability after softmax)."""

    label: str
    score: float
    index: int


@dataclass(frozen=True)
class Classification:
    """Classes, best first; ties by lower index."""

    labels: tuple[Label, ...]
    kind: ClassVar[ResultKind] = "Classification"

    def to_json(self) -> dict[str, Any]:
        """JSON form, the same in all languages: {kind, labels: [{label, score, index}]}."""
        rows = [{"label": x.label, "score": x.score, "index": x.index} for x in self.labels]
        return {"kind": self.kind, "labels": rows}


@dataclass(frozen=True)
class Values:
    """Plain numbers, C-order, with the shape they had."""

    values: tuple[float, ...]
    shape: tuple[int, ...]
    kind: ClassVar[ResultKind] = "Values"

    def to_json(self) -> dict[str, Any]:
        """JSON form, the same in all languages: {kind, shape, values}."""
        return {"kind": self.kind, "shape": list(self.shape), "values": list(self.values)}


Result = Classification | Values


class StepParams(BaseModel):
    """Base of a step's parameters as the manifest writes them."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def files(self) -> Mapping[str, str | PackageFile]:
        """Addresses among the parameters, by parameter name; resolved before `bind` is called."""
        return {}


@dataclass(frozen=True)
class Call:
    """How the rendered chain calls a step.

    `function` is snake_case (`resize_pillow`); each language derives its own form. `arguments` are constants in
    order. `output` is the type that the next call takes. `workspace` is the largest number of scratch and output
    bytes that the C++ function takes from the arena for the largest input.
    """

    function: str
    arguments: tuple[tuple[str, Constant], ...]
    output: ContractType
    workspace: int = 0


@dataclass(frozen=True)
class StepUse:
    """One step of a chain: folder name, parameters bound to their files, and its manifest path for messages."""

    step: str
    bound: Any
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class Chain:
    """The steps of one input or output with the type before each step and the last one's result."""

    name: str
    tensor: str
    steps: tuple[StepUse, ...]
    types: tuple[ContractType, ...]

    @property
    def start(self) -> ContractType:
        """What the chain takes."""
        return self.types[0]

    @property
    def end(self) -> ContractType:
        """What the chain gives."""
        return self.types[-1]


@dataclass(frozen=True)
class NativeChain:
    """A chain lowered for one artefact: calls in order, quantisation included.

    `maximum_pixels` bounds images; `steps` are the folders whose native files are needed.
    """

    name: str
    tensor: str
    start: ContractType
    end: ContractType
    calls: tuple[Call, ...]
    steps: tuple[str, ...]
    quantization: Quantization | None = None
    workspace: int = field(default=0)


Files = Mapping[str, Path]
"""Resolved files of a step by parameter name."""
