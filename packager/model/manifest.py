"""The manifest as a frozen value. Field descriptions feed the JSON Schema and the reference page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from packager.core.errors import Location
from packager.model.address import Address

Path_ = tuple[str | int, ...]
"""Keys and indices from the manifest's top to a value."""

SEMVER = (
    r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$"
)
"""Semantic version 2.0.0 (https://semver.org)."""

SPDX = r"^\(*[A-Za-z0-9.:+-]+\)*( (AND|OR|WITH) \(*[A-Za-z0-9.:+-]+\)*)*$"
"""Form of an SPDX licence expression; whether an identifier exists is not known here."""

LONGEST_LICENSE = 256


CALLABLE = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)?$"
"""`module:Class`, or `module:Class.method` for a class method that makes one."""


class Part(BaseModel):
    """Base of every mapping in the manifest: frozen, exact types, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


@dataclass(frozen=True)
class OrNull:
    """Says in messages and in the reference what `null` stands for, beside the values that may stand there."""

    or_null: str


Shape = tuple[Annotated[Annotated[int, Field(gt=0)] | None, OrNull("for the first")], ...]
"""Sizes of an input's dimensions; None, for the first alone, is a batch that stays free."""


class Model(Part):
    """The source model."""

    source: Address = Field(description="The model: a path, or a file of a registry package.")
    shapes: dict[str, Shape] = Field(
        default_factory=dict,
        description="Input shapes, only where the model leaves them open or lies. A first dimension of `null` keeps "
        "the batch free in every file that is made; without it, the batch is 1.",
    )
    dtypes: dict[str, Literal["float32", "float64", "int8", "uint8", "int16", "int32", "int64", "bool"]] = Field(
        default_factory=dict,
        description="Types of inputs that are not float32, only where the file does not say them (PyTorch).",
    )
    class_: str | None = Field(
        default=None,
        alias="class",
        pattern=CALLABLE,
        examples=["package.module:Class"],
        description="What builds the network that the weights belong to: a class or one of its class methods.",
    )
    arguments: dict[str, Any] = Field(default_factory=dict, description="Keyword arguments of `class`.")
    code: tuple[Address, ...] = Field(
        default=(), description="Where `class` is found: wheels (`file: .`), folders or Python files."
    )
    trust: str | None = Field(
        default=None, min_length=1, description="Why the code behind `class` may run on the machine that builds."
    )
    python: str | None = Field(
        default=None,
        min_length=1,
        description="Interpreter that has the model's framework, where `packager doctor` finds none or another.",
    )
    license: str | None = Field(
        default=None,
        pattern=SPDX,
        examples=["Apache-2.0"],
        description="SPDX expression, where it differs from the bundle's.",
    )

    @field_validator("shapes")
    @classmethod
    def _batch_alone_is_free(cls, shapes: dict[str, Shape]) -> dict[str, Shape]:
        for name, shape in shapes.items():
            if None in shape[1:]:
                raise ValueError(f"`null` stands for the batch, the first dimension of `{name}`; give the others sizes")
        return shapes

    @model_validator(mode="after")
    def _class_is_trusted(self) -> Model:
        if self.class_ is None and (self.arguments or self.trust):
            raise ValueError("`arguments` and `trust` belong to a `class`, and there is none")
        if self.class_ is not None and self.trust is None:
            raise ValueError("`class` runs Python code; say under `trust` why that code may run")
        return self


class ImageInput(Part):
    """What the app hands over as an image."""

    max: str | None = Field(
        default=None,
        pattern=r"^[0-9]+(\.[0-9]+)? MP$",
        examples=["12 MP"],
        description="Largest image in megapixels; larger ones are refused. Without it any size is taken.",
    )
    color: Literal["rgb", "grey", "rgba", "cmyk"] = Field(
        default="rgb",
        description="Channels of the pixels that the app hands over. rgba wants an `alpha` step, cmyk a `cmyk` step.",
    )


class FrameInput(Part):
    """What the app hands over as a camera frame, YUV 4:2:0."""

    max: str | None = Field(
        default=None,
        pattern=r"^[0-9]+(\.[0-9]+)? MP$",
        examples=["2 MP"],
        description="Largest frame in megapixels; larger ones are refused. 12 MP if left out.",
    )


class AudioInput(Part):
    """What the app hands over as 16-bit PCM."""

    rate: Annotated[int, Field(ge=1000, le=384_000)] = Field(description="Frames per second: `16000`.")
    channels: Annotated[int, Field(ge=1, le=8)] = Field(default=1, description="1 for mono, 2 for stereo.")
    max: str = Field(
        pattern=r"^[0-9]+(\.[0-9]+)? s$",
        examples=["10 s"],
        description="Longest audio in seconds; longer ones are refused.",
    )


class SeriesInput(Part):
    """What the app hands over as measurements in time order, float32."""

    channels: Annotated[int, Field(ge=1, le=4096)] = Field(description="Numbers of one moment.")
    max: Annotated[int, Field(ge=1, le=100_000_000)] = Field(description="Most moments; more are refused.")


class BytesInput(Part):
    """What the app hands over as the content of a file."""

    max: str = Field(
        pattern=r"^[0-9]+(\.[0-9]+)? (B|kB|MB)$",
        examples=["1 MB"],
        description="Most bytes (a kB is 1000); more are refused.",
    )


class Accepts(Part):
    """What the app hands over: exactly one kind."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    image: ImageInput | None = Field(
        default=None, description="A picture: 8-bit sRGB, upright. `{}` where there is nothing to add."
    )
    frame: FrameInput | None = Field(
        default=None, description="A camera frame, YUV 4:2:0 (I420, NV12, NV21). `{}` where there is nothing to add."
    )
    audio: AudioInput | None = Field(default=None, description="16-bit PCM.")
    series: SeriesInput | None = Field(default=None, description="Measurements in time order.")
    bytes: BytesInput | None = Field(default=None, description="The content of a file.")
    tensor: Literal["raw"] | None = Field(default=None, description="The model's own tensor, as it is.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Accepts:
        if sum(getattr(self, kind) is not None for kind in type(self).model_fields) != 1:
            kinds = ", ".join(type(self).model_fields)
            raise ValueError(f"exactly one kind is accepted, of: {kinds}")
        return self


class Step(Part):
    """One step: its folder's name and its parameters (validated by the step itself)."""

    name: str = Field(description="Folder of the step.")
    params: Any = Field(description="The step's own parameters.")


class Input(Part):
    """One input of the app-facing API."""

    tensor: str | None = Field(default=None, description="The model's tensor; may be left out where it has one.")
    accepts: Accepts = Field(description="What the app hands over: exactly one kind.")
    steps: tuple[Step, ...] = Field(default=(), description="Steps that make the model's input, in order.")


class Output(Part):
    """One output of the app-facing API."""

    tensor: str | None = Field(default=None, description="The model's tensor; may be left out where it has one.")
    tensors: Annotated[tuple[str, ...], Field(min_length=2)] | None = Field(
        default=None,
        description="Several tensors of the model, which the first step takes together, in this order: one of its "
        "outputs first, then outputs or inputs by the model's own names. An input is what its steps make for the "
        "model, float values also where the artefact is int8.",
    )
    steps: tuple[Step, ...] = Field(default=(), description="Steps that make a typed result, in order.")

    @model_validator(mode="after")
    def _one_way(self) -> Output:
        if self.tensor is not None and self.tensors is not None:
            raise ValueError("give `tensor` or `tensors`, not both")
        return self


class Expect(Part):
    """What the source model must answer for a sample. Which keys fit depends on the output's result."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    label: str | None = Field(
        default=None,
        min_length=1,
        description="Classification: the best label, as written. Detections: the label that the other keys are about.",
    )
    score: tuple[float, float] | None = Field(
        default=None,
        description="Range of the best score, both ends included: `[0.90, 0.95]`. Landmarks: of their score.",
    )
    count: tuple[int, int] | None = Field(
        default=None, description="Detections: how many there are (of `label`, where it is given): `[1, 3]`."
    )
    box: tuple[float, float, float, float] | None = Field(
        default=None,
        description="Detections: left, top, right, bottom in pixels that the best box (of `label`) overlaps.",
    )
    overlap: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.5, description="Detections: least intersection over union with `box`."
    )
    values: tuple[float, float] | None = Field(
        default=None, description="Values: range that all numbers are in, both ends included."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Expect:
        if not self.said():
            raise ValueError("nothing is expected; give `label`, `score` or both")
        return self

    def said(self) -> tuple[str, ...]:
        """Keys that expect something."""
        keys = ("label", "score", "count", "box", "values")
        return tuple(key for key in keys if getattr(self, key) is not None)

    @field_validator("score", "count", "values")
    @classmethod
    def _in_order(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and value[0] > value[1]:
            raise ValueError(f"the range is empty, {value[0]:g} is above {value[1]:g}; give the lower end first")
        return value


class Sample(Part):
    """One sample: files by input name, and what is expected of each output."""

    files: dict[str, Address] = Field(description="A file for every input, by its name.")
    expect: dict[str, Expect] = Field(
        default_factory=dict, description="What the source model must answer, by output name."
    )
    srgb: Literal["convert", "ignore"] | None = Field(
        default=None,
        description="`convert` (the default): Display P3 is converted to sRGB, other profiles are refused; `ignore`: "
        "take the pixels of these files as sRGB although they carry another colour profile.",
    )
    region: tuple[int, int, int, int] | None = Field(
        default=None,
        examples=[[170, 20, 290, 140]],
        description="Part of the upright picture that is handed over: `[left, top, right, bottom]` in pixels.",
    )


class Gate(Part):
    """Thresholds that replace the default ones of a precision."""

    max_abs: float | None = Field(default=None, ge=0, description="Largest absolute error / output range.")
    cosine: float | None = Field(default=None, ge=-1, le=1, description="Smallest cosine similarity.")
    margin: float | None = Field(
        default=None,
        ge=0,
        description="Decisions must agree where the source's lead is larger (of the range).",
    )
    waive: str | None = Field(
        default=None, min_length=1, description="Reason for shipping a failed gate; shown in red."
    )


class Evaluation(Part):
    """Labelled data that source and artefacts are judged on."""

    data: Address = Field(
        description="A CSV file with a column of paths for each input and a column `label` (top1, f1) or `values` "
        "(mae); for map50 JSON lines with a list `boxes`. Paths count from that file. Or a zip archive of it and its "
        "files."
    )
    metric: Literal["top1", "f1", "mae", "map50"] = Field(
        description="`top1`: share of right best labels. `f1`: mean F1 over classes. `mae`: mean absolute error. "
        "`map50`: mean average precision at an overlap of 0.5, as COCO has it."
    )
    max_drop: float = Field(
        ge=0, examples=[0.01], description="How much worse an artefact may be than the source, in the metric's unit."
    )
    output: str | None = Field(
        default=None, description="The output that is judged; may be left out where one alone fits the metric."
    )


class Target(Part):
    """One target: which runtime and precision, and the target's own options (validated by its folder)."""

    id: str = Field(description="Folder under `templates/`, with dots: `embedded.linux`.")
    runtime: str = Field(description="The runtime that runs the model.")
    precision: tuple[str, ...] = Field(
        min_length=1, description="One precision, or a list of which the first that passes the gate is taken."
    )
    options: dict[str, Any] = Field(default_factory=dict, description="Options of the target, defaults filled in.")

    @property
    def path(self) -> Path_:
        """Where the target stands in the manifest: `("targets", "embedded", "linux")`."""
        return ("targets", *self.id.split("."))


class Header(Part):
    """Format, name, version and licence."""

    packager: Literal[1] = Field(description="Format of this file; this version reads format 1.")
    name: str = Field(
        pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
        max_length=64,
        examples=["person-detector"],
        description="Name of the bundle: lower-case words joined by hyphens.",
    )
    version: str = Field(
        pattern=SEMVER, max_length=64, examples=["1.0.0"], description="Semantic version of the bundle."
    )
    license: str = Field(
        pattern=SPDX,
        max_length=LONGEST_LICENSE,
        examples=["Apache-2.0", "MIT OR Apache-2.0"],
        description="Licence of the model, an SPDX expression; it goes into NOTICE.",
    )


class Manifest(Header):
    """One manifest, complete and checked in form. `where` finds the place of a value for messages."""

    model: Model = Field(description="The source model.")
    inputs: dict[str, Input] = Field(
        min_length=1, description="What the app hands over, by the name that the app sees."
    )
    outputs: dict[str, Output] = Field(min_length=1, description="What the app gets, by the name that the app sees.")
    samples: tuple[Sample, ...] = Field(
        default=(), description="Golden vectors, and the proof that the contract is right."
    )
    calibration: dict[str, tuple[Address, ...]] = Field(
        default_factory=dict, description="Files for int8 by input name: addresses and globs (`photos/*.png`)."
    )
    evaluation: Evaluation | None = Field(
        default=None, description="Labelled data: the metric's drop is gated; disjoint from calibration."
    )
    gate: dict[str, Gate] = Field(
        default_factory=dict, description="Other thresholds, by precision or by `runtime/precision`."
    )
    formats: tuple[str, ...] = Field(
        default=(), description="Models wanted beside those that the targets need: `runtime/precision`."
    )
    targets: tuple[Target, ...] = Field(default=(), description="Platforms that get a project.")
    file: str = Field(description="The manifest's path as given.")
    positions: dict[Path_, Location] = Field(default_factory=dict, exclude=True)
    lines: tuple[str, ...] = Field(default=(), exclude=True)

    def where(self, *path: str | int) -> Location | None:
        """Place of the value at `path`, or of the nearest mapping or list that holds it."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.positions:
                return self.positions[path[:end]]
        return None

    def line_at(self, where: Location | None) -> str:
        """Text of the line at `where`."""
        if where is None or not 1 <= where.line <= len(self.lines):
            return ""
        return self.lines[where.line - 1]
