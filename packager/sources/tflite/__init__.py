"""TFLite files as sources."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.core.errors import Finding, ModelError
from packager.core.hashing import sha256_file
from packager.importers.batch import refuse_fixed
from packager.model.recipes import Known
from packager.model.source import ModelSource
from packager.model.tensors import Activation, TensorSpec

SUMMARY = "TensorFlow Lite model"
SUFFIXES = (".tflite",)
OPEN = "packager.sources.tflite.open:open_model"
RUN = "packager.sources.tflite.run:run"
RUN_WORKER = "light"
TOOLS = ("tensorflow", "tf2onnx", "ai-edge-litert", "onnx", "numpy")
CODE = (
    "packager.importers.batch",
    "packager.importers.folding",
    "packager.importers.frozen",
    "packager.importers.levels",
    "packager.importers.litert",
    "packager.importers.onnx",
    "packager.importers.onnx_file",
    "packager.importers.tflite_builtin",
    "packager.importers.tflite_file",
    "packager.importers.tflite_onnx",
    "packager.sources.tflite",
)

_ENDS = {"SOFTMAX": "softmax", "LOGISTIC": "sigmoid", "TANH": "tanh", "LOG_SOFTMAX": "log_softmax", "RELU": "relu"}
_FUSED = {1: "relu", 2: "relu_n1_to_1", 3: "relu6", 4: "tanh"}
_PASSES = {"RESHAPE", "QUANTIZE", "DEQUANTIZE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE", "CAST"}


def detect(path: Path) -> bool:
    """Whether the file has the mark TFL3."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(8)[4:] == b"TFL3"


def inspect(path: Path, shapes: Mapping[str, tuple[int | None, ...]]) -> ModelSource:
    """Read the flatbuffer. Raises ModelError for custom and Flex operators and broken files."""
    from packager.importers import tflite_file
    from packager.sources.tflite import memory

    model = tflite_file.load(path)
    if not model.subgraphs:
        raise ModelError(f"{path.name} holds no graph", expected="a whole TFLite file")
    ops = tflite_file.operators(model)
    _refuse(model, ops, path.name)
    graph = model.subgraphs[0]
    inputs = [tflite_file.spec_of(graph.tensors[index]) for index in graph.inputs]
    outputs = [tflite_file.spec_of(graph.tensors[index]) for index in graph.outputs]
    ends = {graph_output.name: _ends(model, index) for graph_output, index in zip(outputs, graph.outputs, strict=True)}
    _known(shapes, inputs)
    for spec in inputs:
        refuse_fixed(path.name, spec.name, spec.shape, shapes)
    return ModelSource(
        format="tflite",
        sha256=sha256_file(path),
        inputs=tuple(_shaped(spec, shapes) for spec in inputs),
        outputs=tuple(outputs),
        activations={name: end for name, end in ends.items() if end is not None},
        ops=ops,
        facts={
            "precision": tflite_file.precision(model),
            "state": "VAR_HANDLE" in ops,
            "unknown_shapes": [],
            **memory.facts_of(model, path.stat().st_size),
        },
    )


def known(path: Path) -> Known:
    """What the file's metadata says of names, preprocessing and labels. Raises ModelError for broken metadata."""
    from packager.sources.tflite import metadata

    return metadata.known(path)


def _known(shapes: Mapping[str, tuple[int | None, ...]], inputs: list[TensorSpec]) -> None:
    names = [spec.name for spec in inputs]
    strange = sorted(set(shapes) - set(names))
    if strange:
        raise ModelError(f"the model has no input {strange[0]!r}", expected=f"one of {', '.join(names)}")


def _shaped(spec: TensorSpec, shapes: Mapping[str, tuple[int | None, ...]]) -> TensorSpec:
    return TensorSpec(spec.name, spec.dtype, shapes.get(spec.name, spec.shape), spec.quantization)


def _refuse(model: Any, ops: Mapping[str, int], file: str) -> None:
    from packager.importers.tflite_builtin import KNOWN
    from packager.importers.tflite_file import first_node

    custom = [name for name in ops if name.startswith(("CUSTOM:", "UNKNOWN:")) and name not in KNOWN]
    if custom:
        raise ModelError(
            tuple(
                Finding(
                    f"{file}: {first_node(model, name)} is the custom operator {name.partition(':')[2]}",
                    expected="operators of TensorFlow Lite itself",
                    hint="a custom operator needs its own native code in every app: use a model without it",
                )
                for name in custom
            )
        )


def _ends(model: Any, index: int) -> Activation | None:
    """Walk back from an output over operators that only move or re-scale values."""
    from packager.importers import tflite_file

    graph = model.subgraphs[0]
    makers = {int(output): op for op in graph.operators or () for output in op.outputs}
    for _ in range(len(makers) + 1):
        op = makers.get(int(index))
        if op is None:
            return None
        name = tflite_file.operator_name(model.operatorCodes[op.opcodeIndex])
        node = tflite_file.tensor_name(graph.tensors[op.outputs[0]])
        if name in _ENDS:
            return Activation(_ENDS[name], node)
        fused = _FUSED.get(getattr(op.builtinOptions, "fusedActivationFunction", 0))
        if fused:
            return Activation(fused, node)
        if name not in _PASSES:
            return None
        index = op.inputs[0]
    return None
