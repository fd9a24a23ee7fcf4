"""What a contract says about a model's tensors, as far as model files can hold it in their own metadata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Layout = Literal["nhwc", "nchw"]


@dataclass(frozen=True)
class PixelInput:
    """A model input that is an 8-bit image of `width` x `height`, each value taken as (v - mean) / std.

    `color` is `rgb`, `bgr` or `grey`; `mean` and `std` have one number per channel. `exact`: single float32
    operations, `(v - mean) / std`, give the contract's numbers to the bit for all 256 values of every channel.
    """

    width: int
    height: int
    color: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    layout: Layout
    exact: bool


@dataclass(frozen=True)
class InputDescription:
    """One input: the app's name, the source's tensor, its steps in words; `pixels`, or why its image cannot be told."""

    name: str
    tensor: str
    about: str
    pixels: PixelInput | None
    why_not: str = ""


@dataclass(frozen=True)
class OutputDescription:
    """One output: the app's name, the source's tensors, its steps in words, labels by class index.

    `direct`: the labels name the tensor's own last axis, with no step between that changes which value is which.
    `plain`: no step at all stands before the labels, so the scores are the tensor's own values.
    """

    name: str
    tensors: tuple[str, ...]
    about: str
    labels: tuple[str, ...] = ()
    direct: bool = False
    plain: bool = False


@dataclass(frozen=True)
class Description:
    """What goes into the metadata of every artefact of one bundle."""

    name: str
    version: str
    license: str
    contract: str
    inputs: tuple[InputDescription, ...]
    outputs: tuple[OutputDescription, ...]
