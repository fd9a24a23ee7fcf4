"""The source model as seen from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packager.model.tensors import Activation, TensorSpec


@dataclass(frozen=True)
class ModelSource:
    """What `inspect` learned: identity, interface, and what could not be seen without running the framework.

    `activations` maps an output's name to the operation that ends it. `ops` counts layer or op types.
    `unseen` lists in words what this reader cannot tell. `free` names the inputs whose batch (first dimension) the
    manifest wants free in every artefact. `origin` is the model that this one was exported from.
    """

    format: str
    sha256: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    activations: dict[str, Activation] = field(default_factory=dict)
    ops: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    origin: ModelSource | None = None


@dataclass(frozen=True)
class Preparation:
    """What a source's own framework needs beside the model file and its shapes.

    `request` and `inputs` go into the requests of its worker side; `input_hashes` stand for the content of inputs
    that are programs of this machine. `tools` are versions of what is not in packager's own environment.
    """

    request: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Path] = field(default_factory=dict)
    input_hashes: Mapping[str, str] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)
