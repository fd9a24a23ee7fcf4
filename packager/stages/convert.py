"""Stage convert: one artefact by its runtime, in a worker, cached by content; then its own metadata stamped."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from packager.core.actions import RESULT, Action, Actions
from packager.core.errors import ConvertError, ModelError
from packager.core.hashing import content_hash
from packager.core.jsonable import to_json
from packager.core.resources import available_memory
from packager.core.worker import Provide
from packager.model.artifact import Artifact, Port, Requirement
from packager.model.description import Description
from packager.model.plan import ArtifactRequest
from packager.model.plugins import RuntimeModule, SourceModule
from packager.model.source import ModelSource, Preparation
from packager.model.tensors import Quantization, TensorSpec
from packager.registry import Catalog

WORKER = "tf"
SECOND_WORKER = "tf-2"
"""Works beside the first where independent conversions are many and memory allows two."""
MEMORY_LIMIT = 8 << 30
TIME_LIMIT = 1800.0
LIBRARIES = 1_800_000_000
"""Resident bytes of a worker with TensorFlow, coremltools and tf2onnx (measured: 1.7 GB)."""
COPIES = 8
"""Of the model's bytes, at the peak of a conversion."""


@dataclass(frozen=True)
class SourceFile:
    """The model file with the module of its format."""

    path: Path
    module: SourceModule
    source: ModelSource
    shapes: Mapping[str, tuple[int | None, ...]]
    prepared: Preparation = field(default_factory=Preparation)

    @property
    def request(self) -> dict[str, Any]:
        """What the format's worker side is asked."""
        return {"shapes": {name: list(shape) for name, shape in self.shapes.items()}, **self.prepared.request}

    def provide(self) -> Provide:
        """The opened model as a worker argument."""
        return Provide(self.module.OPEN, self.request, {"model": self.path})


@dataclass(frozen=True)
class Stamp:
    """What is written into an artefact's own metadata."""

    contract: str
    labels: Mapping[str, Sequence[str]]
    description: Description | None = None


def reference_action(file: SourceFile, feeds: Path) -> Action:
    """Run the source model in its own framework over `feeds` (a folder of `<n>.npz`)."""
    return Action(
        name="run the source model",
        kind=file.module.RUN_WORKER,
        entry=file.module.RUN,
        request=file.request,
        inputs={"model": file.path, "feeds": feeds, **file.prepared.inputs},
        input_hashes={"model": file.source.sha256, **file.prepared.input_hashes},
        code=file.module.CODE,
        tools=file.module.TOOLS,
        time_limit=TIME_LIMIT,
        memory_limit=MEMORY_LIMIT,
    )


def is_exported(file: SourceFile) -> bool:
    """Whether the converters open not this file but what its framework exports."""
    return hasattr(file.module, "EXPORT")


def export_action(file: SourceFile) -> Action:
    """The model of a format that only its own framework opens, written in another format by that framework."""
    entry: str = getattr(file.module, "EXPORT")  # noqa: B009 - an optional attribute of the protocol
    return Action(
        name=f"export from {file.source.format}",
        kind=file.module.RUN_WORKER,
        entry=entry,
        request=file.request,
        inputs={"model": file.path, **file.prepared.inputs},
        input_hashes={"model": file.source.sha256, **file.prepared.input_hashes},
        code=file.module.CODE,
        tools=file.module.TOOLS,
        error=ModelError,
        time_limit=TIME_LIMIT,
        memory_limit=MEMORY_LIMIT,
    )


def convert_action(
    request: ArtifactRequest, name: str, file: SourceFile, runtime: RuntimeModule, calibration: Path | None
) -> Action:
    """The conversion of one artefact, independent of contract and labels."""
    original = runtime.takes_original(file.source, request.precision)
    inputs = {"calibration": calibration} if calibration is not None else {}
    if original:
        inputs["model"] = file.path
    return Action(
        name=f"convert to {request.id}",
        kind=WORKER,
        entry=runtime.CONVERT,
        request={"precision": request.precision, "name": name, **file.request},
        inputs=inputs,
        provide={} if original else {"source": file.provide()},
        input_hashes={"source.model": file.source.sha256, "model": file.source.sha256},
        code=(*runtime.CODE, *file.module.CODE),
        tools=(*runtime.TOOLS, *file.module.TOOLS),
        error=ConvertError,
        time_limit=TIME_LIMIT,
        memory_limit=MEMORY_LIMIT,
        memory=expected_memory(file),
        last_words=getattr(runtime, "last_words", None),
    )


def lanes(requests: Sequence[ArtifactRequest], file: SourceFile, catalog: Catalog) -> dict[str, str]:
    """The kind of worker for each conversion, by the artefact's id.

    Two workers where there are conversions for two runtimes and memory for both. A runtime's conversions stay together
    (its converter is imported once); those that are also run in the first worker stand there.
    """
    counts = Counter(request.runtime for request in requests)
    two = available_memory() >= 2 * expected_memory(file)
    load = {WORKER: 0, SECOND_WORKER: 0} if two else {WORKER: 0}
    lane: dict[str, str] = {}
    for name in sorted(counts, key=lambda name: (catalog.runtimes[name].RUN_WORKER != WORKER, -counts[name], name)):
        lane[name] = min(load, key=lambda kind: load[kind])
        load[lane[name]] += counts[name]
    return {request.id: lane[request.runtime] for request in requests}


def expected_memory(file: SourceFile) -> int:
    """Bytes that a worker takes for conversions: the libraries, and a few copies of the weights."""
    return LIBRARIES + COPIES * size_of(file.path)


def stamp_action(request: ArtifactRequest, runtime: RuntimeModule, converted: Path, stamp: Stamp) -> Action:
    """Contract hash, labels and what else the runtime's metadata can say, into the file."""
    result = read_result(converted)
    mapping = {end: {item["source"]: item["name"] for item in result[end]} for end in ("inputs", "outputs")}
    return Action(
        name=f"stamp {request.id}",
        kind=runtime.RUN_WORKER,
        entry=runtime.STAMP,
        request={
            "contract": stamp.contract,
            "labels": {k: list(v) for k, v in stamp.labels.items()},
            "description": to_json(stamp.description),
            "mapping": mapping,
        },
        inputs={"model": converted / result["path"]},
        code=runtime.CODE,
        tools=runtime.TOOLS,
        error=ConvertError,
    )


def convert(
    request: ArtifactRequest,
    name: str,
    file: SourceFile,
    runtime: RuntimeModule,
    actions: Actions,
    calibration: Path | None,
    stamp: Stamp,
) -> Artifact:
    """Convert and stamp one artefact. Raises `ConvertError` with the log's name, or the converter's own refusal."""
    converted = actions.run(convert_action(request, name, file, runtime, calibration))
    stamped = actions.run(stamp_action(request, runtime, converted, stamp))
    result = read_result(converted)
    path = stamped / Path(result["path"]).name
    return Artifact(
        runtime=request.runtime,
        precision=request.precision,
        path=path,
        file_name=f"{name}{runtime.SUFFIX}",
        sha256=content_hash(path),
        bytes=size_of(path),
        inputs=tuple(_as_the_source(port(item), file.source.inputs) for item in result["inputs"]),
        outputs=tuple(_as_the_source(port(item), file.source.outputs) for item in result["outputs"]),
        ops=result.get("ops", {}),
        requires=tuple(Requirement(**item) for item in read_result(stamped).get("requires", ())),
    )


def _as_the_source(made: Port, specs: Sequence[TensorSpec]) -> Port:
    """A port without quantisation where the source's own tensor holds the same integers: they are handed on as is."""
    own = any(spec.name == made.source and spec.dtype == made.dtype for spec in specs)
    return replace(made, quantization=None) if own else made


def read_result(folder: Path) -> dict[str, Any]:
    """What an action's function returned."""
    result: dict[str, Any] = json.loads((folder / RESULT).read_bytes())
    return result


def port(item: Mapping[str, Any]) -> Port:
    """A `Port` from its JSON form."""
    found = item.get("quantization")
    quantization = Quantization(found["scale"], found["zero_point"]) if found else None
    shape, free = tuple(item["shape"]), item.get("free", False)
    return Port(item["source"], item["name"], item["dtype"], shape, quantization, free)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
