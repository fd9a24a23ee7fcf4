"""An ONNX file: read with limits, its interface, and its input shapes replaced. Needs the onnx package only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.version_converter
from google.protobuf.message import DecodeError

from packager.core.errors import ConvertError, ModelError
from packager.importers.batch import NAME
from packager.model.tensors import TensorSpec

_OLDEST_IR = 4


def load(path: Path) -> onnx.ModelProto:
    """Return the model. Raises ModelError for a broken file, or one whose weights are in another file."""
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except (OSError, DecodeError) as fault:
        raise ModelError(
            f"{path.name} is a broken ONNX file ({fault})", expected="a whole file", hint="copy the file again"
        ) from fault
    if not _is_text(model):
        raise ModelError(
            f"{path.name} is a broken ONNX file (a name in it is no UTF-8)",
            expected="a whole file",
            hint="copy the file again",
        )
    if not model.opset_import or not model.graph.output:
        raise ModelError(f"{path.name} is not an ONNX model", expected="an opset and a graph with outputs")
    outside = next((t for t in _tensors(model.graph) if t.data_location == onnx.TensorProto.EXTERNAL), None)
    if outside is not None:
        raise ModelError(
            f"{path.name} keeps the weight {outside.name!r} in another file",
            expected="one file that holds everything",
            hint="save it with onnx.save(model, file, save_as_external_data=False)",
        )
    return model


def _is_text(message: Any) -> bool:
    """Whether all texts are UTF-8: the parser hands over others as bytes."""
    for field, value in message.ListFields():
        if field.type == field.TYPE_STRING:
            if not all(isinstance(each, str) for each in ([value] if isinstance(value, str | bytes) else value)):
                return False
        elif field.type == field.TYPE_MESSAGE and not all(
            map(_is_text, [value] if hasattr(value, "ListFields") else value)
        ):
            return False
    return True


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from _tensors(inner)


def real_inputs(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """Return the inputs that have no constant value: old models list their weights among the inputs."""
    constants = {tensor.name for tensor in graph.initializer}
    return [value for value in graph.input if value.name not in constants]


def spec_of(value: onnx.ValueInfoProto) -> tuple[TensorSpec, bool]:
    """Return a value's spec, and whether its rank is known (else its shape is `()`).

    Raises ModelError for what numpy has no type for.
    """
    tensor = value.type.tensor_type
    if value.type.WhichOneof("value") != "tensor_type" or tensor.elem_type == onnx.TensorProto.STRING:
        what = "text" if tensor.elem_type == onnx.TensorProto.STRING else "no tensor"
        raise ModelError(
            f"{value.name!r} holds {what}", expected="a tensor of numbers", hint="export the model without it"
        )
    if tensor.elem_type not in onnx.TensorProto.DataType.values()[1:]:
        raise ModelError(
            f"{value.name!r} holds numbers of the unknown type {tensor.elem_type}",
            expected="a type of numbers that ONNX defines",
            hint="copy the file again, or export the model with another type",
        )
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)).name
    sizes = [_size(dimension) for dimension in tensor.shape.dim]
    return TensorSpec(value.name, dtype, tuple(sizes)), tensor.HasField("shape")


def _size(dimension: Any) -> int | None:
    return int(dimension.dim_value) if dimension.dim_value > 0 else None


def with_shapes(model: onnx.ModelProto, shapes: Mapping[str, Sequence[int | None]]) -> onnx.ModelProto:
    """Return the model with these input shapes (None: the batch, free), and with all other shapes inferred anew.

    Raises ModelError for an unknown input or another number of axes.
    """
    if not shapes:
        return model
    result = onnx.ModelProto()
    result.CopyFrom(model)
    inputs = {value.name: value for value in real_inputs(result.graph)}
    for name, shape in shapes.items():
        if name not in inputs:
            raise ModelError(f"the model has no input {name!r}", expected=f"one of {', '.join(inputs)}")
        tensor = inputs[name].type.tensor_type
        if tensor.HasField("shape") and len(tensor.shape.dim) != len(shape):
            raise ModelError(
                f"the shape {list(shape)} given for {name!r} has {len(shape)} axes",
                expected=f"{len(tensor.shape.dim)} axes, as the model declares",
            )
        sizes = [{"dim_param": NAME} if size is None else {"dim_value": int(size)} for size in shape]
        tensor.shape.CopyFrom(onnx.TensorShapeProto(dim=sizes))
    del result.graph.value_info[:]
    for value in result.graph.output:
        value.type.tensor_type.ClearField("shape")
    return infer(result)


def infer(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with inferred shapes; the model itself where inference cannot cope with it."""
    try:
        return onnx.shape_inference.infer_shapes(model, data_prop=True)
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError):
        return model


def modern(model: onnx.ModelProto, opset: int) -> onnx.ModelProto:
    """Return the model raised to an opset, its weights no longer among its inputs.

    Raises ConvertError where onnx cannot raise it.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    inputs = real_inputs(result.graph)
    names = {value.name for value in inputs}
    for value in [value for value in result.graph.input if value.name not in names]:
        result.graph.input.remove(value)
    version = next((entry.version for entry in result.opset_import if entry.domain in ("", "ai.onnx")), 0)
    if version >= opset:
        return result
    result.ir_version = max(result.ir_version, _OLDEST_IR)
    try:
        return onnx.version_converter.convert_version(result, opset)
    except (RuntimeError, ValueError) as fault:
        raise ConvertError(
            f"the model is of opset {version} and cannot be raised to {opset}: {fault}",
            hint="export the model again with a newer opset",
        ) from fault
