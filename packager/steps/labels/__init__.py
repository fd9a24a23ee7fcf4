"""Scores to named classes, best first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from packager.core.constants import Constant, Float32
from packager.model.address import Address
from packager.model.contract import (
    Call,
    Classification,
    ContractType,
    Label,
    ResultType,
    StepMismatchError,
    StepParams,
)
from packager.steps._values import Array, aligned, need_tensor

SUMMARY = "names the scores: a Classification, best first, ties by lower index"
TOP = 5
LABEL_SCORE_BYTES = 16
"""Size of `LabelScore` in C++ with 64-bit pointers; 12 with 32-bit ones."""

Names = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
    Field(min_length=1),
]


class Params(StepParams):
    """Class names in the order of the model's scores, from a file or in place."""

    file: Address | None = Field(default=None, description="Text file, UTF-8, one label in a line.")
    names: Names | None = Field(default=None, description="The labels themselves, in place of a file.")
    top: Annotated[int, Field(gt=0)] | None = Field(
        default=None,
        description="How many of the best classes the result holds at most; if left out 5, or with `threshold` all.",
    )
    threshold: Annotated[float, Field(allow_inf_nan=False)] | None = Field(
        default=None, description="Least score of a class in the result (multi-label)."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Params:
        if (self.file is None) == (self.names is None):
            raise ValueError("exactly one of `file` and `names` is needed")
        return self

    def files(self) -> Mapping[str, Address]:
        """The label file, if it is one."""
        return {} if self.file is None else {"file": self.file}


@dataclass(frozen=True)
class BoundLabels:
    """Labels by class index, how many of the best are kept, and the least score of those (None: any)."""

    names: tuple[str, ...]
    top: int
    threshold: float | None = None


def bind(params: Params, files: Mapping[str, Path]) -> BoundLabels:
    """Reads the label file. `StepMismatchError` for text that is not UTF-8, blank lines or too few labels."""
    names = read_labels(files["file"]) if params.names is None else params.names
    for name in names:
        _check_name(name)
    top = params.top or (min(TOP, len(names)) if params.threshold is None else len(names))
    if top > len(names):
        raise StepMismatchError(f"`top: {top}` of {len(names)} labels", f"at most {len(names)}")
    return BoundLabels(names, top, params.threshold)


def read_labels(file: Path) -> tuple[str, ...]:
    """Lines of a UTF-8 file without line ends; the last line may end in one. No label is trimmed."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise StepMismatchError(f"{file.name} is not UTF-8 (byte {fault.start})", "UTF-8 text") from fault
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            raise StepMismatchError(f"{file.name}:{number} is blank", "one label in each line")
    if not lines:
        raise StepMismatchError(f"{file.name} holds no labels", "one label in each line")
    return tuple(lines)


def _check_name(name: str) -> None:
    if any(c == "\0" or 0xD800 <= ord(c) <= 0xDFFF for c in name):
        raise StepMismatchError(f"label {name!r} holds a NUL or a lone surrogate", "plain text")


def class_names(bound: BoundLabels) -> tuple[str, ...]:
    """All labels by class index, for the model file's own metadata."""
    return bound.names


def result_type(bound: BoundLabels, value: ContractType) -> ContractType:
    """float32 tensor with one score for each label -> Classification."""
    tensor = need_tensor("labels", value)
    if tensor.size != tensor.shape[-1]:
        raise StepMismatchError(f"`labels` names one row of scores, but the value before it is {value}", "[1, n]")
    if tensor.size != len(bound.names):
        raise StepMismatchError(
            f"there are {len(bound.names)} labels, but the model gives {tensor.size} scores",
            f"{tensor.size} labels",
        )
    return ResultType("Classification")


def best(scores: Array, count: int) -> list[int]:
    """Indices of the `count` largest scores, largest first, equal ones by lower index."""
    return [int(i) for i in np.argsort(-scores.astype(np.float64), kind="stable")[:count]]


def apply(bound: BoundLabels, value: Array) -> Classification:
    """float32 [1, n] -> the `top` best, of these the ones with a score >= (float)threshold.

    Raises ValueError where a score is NaN or infinite.
    """
    scores = value.reshape(-1)
    if not np.isfinite(scores).all():
        raise ValueError("a score is not finite")
    kept = best(scores, bound.top)
    if bound.threshold is not None:
        kept = [i for i in kept if scores[i] >= np.float32(bound.threshold)]
    return Classification(tuple(Label(bound.names[i], float(scores[i]), i) for i in kept))


def call(bound: BoundLabels, value: ContractType) -> Call:
    """`labels(names, top)` or `labels_above(names, top, threshold)`: float32 tensor -> Classification."""
    arguments: tuple[tuple[str, Constant], ...] = (("names", bound.names), ("top", bound.top))
    output, workspace = result_type(bound, value), aligned(LABEL_SCORE_BYTES * bound.top)
    if bound.threshold is None:
        return Call("labels", arguments, output, workspace)
    threshold = Float32(float(np.float32(bound.threshold)))
    return Call("labels_above", (*arguments, ("threshold", threshold)), output, workspace)
