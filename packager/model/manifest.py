"""The manifest as a frozen value. Field descriptions feed the JSON Schema and the reference page."""

from __future__ import annotations

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


class Part(BaseModel):
    """Base of every mapping in the manifest: frozen, exact types, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Model(Part):
    """The source model."""

    source: Address = Field(description="The model: a path, or a file of a registry package.")
    shapes: dict[str, tuple[Annotated[int, Field(gt=0)], ...]] = Field(
        default_factory=dict, description="Input shapes, only where the model leaves them open or lies."
    )
    license: str | None = Field(
        default=None,
        pattern=SPDX,
        examples=["Apache-2.0"],
        description="SPDX expression, where it differs from the bundle's.",
    )


class ImageInput(Part):
    """What the app hands over as an image."""

    max: str | None = Field(
        default=None,
        pattern=r"^[0-9]+(\.[0-9]+)? MP$",
        examples=["12 MP"],
        description="Largest image in megapixels; larger ones are refused. Without it any size is taken.",
    )


class Accepts(Part):
    """What the app hands over: exactly one kind."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    image: ImageInput | None = Field(
        default=None, description="A picture: 8-bit sRGB, upright. `{}` where there is nothing to add."
    )
    tensor: Literal["raw"] | None = Field(default=None, description="The model's own tensor, as it is.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Accepts:
        if (self.image is None) == (self.tensor is None):
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
    steps: tuple[Step, ...] = Field(default=(), description="Steps that make a typed result, in order.")


class Expect(Part):
    """What the source model must answer for a sample: the best label, its score, or both."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    label: str | None = Field(default=None, min_length=1, description="The best label, as written.")
    score: tuple[float, float] | None = Field(
        default=None, description="Range of the best score, both ends included: `[0.90, 0.95]`."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Expect:
        if self.label is None and self.score is None:
            raise ValueError("nothing is expected; give `label`, `score` or both")
        return self

    @field_validator("score")
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
    srgb: Literal["ignore"] | None = Field(
        default=None,
        description="`ignore`: take the pixels of these files as sRGB although they carry another colour profile.",
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
        max_length=256,
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
