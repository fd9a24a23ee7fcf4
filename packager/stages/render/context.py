"""What a template sees: one flat mapping of frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packager.core.languages import LANGUAGES, Language, camel, constant_case, pascal, snake
from packager.model.artifact import Artifact
from packager.model.contract import (
    AudioType,
    BytesType,
    CandidatesType,
    FrameType,
    ImageType,
    NativeChain,
    ResultType,
    SeriesType,
    TensorType,
)
from packager.model.golden import ArtifactGolden
from packager.model.target import EngineSpec, TargetSpec


@dataclass(frozen=True)
class SampleFile:
    """The bundled sample of one input: the sample's name, the input it feeds, its original file with suffix.

    `shape` and `data` are the decoded value: little-endian, C-order; for a camera frame [height, width] and the planes
    y, u and v. `file_name` is what an app calls it: the picture's own file, or `data`.
    """

    name: str
    input: str
    file: Path
    suffix: str
    file_name: str
    shape: tuple[int, ...]
    data: bytes
    is_picture: bool
    part: bytes | None = None
    """A picture of its own, where only a part of the file is handed over."""


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
    samples: tuple[SampleFile, ...]
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
        "sample": project.samples[0] if project.samples else None,
        "given": {sample.input: sample for sample in project.samples},
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


CPP_TYPES = {
    "float32": "float",
    "int8": "int8_t",
    "uint8": "uint8_t",
    "int16": "int16_t",
    "uint16": "uint16_t",
    "int32": "int32_t",
    "int64": "int64_t",
}
KOTLIN_TYPES = {
    "float32": "FloatArray",
    "int8": "ByteArray",
    "uint8": "ByteArray",
    "int16": "ShortArray",
    "uint16": "ShortArray",
    "int32": "IntArray",
    "int64": "LongArray",
}
SWIFT_TYPES = {
    "float32": "Float",
    "int8": "Int8",
    "uint8": "UInt8",
    "int16": "Int16",
    "uint16": "UInt16",
    "int32": "Int32",
    "int64": "Int64",
}
FILTERS = {
    "snake": snake,
    "pascal": pascal,
    "camel": camel,
    "upper_snake": constant_case,
    "cpp_type": CPP_TYPES.__getitem__,
    "kotlin_type": KOTLIN_TYPES.__getitem__,
    "swift_type": SWIFT_TYPES.__getitem__,
}
TESTS = {
    "image": lambda value: isinstance(value, ImageType),
    "picture": lambda value: isinstance(value, ImageType) and value.color == "rgb",
    "frame": lambda value: isinstance(value, FrameType),
    "audio": lambda value: isinstance(value, AudioType),
    "series": lambda value: isinstance(value, SeriesType),
    "bytes": lambda value: isinstance(value, BytesType),
    "tensor": lambda value: isinstance(value, TensorType),
    "candidates": lambda value: isinstance(value, CandidatesType),
    "classification": lambda value: value == ResultType("Classification"),
}
