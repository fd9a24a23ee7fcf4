"""ONNX files, opset 9 and newer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from packager.core.errors import ModelError
from packager.core.hashing import sha256_file
from packager.model.recipes import Known
from packager.model.source import ModelSource
from packager.model.tensors import Activation

if TYPE_CHECKING:
    import onnx

SUMMARY = "ONNX model"
SUFFIXES = (".onnx",)
OPEN = "packager.sources.onnx.open:open_model"
RUN = "packager.sources.onnx.run:run"
RUN_WORKER = "light"
TOOLS = ("tensorflow", "onnx", "onnxruntime", "numpy")
CODE = (
    "packager.importers.batch",
    "packager.importers.folding",
    "packager.importers.frozen",
    "packager.importers.onnx",
    "packager.importers.onnx_file",
    "packager.sources.onnx",
)

OLDEST = 9
_DOMAINS = ("", "ai.onnx", "com.microsoft", "ai.onnx.ml")
_ENDS = {
    "Softmax": "softmax", "LogSoftmax": "log_softmax", "Sigmoid": "sigmoid", "Tanh": "tanh", "Relu": "relu",
    "LeakyRelu": "leaky_relu", "Elu": "elu", "HardSigmoid": "hard_sigmoid", "Clip": "clip",
}  # fmt: skip
_PASSES = {"Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Transpose", "Cast", "DequantizeLinear",
           "QuantizeLinear"}  # fmt: skip
_RESHAPES = {"Reshape", "Expand", "Unsqueeze", "Squeeze", "Identity"}


def detect(path: Path) -> bool:
    """Whether the file parses as an ONNX model with an opset."""
    if not path.is_file():
        return False
    if path.suffix == ".onnx":
        return True
    from packager.importers.protobuf import BrokenMessageError, fields

    try:  # field 1 is the IR version, 7 the graph, 8 the opsets
        numbers = [number for number, _ in fields(memoryview(path.read_bytes()))]
    except BrokenMessageError:
        return False
    return {1, 7, 8} <= set(numbers) and max(numbers) <= 25


def inspect(path: Path, shapes: Mapping[str, tuple[int | None, ...]]) -> ModelSource:
    """Read the graph. Raises ModelError for broken files, old opsets and unknown operator domains."""
    from packager.importers import onnx_file
    from packager.importers.onnx import unsupported
    from packager.importers.onnx.replacements import refused
    from packager.sources.onnx import memory

    model = onnx_file.load(path)
    opset = _opset(model, path.name)
    shaped = onnx_file.infer(onnx_file.with_shapes(model, shapes))
    inputs = [onnx_file.spec_of(value)[0] for value in onnx_file.real_inputs(shaped.graph)]
    outputs = [onnx_file.spec_of(value) for value in shaped.graph.output]
    unknown = [spec.name for spec, known in outputs if not known]
    activations = {spec.name: end for spec, _ in outputs if (end := _ends(model.graph, spec.name)) is not None}
    return ModelSource(
        format="onnx",
        sha256=sha256_file(path),
        inputs=tuple(inputs),
        outputs=tuple(spec for spec, _ in outputs),
        activations=activations,
        ops=dict(sorted(Counter(node.op_type for node in model.graph.node).items())),
        facts={
            "opset": opset,
            "ir_version": int(model.ir_version),
            "producer": f"{model.producer_name} {model.producer_version}".strip(),
            "importer_refuses": [refused(entry) for entry in unsupported(model)],
            "unknown_shapes": unknown,
            "parameters": memory.parameters(model),
            **memory.live(shaped),
        },
        unseen=tuple(f"the shape of output {name!r}: seen when the model runs" for name in unknown),
    )


def known(path: Path) -> Known:
    """Labels, mean and std that stand in the file's metadata."""
    from packager.importers import onnx_file
    from packager.sources.onnx import metadata

    return metadata.known(onnx_file.load(path))


def _opset(model: onnx.ModelProto, file: str) -> int:
    versions = {entry.domain: int(entry.version) for entry in model.opset_import}
    functions = {function.domain for function in model.functions}
    used = {node.domain: node for node in model.graph.node}
    for domain, node in sorted(used.items()):
        if domain not in _DOMAINS and domain not in functions:
            raise ModelError(
                f"{file}: node {node.name or node.output[0]!r} is {domain}.{node.op_type}, of an unknown domain",
                expected="operators of ONNX itself",
                hint="export the model without custom operators",
            )
    opset = versions.get("", versions.get("ai.onnx", 0))
    if opset < OLDEST:
        raise ModelError(
            f"{file} is of opset {opset}",
            expected=f"opset {OLDEST} or newer",
            hint="raise it with onnx.version_converter.convert_version, or export the model again",
        )
    return opset


def _ends(graph: onnx.GraphProto, output: str) -> Activation | None:
    """Walk back from an output over nodes that only move values."""
    makers = {name: node for node in graph.node for name in node.output}
    name = output
    for _ in range(len(graph.node)):
        node = makers.get(name)
        if node is None:
            return None
        if node.op_type in _ENDS:
            return Activation(_ENDS[node.op_type], node.name or node.output[0])
        if _is_softmax(node, makers):
            return Activation("softmax", node.name or node.output[0])
        if node.op_type not in _PASSES or not node.input:
            return None
        name = node.input[0]
    return None


def _is_softmax(node: onnx.NodeProto, makers: Mapping[str, onnx.NodeProto]) -> bool:
    """Whether a Div is the end of a softmax that was written out: Exp over its own sum (as JAX exports it)."""
    if node.op_type != "Div" or len(node.input) != 2 or getattr(makers.get(node.input[0]), "op_type", "") != "Exp":
        return False
    total = makers.get(node.input[1])
    for _ in range(len(makers)):  # a broken file's nodes may feed each other in a ring
        if total is None or total.op_type not in _RESHAPES:
            break
        total = makers.get(next(iter(total.input), ""))
    return total is not None and total.op_type == "ReduceSum" and list(total.input[:1]) == [node.input[0]]
