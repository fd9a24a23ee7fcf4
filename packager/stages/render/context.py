"""What a template sees: one flat mapping of frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packager.core.languages import LANGUAGES, Language, camel, constant_case, pascal, snake
from packager.model.artifact import Artifact
from packager.model.contract import ImageType, NativeChain, ResultType, TensorType
from packager.model.golden import ArtifactGolden
from packager.model.target import EngineSpec, TargetSpec


@dataclass(frozen=True)
class SampleFile:
    """The bundled sample: its name, the app-side input it feeds, its original file with suffix, decoded pixels."""

    name: str
    input: str
    file: Path
    width: int
    height: int
    pixels: bytes
    suffix: str


@dataclass(frozen=True)
class ProjectInput:
    """Everything that one project is rendered from."""

    name: str
    version: str
    license: str
    target: TargetSpec
    options: Mapping[str, Any]
    engine: EngineSpec
    artifact: Artifact
    golden: ArtifactGolden
    inputs: tuple[NativeChain, ...]
    outputs: tuple[NativeChain, ...]
    contract_hash: str
    labels: tuple[str, ...]
    sample: SampleFile | None
    versions: Mapping[str, Any]

    @property
    def language(self) -> Language:
        """The target's language."""
        return LANGUAGES[self.target.language]


def base_context(project: ProjectInput) -> dict[str, Any]:
    """The context without the namespace, which is itself a template over it."""
    return {
        "name": project.name,
        "version": project.version,
        "license": project.license,
        "class_name": pascal(project.name),
        "options": {**_defaults(project.target), **project.options},
        "target": project.target,
        "engine": project.engine,
        "artifact": project.artifact,
        "kernel_set": project.golden.kernel_set,
        "source_names": {p.name: p.source for p in (*project.artifact.inputs, *project.artifact.outputs)},
        "workspace": sum(chain.workspace for chain in (*project.inputs, *project.outputs)),
        "inputs": project.inputs,
        "outputs": project.outputs,
        "steps": step_names(project),
        "contract_hash": project.contract_hash,
        "labels": project.labels,
        "sample": project.sample,
        "samples": tuple(dict.fromkeys(record.sample for record in project.golden.records)),
        "versions": project.versions,
        "lang": project.language,
        "minimum": project.target.minimum,
    }


def step_names(project: ProjectInput) -> tuple[str, ...]:
    """Steps whose native files the project needs, each once, in the order of their first use."""
    chains = (*project.inputs, *project.outputs)
    return tuple(dict.fromkeys(step for chain in chains for step in chain.steps))


def _defaults(target: TargetSpec) -> dict[str, Any]:
    return {name: option.default for name, option in target.options.items() if not option.required}


CPP_TYPES = {"float32": "float", "int8": "int8_t", "uint8": "uint8_t", "int32": "int32_t", "int64": "int64_t"}
FILTERS = {
    "snake": snake,
    "pascal": pascal,
    "camel": camel,
    "upper_snake": constant_case,
    "cpp_type": CPP_TYPES.__getitem__,
}
TESTS = {
    "image": lambda value: isinstance(value, ImageType),
    "tensor": lambda value: isinstance(value, TensorType),
    "classification": lambda value: value == ResultType("Classification"),
}
