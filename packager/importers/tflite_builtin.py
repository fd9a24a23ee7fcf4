"""TFLite models rewritten to operators that every runtime has: weights dense, known custom operators built in."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as fb
from numpy.typing import NDArray

from packager.core.errors import ModelError
from packager.importers.tflite_file import dtype_name, operator_name, tensor_name

TRANSPOSE_CONV_BIAS = "CUSTOM:Convolution2DTransposeBias"
"""MediaPipe's transposed convolution with bias: only the XNNPACK delegate runs it (TfLiteTransposeConvParams)."""
KNOWN = (TRANSPOSE_CONV_BIAS,)
"""Custom operators that have an equal built-in one, so that no foreign code is needed."""
_DENSE, _SPARSE = 0, 1
_BIASED_VERSION = 3
_PADDINGS = {1: fb.Padding.SAME, 2: fb.Padding.VALID}


def uses_known(model: Any) -> bool:
    """Whether the model has a custom operator that `replace_known` replaces."""
    return any(operator_name(code) in KNOWN for code in model.operatorCodes or ())


def densify(model: Any) -> None:
    """Give every DENSIFY's result the dense weights, and drop the operator. Changes the object tree.

    Raises ModelError for a sparse form that TensorFlow Lite's converter does not write.
    """
    for graph in model.subgraphs:
        kept = []
        for op in graph.operators or ():
            if operator_name(model.operatorCodes[op.opcodeIndex]) != "DENSIFY":
                kept.append(op)
                continue
            held, made = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
            buffer = fb.BufferT()
            buffer.data = np.frombuffer(dense_values(model, held).tobytes(), np.uint8)
            model.buffers.append(buffer)
            held.buffer = made.buffer = len(model.buffers) - 1
            held.sparsity = None
        graph.operators = kept


def dense_values(model: Any, tensor: Any) -> NDArray[Any]:
    """Return a sparse constant in full: levels in traversal order, each dense or compressed (segments, indices), as
    `tensorflow/lite/kernels/internal/utils/sparsity_format_converter.h` reads them.
    """
    sparsity, shape = tensor.sparsity, [int(size) for size in tensor.shape]
    dtype = dtype_name(tensor)
    if sparsity is None or dtype not in ("float32", "float16", "int8"):
        raise ModelError(f"{tensor_name(tensor)!r} is no sparse constant of a known type ({dtype})")
    at = np.zeros(1, np.int64)
    levels: list[NDArray[np.int64]] = []
    for level in sparsity.dimMetadata:
        if level.format == _DENSE:
            counts = np.full(at.size, level.denseSize, np.int64)
            inside = np.tile(np.arange(level.denseSize), at.size)
            at = np.repeat(at, counts) * level.denseSize + inside
        else:
            parts = (level.arraySegments, level.arrayIndices)
            segments, indices = (np.asarray(part.values, np.int64) for part in parts)
            counts = segments[at + 1] - segments[at]
            first = np.repeat(segments[at] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
            at = first + np.arange(int(counts.sum()))
            inside = indices[at]
        levels = [*(np.repeat(known, counts) for known in levels), inside]
    values = np.frombuffer(bytes(model.buffers[tensor.buffer].data), dtype)
    full = np.zeros(shape, dtype)
    full[_places(sparsity, levels, len(shape))] = values[: at.size]
    return full


def _places(sparsity: Any, levels: list[NDArray[np.int64]], rank: int) -> tuple[NDArray[np.int64], ...]:
    """Index arrays by axis: a blocked axis counts blocks first and places in the block later."""
    places: dict[int, NDArray[np.int64]] = {}
    for number, level, about in zip(sparsity.traversalOrder, levels, sparsity.dimMetadata, strict=True):
        if number < rank:
            places[int(number)] = level
        else:
            axis = int(sparsity.blockMap[number - rank])
            places[axis] = places[axis] * about.denseSize + level
    return tuple(places[axis] for axis in range(rank))


def replace_known(model: Any) -> None:
    """Replace every known custom operator by the built-in one that computes the same. Changes the object tree."""
    for graph in model.subgraphs:
        for op in graph.operators or ():
            if operator_name(model.operatorCodes[op.opcodeIndex]) == TRANSPOSE_CONV_BIAS:
                _transpose_conv(model, graph, op)


def _transpose_conv(model: Any, graph: Any, op: Any) -> None:
    padding, width, height = np.frombuffer(bytes(op.customOptions)[:12], np.int32)
    options = fb.TransposeConvOptionsT()
    options.padding, options.strideW, options.strideH = _PADDINGS[int(padding)], int(width), int(height)
    value, weights, bias = (int(index) for index in op.inputs)
    result = graph.tensors[op.outputs[0]]
    size = fb.BufferT()
    size.data = np.frombuffer(np.asarray(result.shape, np.int32).tobytes(), np.uint8)
    model.buffers.append(size)
    shape = fb.TensorT()
    shape.name = (result.name or b"") + b"/size"
    shape.shape, shape.type, shape.buffer = [len(result.shape)], fb.TensorType.INT32, len(model.buffers) - 1
    shape.quantization = fb.QuantizationParametersT()
    graph.tensors.append(shape)
    op.inputs = [len(graph.tensors) - 1, weights, value, bias]
    op.opcodeIndex = _code(model, fb.BuiltinOperator.TRANSPOSE_CONV, _BIASED_VERSION)
    op.builtinOptionsType, op.builtinOptions = fb.BuiltinOptions.TransposeConvOptions, options
    op.customOptions = None


def _code(model: Any, builtin: int, version: int) -> int:
    code = fb.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = version
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1
