"""The contract's value types, what a step answers about itself, and how native code calls it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from packager.core.constants import Constant
from packager.model.address import PackageFile
from packager.model.geometry import MOVES, Geometry, Move, MoveKind
from packager.model.results import (
    Box,
    Classification,
    Detection,
    Detections,
    Embedding,
    Label,
    Landmarks,
    Mask,
    Point,
    Point3,
    Result,
    ResultKind,
    Values,
)
from packager.model.tensors import Activation, Quantization

Color = Literal["rgb", "bgr", "grey", "rgba", "cmyk"]
CHANNELS = {"rgb": 3, "bgr": 3, "grey": 1, "rgba": 4, "cmyk": 4}


def _megapixels(count: int) -> str:
    return f"{count / 1e6:g} MP"


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
        if self.width is not None:
            size = f"{self.width}x{self.height}"
        else:
            size = "any size" if self.max_pixels is None else f"at most {_megapixels(self.max_pixels)}"
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


@dataclass(frozen=True)
class FrameType:
    """A YUV 4:2:0 camera frame of any size up to `max_pixels`: one plane of luma, two of chroma at half the size."""

    max_pixels: int

    def __str__(self) -> str:
        return f"camera frame (at most {_megapixels(self.max_pixels)}, yuv 4:2:0)"


@dataclass(frozen=True)
class AudioType:
    """16-bit PCM, int16 [frames, channels]: at most `max_frames` at `rate` frames per second."""

    rate: int
    channels: int
    max_frames: int

    def __str__(self) -> str:
        return f"audio ({self.rate} Hz, {self.channels} channel{'s' if self.channels > 1 else ''}, 16-bit)"


@dataclass(frozen=True)
class SeriesType:
    """Measurements in time order, float32 [length, channels]: at most `max_length` rows."""

    channels: int
    max_length: int

    def __str__(self) -> str:
        return f"series ({self.channels} channel{'s' if self.channels > 1 else ''}, at most {self.max_length} rows)"


@dataclass(frozen=True)
class BytesType:
    """The content of a file, uint8 [n]: at most `max_bytes`."""

    max_bytes: int

    def __str__(self) -> str:
        return f"bytes (at most {self.max_bytes})"


@dataclass(frozen=True)
class TensorsType:
    """Several tensors of the model's output, which the next step takes together in this order."""

    tensors: tuple[TensorType, ...]

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.tensors))})"


@dataclass(frozen=True)
class CandidatesType:
    """At most `count` detections before they are a result, each with a box and `points` points."""

    count: int
    points: int = 0

    def __str__(self) -> str:
        return f"candidates (at most {self.count}, {self.points} points each)"


@dataclass(frozen=True)
class Frame:
    """A YUV 4:2:0 frame: `y` uint8 [h, w]; `u` and `v` uint8 [(h + 1) // 2, (w + 1) // 2].

    `rotation`: degrees (0, 90, 180, 270) by which it is turned clockwise to stand upright.
    """

    y: NDArray[np.uint8]
    u: NDArray[np.uint8]
    v: NDArray[np.uint8]
    rotation: int = 0


@dataclass(frozen=True)
class Candidates:
    """Detections before they are a result.

    `boxes` float32 [n, 4]: left, top, right, bottom in pixels of the model's input; `points` float32 [n, k, 2]: x, y in
    the same unit; `scores` float32 [n]; `classes` int32 [n].
    """

    boxes: NDArray[np.float32]
    points: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int32]


@dataclass(frozen=True)
class ImageSize:
    """Width and height in pixels of the image that the app handed over."""

    width: int
    height: int


@dataclass(frozen=True)
class ResultType:
    """A typed result that the app sees."""

    kind: ResultKind

    def __str__(self) -> str:
        return self.kind


AcceptedType = ImageType | FrameType | AudioType | SeriesType | BytesType | TensorType
"""What the app can hand over."""

ContractType = AcceptedType | TensorsType | CandidatesType | ResultType


class StepMismatchError(Exception):
    """A step cannot take the value before it. Plain facts; the plan adds the manifest's line."""

    def __init__(self, what: str, expected: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what, self.expected, self.hint = what, expected, hint


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
    bytes that the C++ function takes from the arena for the largest input. `photo`: the function takes the size of the
    original image behind its input (`detections(in, photo, arguments..., arena, out)`, `.run(input, photo)`).
    """

    function: str
    arguments: tuple[tuple[str, Constant], ...]
    output: ContractType
    workspace: int = 0
    photo: bool = False


@dataclass(frozen=True)
class StepUse:
    """One step of a chain: folder name, parameters bound to their files, and its manifest path for messages."""

    step: str
    bound: Any
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class Chain:
    """The steps of one input or output with the type before each step and the last one's result.

    `rest` names the further tensors of an output that takes several; `photo` the input whose image the result is
    mapped back to, empty where it is not. `fed` says of each tensor which input's chain makes it, empty for the model's
    own outputs; it is empty as a whole where all are.
    """

    name: str
    tensor: str
    steps: tuple[StepUse, ...]
    types: tuple[ContractType, ...]
    rest: tuple[str, ...] = ()
    photo: str = ""
    fed: tuple[str, ...] = ()

    @property
    def tensors(self) -> tuple[str, ...]:
        """All of the chain's model tensors, in order."""
        return (self.tensor, *self.rest)

    @property
    def made(self) -> tuple[str, ...]:
        """Those of its tensors that the model makes."""
        return tuple(name for name, giver in zip(self.tensors, self.givers, strict=True) if not giver)

    @property
    def givers(self) -> tuple[str, ...]:
        """For each tensor the input whose chain makes it, empty for the model's own outputs."""
        return self.fed or ("",) * len(self.tensors)

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

    `steps` are the folders whose native files are needed. `tensors` are the artefact's own names; `heads` holds for
    each of several tensors the calls that come before the first common one (dequantisation). `fed` says of each tensor
    which input's chain makes it, empty for the artefact's own outputs. An input that an output takes as well ends in
    the model's float values, and `tail` stores them as a quantised artefact takes them.
    """

    name: str
    tensor: str
    start: ContractType
    end: ContractType
    calls: tuple[Call, ...]
    steps: tuple[str, ...]
    quantization: Quantization | None = None
    workspace: int = field(default=0)
    rest: tuple[str, ...] = ()
    heads: tuple[tuple[Call, ...], ...] = ()
    photo: str = ""
    fed: tuple[str, ...] = ()
    tail: tuple[Call, ...] = ()

    @property
    def tensors(self) -> tuple[str, ...]:
        """All of the chain's tensors, in order."""
        return (self.tensor, *self.rest)

    @property
    def made(self) -> tuple[str, ...]:
        """Those of its tensors that the artefact makes."""
        return tuple(name for name, giver in zip(self.tensors, self.givers, strict=True) if not giver)

    @property
    def stored(self) -> ContractType:
        """What the artefact's input takes."""
        return self.tail[-1].output if self.tail else self.end

    @property
    def givers(self) -> tuple[str, ...]:
        """For each tensor the input whose chain makes it, empty for the artefact's own outputs."""
        return self.fed or ("",) * len(self.tensors)

    @property
    def starts(self) -> tuple[ContractType, ...]:
        """What the chain takes, one value for each parameter."""
        return self.start.tensors if isinstance(self.start, TensorsType) else (self.start,)


Files = Mapping[str, Path]
"""Resolved files of a step by parameter name."""

__all__ = [
    "CHANNELS",
    "MOVES",
    "AcceptedType",
    "AudioType",
    "Box",
    "BytesType",
    "Call",
    "Candidates",
    "CandidatesType",
    "Chain",
    "Classification",
    "Color",
    "ContractType",
    "Detection",
    "Detections",
    "Embedding",
    "Files",
    "Frame",
    "FrameType",
    "Geometry",
    "ImageSize",
    "ImageType",
    "Label",
    "Landmarks",
    "Mask",
    "Move",
    "MoveKind",
    "NativeChain",
    "Point",
    "Point3",
    "Result",
    "ResultKind",
    "ResultType",
    "SeriesType",
    "StepMismatchError",
    "StepParams",
    "StepUse",
    "TensorType",
    "TensorsType",
    "Values",
]
