"""A TFLite file as its flatbuffer: interface, operators, metadata. Needs no interpreter."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as fb

from packager.core.errors import ModelError
from packager.model.tensors import Quantization, TensorSpec

IDENTIFIER = b"TFL3"
_SMALL = 64
_NARROW = {"int8", "uint8", "int4", "int2"}
_DTYPES = {
    "FLOAT32": "float32", "FLOAT16": "float16", "FLOAT64": "float64", "INT8": "int8", "UINT8": "uint8",
    "INT16": "int16", "UINT16": "uint16", "INT32": "int32", "UINT32": "uint32", "INT64": "int64",
    "UINT64": "uint64", "BOOL": "bool", "STRING": "object", "COMPLEX64": "complex64",
}  # fmt: skip


@cache
def _names(kind: type) -> dict[int, str]:
    return {value: name for name, value in vars(kind).items() if isinstance(value, int)}


def operator_name(code: Any) -> str:
    """Return an operator's name: `CONV_2D`, or `CUSTOM:<its own>`."""
    builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
    if builtin == fb.BuiltinOperator.CUSTOM:
        return f"CUSTOM:{(code.customCode or b'').decode('utf-8', 'replace')}"
    return _names(fb.BuiltinOperator).get(builtin, f"UNKNOWN:{builtin}")


def dtype_name(tensor: Any) -> str:
    """Return numpy's name of a tensor's type; a lower-case TFLite name where numpy has none."""
    name = _names(fb.TensorType).get(tensor.type, str(tensor.type))
    return _DTYPES.get(name, name.lower())


def tensor_name(tensor: Any) -> str:
    """Return a tensor's name."""
    return (tensor.name or b"").decode("utf-8", "replace")


def quantization(tensor: Any) -> Quantization | None:
    """Return the affine quantisation of a whole tensor, None where it has none (or one per channel)."""
    held = tensor.quantization
    if held is None or held.scale is None or len(held.scale) != 1:
        return None
    zero = int(held.zeroPoint[0]) if held.zeroPoint is not None and len(held.zeroPoint) else 0
    return Quantization(float(np.float32(held.scale[0])), zero)


def shape(tensor: Any) -> tuple[int | None, ...]:
    """Return a tensor's shape; None where the signature leaves a dimension free."""
    signature = tensor.shapeSignature if tensor.shapeSignature is not None else tensor.shape
    declared = signature if signature is not None and len(signature) else tensor.shape
    return tuple(None if int(size) < 0 else int(size) for size in (declared if declared is not None else ()))


def spec_of(tensor: Any) -> TensorSpec:
    """Return name, dtype, shape and quantisation of a tensor."""
    return TensorSpec(tensor_name(tensor), dtype_name(tensor), shape(tensor), quantization(tensor))


def load(path: Path) -> Any:
    """Return the file as the schema's object tree (`ModelT`). Raises ModelError for what is no TFLite file."""
    data = path.read_bytes()
    if data[4:8] != IDENTIFIER:
        raise ModelError(f"{path.name} is not a TFLite file", expected="the mark TFL3 at byte 4")
    try:
        model = fb.ModelT.InitFromPackedBuf(data, 0)
        _check_numbers(model)
        return model
    except Exception as fault:  # the generated reader raises whatever a broken offset leads to
        raise ModelError(
            f"{path.name} is a broken TFLite file ({type(fault).__name__}: {fault})",
            expected="a whole file",
            hint="compare its size with the original and copy it again",
        ) from fault


def _check_numbers(model: Any) -> None:
    """Lists that a file leaves out become empty ones. Raises IndexError for a number of a tensor, buffer or operator
    that the file does not hold; -1 stands for an input that an operator goes without.
    """
    buffers, codes = len(model.buffers or ()), len(model.operatorCodes or ())
    _below([entry.buffer for entry in model.metadata or ()], buffers, "buffer")
    for graph in model.subgraphs or ():
        graph.tensors = graph.tensors or []
        _below([tensor.buffer for tensor in graph.tensors], buffers, "buffer")
        _below([op.opcodeIndex for op in graph.operators or ()], codes, "operator code")
        for part, least in ((graph, 0), *((op, -1) for op in graph.operators or ())):
            part.inputs = _NONE if part.inputs is None else part.inputs
            part.outputs = _NONE if part.outputs is None else part.outputs
            _below(part.inputs, len(graph.tensors), "tensor", least)
            _below(part.outputs, len(graph.tensors), "tensor")


_NONE = np.zeros(0, np.int32)


def _below(numbers: Any, count: int, kind: str, least: int = 0) -> None:
    wrong = next((int(number) for number in numbers if not least <= number < count), None)
    if wrong is not None:
        raise IndexError(f"there is no {kind} {wrong}")


class _AlignedBuffer(fb.BufferT):
    """A buffer whose data starts at a multiple of 16 bytes, as kernels expect; the generated packer forgets it."""

    def Pack(self, builder: Any) -> int:  # noqa: N802 - overrides a generated method
        """Write the buffer and return its offset."""
        data = None if self.data is None or not len(self.data) else bytes(self.data)
        if data is not None:
            builder.StartVector(1, len(data), 16)
            builder.head = builder.head - len(data)
            builder.Bytes[builder.head : builder.head + len(data)] = data
            vector = builder.EndVector()
        fb.BufferStart(builder)
        if data is not None:
            fb.BufferAddData(builder, vector)
        return int(fb.BufferEnd(builder))


def pack(model: Any) -> bytes:
    """Return the bytes of an object tree, buffers aligned. Equal trees give equal bytes."""
    for index, buffer in enumerate(model.buffers):
        model.buffers[index] = aligned = _AlignedBuffer()
        aligned.data = buffer.data
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def operators(model: Any) -> dict[str, int]:
    """Return how often each operator occurs in all subgraphs."""
    names = [operator_name(code) for code in model.operatorCodes or ()]
    used = Counter(names[op.opcodeIndex] for graph in model.subgraphs for op in graph.operators or ())
    return dict(sorted(used.items()))


def first_node(model: Any, operator: str) -> str:
    """Return the name of the first output of the first use of an operator, for messages."""
    names = [operator_name(code) for code in model.operatorCodes or ()]
    for graph in model.subgraphs:
        for op in graph.operators or ():
            if names[op.opcodeIndex] == operator:
                return repr(tensor_name(graph.tensors[op.outputs[0]])) if len(op.outputs) else repr(operator)
    return repr(operator)


def precision(model: Any) -> str:
    """Return what a file's precision is called here: int8 where it computes in integers (whatever its interface),
    int8-dynamic or float16 where only its weights are narrow, else float32.
    """
    tensors = model.subgraphs[0].tensors
    computed = [tensor for tensor in tensors if _size(model, tensor) == 0]
    if any(dtype_name(t) in _NARROW and quantization(t) is not None for t in computed):
        return "int8"
    held = {dtype_name(tensor) for tensor in tensors if _size(model, tensor) > _SMALL}
    if held & _NARROW:
        return "int8-dynamic"
    return "float16" if "float16" in held else "float32"


def _size(model: Any, tensor: Any) -> int:
    data = model.buffers[tensor.buffer].data
    return 0 if data is None else len(data)
