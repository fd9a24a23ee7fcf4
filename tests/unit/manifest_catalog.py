"""A small catalogue with the shapes of parameters that real steps, runtimes and targets have."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, Literal, cast

from pydantic import Field, model_validator

from packager.model.address import PackageFile
from packager.model.contract import StepParams
from packager.model.target import OptionSpec, Placement, TargetSpec
from packager.registry import Catalog


class Resize(StepParams):
    width: int = Field(gt=0, le=16384, description="Width in pixels.")
    height: int = Field(gt=0, le=16384, description="Height in pixels.")
    fit: Literal["crop", "stretch"] = Field(default="crop", description="What happens to another aspect ratio.")
    like: Literal["pillow", "opencv-4"] = Field(description="Whom the result equals.")
    method: Literal["nearest", "bilinear"] = "bilinear"
    antialias: bool = True


class Normalize(StepParams):
    mean: float | tuple[float, ...] = Field(description="One number, or one per channel.")
    std: Annotated[float, Field(gt=0)] | tuple[Annotated[float, Field(gt=0)], ...]


class Labels(StepParams):
    file: str | PackageFile | None = Field(default=None, description="One label per line, UTF-8.")
    names: tuple[str, ...] | None = Field(default=None, min_length=1, description="Or the labels themselves.")
    top: int = Field(default=1, ge=1, description="How many labels the result holds.")

    @model_validator(mode="after")
    def _one_source(self) -> Labels:
        if (self.file is None) == (self.names is None):
            raise ValueError("give exactly one of `file` and `names`")
        return self

    def files(self) -> Mapping[str, str | PackageFile]:
        return {"file": self.file} if self.file is not None else {}


class Softmax(StepParams):
    pass


def _step(summary: str, params: type[StepParams]) -> Any:
    return SimpleNamespace(SUMMARY=summary, Params=params)


def _runtime(summary: str, *precisions: str) -> Any:
    return SimpleNamespace(SUMMARY=summary, precisions=lambda: precisions)


def _target(target_id: str, summary: str, *options: OptionSpec) -> TargetSpec:
    return TargetSpec(
        id=target_id,
        folder=Path(target_id),
        summary=summary,
        language="cpp",
        root=target_id.replace(".", "/"),
        namespace="n",
        options={option.name: option for option in options},
        paths={},
        place=Placement(model="m", contract="c", engine="e", golden="g"),
        yours=(),
        harness=None,
    )


class SmallCatalog:
    """Stands in for `packager.registry.Catalog`: steps, runtimes, targets and package registries by name."""

    def __init__(self) -> None:
        self.steps = {
            "labels": _step("Names the scores.", Labels),
            "normalize": _step("Subtracts a mean and divides by a deviation.", Normalize),
            "resize": _step("Scales an image.", Resize),
            "softmax": _step("Scores to probabilities.", Softmax),
        }
        self.runtimes = {
            "coreml": _runtime("Core ML.", "float32", "float16"),
            "onnx": _runtime("ONNX Runtime.", "float32"),
            "tflite": _runtime("TensorFlow Lite.", "float32", "int8"),
        }
        self.package_registries = {"debian": None, "npm": None, "pypi": None}
        application = OptionSpec(
            "application_id",
            "string",
            "Identifier of the app.",
            required=True,
            pattern="[a-z][a-z0-9_]*([.][a-z][a-z0-9_]*)+",
        )
        self.targets = {
            "android": _target(
                "android",
                "A Gradle project.",
                application,
                OptionSpec("min_sdk", "integer", "Oldest Android.", default=21, choices=(21, 24, 26)),
            ),
            "embedded.linux": _target(
                "embedded.linux",
                "A CMake project.",
                OptionSpec("threads", "integer", "Threads of the runtime.", default=1),
                OptionSpec("install", "boolean", "Install rules.", default=True),
            ),
            "embedded.mcu": _target("embedded.mcu", "Plain C.", OptionSpec("clock", "number", "MHz.")),
        }


def catalog() -> Catalog:
    """The small catalogue, typed as the real one."""
    return cast("Catalog", SmallCatalog())
