"""The source model as seen from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from packager.model.tensors import Activation, TensorSpec


@dataclass(frozen=True)
class ModelSource:
    """What `inspect` learned: identity, interface, and what could not be seen without running the framework.

    `activations` maps an output's name to the operation that ends it. `ops` counts layer or op types.
    `unseen` lists in words what this reader cannot tell.
    """

    format: str
    sha256: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    activations: dict[str, Activation] = field(default_factory=dict)
    ops: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
