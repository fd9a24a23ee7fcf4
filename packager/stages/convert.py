"""Stage convert: one artefact by its runtime, in a worker, cached by content; then its own metadata stamped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packager.core.actions import RESULT, Action, Actions
from packager.core.errors import ConvertError
from packager.core.hashing import content_hash
from packager.core.worker import Provide
from packager.model.artifact import Artifact, Port
from packager.model.plan import ArtifactRequest
from packager.model.plugins import RuntimeModule, SourceModule
from packager.model.source import ModelSource
from packager.model.tensors import Quantization

WORKER = "tf"
MEMORY_LIMIT = 8 << 30


@dataclass(frozen=True)
class SourceFile:
    """The model file with the module of its format."""

    path: Path
    module: SourceModule
    source: ModelSource
    shapes: Mapping[str, tuple[int, ...]]

    @property
    def request(self) -> dict[str, Any]:
        """What the format's worker side is asked."""
        return {"shapes": {name: list(shape) for name, shape in self.shapes.items()}}

    def provide(self) -> Provide:
        """The opened model as a worker argument."""
        return Provide(self.module.OPEN, self.request, {"model": self.path})


@dataclass(frozen=True)
class Stamp:
    """What is written into an artefact's own metadata."""

    contract: str
    labels: Mapping[str, Sequence[str]]


def reference_action(file: SourceFile, feeds: Path) -> Action:
    """Run the source model in its own framework over `feeds` (a folder of `<n>.npz`)."""
    return Action(
        name="run the source model",
        kind=file.module.RUN_WORKER,
        entry=file.module.RUN,
        request=file.request,
        inputs={"model": file.path, "feeds": feeds},
        input_hashes={"model": file.source.sha256},
        code=file.module.CODE,
        tools=file.module.TOOLS,
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
        memory_limit=MEMORY_LIMIT,
    )


def stamp_action(request: ArtifactRequest, runtime: RuntimeModule, converted: Path, stamp: Stamp) -> Action:
    """Contract hash and labels into the file's metadata."""
    result = read_result(converted)
    return Action(
        name=f"stamp {request.id}",
        kind=runtime.RUN_WORKER,
        entry=runtime.STAMP,
        request={"contract": stamp.contract, "labels": {k: list(v) for k, v in stamp.labels.items()}},
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
        inputs=tuple(port(item) for item in result["inputs"]),
        outputs=tuple(port(item) for item in result["outputs"]),
        ops=result.get("ops", {}),
    )


def read_result(folder: Path) -> dict[str, Any]:
    """What an action's function returned."""
    result: dict[str, Any] = json.loads((folder / RESULT).read_bytes())
    return result


def port(item: Mapping[str, Any]) -> Port:
    """A `Port` from its JSON form."""
    found = item.get("quantization")
    quantization = Quantization(found["scale"], found["zero_point"]) if found else None
    return Port(item["source"], item["name"], item["dtype"], tuple(item["shape"]), quantization)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
