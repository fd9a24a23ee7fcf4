"""A target as its `target.toml` describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

OptionType = Literal["string", "integer", "number", "boolean"]


@dataclass(frozen=True)
class OptionSpec:
    """One option of a target in the manifest."""

    name: str
    type: OptionType
    description: str
    required: bool = False
    default: Any = None
    pattern: str | None = None
    choices: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class HarnessStep:
    """One command of a harness; `proves` is what its success shows (`compile`, `run` or nothing).

    `argv` and `env` values may hold `{project}`, `{host}`, `{work}`, `{toolset}`, `{bundle}`, `{python}`.
    """

    name: str
    argv: tuple[str, ...]
    proves: Literal["", "compile", "run"] = ""
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 600.0


@dataclass(frozen=True)
class Harness:
    """How `packager test` runs a project here: tools, pinned toolset, evidence grade, commands in order."""

    toolset: str
    tools: tuple[str, ...]
    evidence: str
    stages: tuple[str, ...]
    steps: tuple[HarnessStep, ...]
    needs_root: bool = False
    artifacts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Placement:
    """Where the renderer puts produced files inside the project (Jinja templates over the render context)."""

    model: str
    contract: str
    engine: str
    golden: str
    sample: str = ""


@dataclass(frozen=True)
class TargetSpec:
    """One folder under `templates/`; `id` is its path with dots."""

    id: str
    folder: Path
    summary: str
    language: str
    root: str
    namespace: str
    options: Mapping[str, OptionSpec]
    paths: Mapping[str, str]
    """Where a file of the tree goes, where that depends on the project; nowhere if the template gives nothing."""
    place: Placement
    yours: tuple[str, ...]
    harness: Harness | None
    minimum: Mapping[str, str] = field(default_factory=dict)
    runs: Mapping[str, str] = field(default_factory=dict)
    """Versions that a project of this target runs on, by name; `{option}` is an option's value."""
    start: Mapping[str, str] = field(default_factory=dict)
    """What `init` writes for this target: runtime, precision and required options; `{word}` is the bundle's name."""

    @property
    def options_schema(self) -> Mapping[str, OptionSpec]:
        """Options by name, as the manifest's loader checks them."""
        return self.options


@dataclass(frozen=True)
class EngineSpec:
    """`runtimes/<runtime>/engine/<language>/engine.toml`: native code that runs one runtime in one language."""

    runtime: str
    language: str
    folder: Path
    files: tuple[str, ...]
    kernel_set: str
    summary: str
    facts: Mapping[str, Any] = field(default_factory=dict)
