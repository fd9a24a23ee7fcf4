"""The frozen function of a whole model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx
import tensorflow as tf
from onnx import helper

from packager.core.errors import ModelError
from packager.importers.onnx.dtypes import plain, type_name
from packager.importers.onnx.errors import Unsupported, UnsupportedOpError
from packager.importers.onnx.graph import GraphBuilder, tensor_of
from packager.importers.onnx.names import graph_inputs, tensor_names
from packager.importers.onnx.preflight import unsupported
from packager.importers.onnx.values import Operand, Shape, Value


def build(model: onnx.ModelProto, shapes: Mapping[str, tuple[int | None, ...]]) -> Any:
    """Return the `ConcreteFunction` of a model; see `packager.importers.onnx.to_tf`."""
    found = unsupported(model)
    if found:
        raise UnsupportedOpError(tuple(found))
    names = tensor_names(model)
    inputs = graph_inputs(model.graph)
    specs = [tf.TensorSpec(*_spec(value, shapes), name=names.inputs[value.name]) for value in inputs]
    _all_known(shapes, names.inputs)

    def trace() -> None:
        feeds: dict[str, Operand] = {}
        for value, spec in zip(inputs, specs, strict=True):
            tensor = tf.compat.v1.placeholder(spec.dtype, spec.shape, name=spec.name)
            feeds[value.name] = Value(first=tensor)
        with tf.name_scope("nodes"):
            results = GraphBuilder(model).run(model.graph, feeds)
            tensors = [tensor_of(result) for result in results]
        for name, tensor in zip(names.outputs.values(), tensors, strict=True):
            tf.identity(tensor, name=name)

    wrapped = tf.compat.v1.wrap_function(trace, [])
    graph = wrapped.graph
    return wrapped.prune(
        feeds=[graph.get_tensor_by_name(f"{name}:0") for name in names.inputs.values()],
        fetches=[graph.get_tensor_by_name(f"{name}:0") for name in names.outputs.values()],
        input_signature=(tuple(specs), {}),
    )


def _spec(value: onnx.ValueInfoProto, shapes: Mapping[str, tuple[int | None, ...]]) -> tuple[Shape, Any]:
    """Return shape and dtype of an input; a dimension without a positive size is free."""
    kind = value.type.tensor_type
    if value.type.WhichOneof("value") != "tensor_type" or not plain(kind.elem_type):
        what = type_name(kind.elem_type) if value.type.HasField("tensor_type") else "not a tensor"
        raise UnsupportedOpError((Unsupported(value.name, "input", "", f"its type is {what}"),))
    dtype = tf.as_dtype(helper.tensor_dtype_to_np_dtype(kind.elem_type))
    declared: Shape | None = None
    if kind.HasField("shape"):
        declared = tuple(_size(dimension) for dimension in kind.shape.dim)
    given = shapes.get(value.name)
    if given is None and declared is None:
        raise ModelError(
            f"the model does not say how many axes its input {value.name} has",
            expected="a shape",
            hint=f"give it in the manifest: shapes: {{{value.name}: [...]}}",
        )
    if given is not None and declared is not None and len(given) != len(declared):
        raise ModelError(
            f"the shape {list(given)} given for the input {value.name} has {len(given)} axes",
            expected=f"{len(declared)} axes, as the model declares",
            hint="correct the input's shape in the manifest (shapes)",
        )
    return tuple(given if given is not None else declared or ()), dtype


def _size(dimension: onnx.TensorShapeProto.Dimension) -> int | None:
    """A declared 0 is what some exporters write for free, but an empty tensor has it too: keep it."""
    return int(dimension.dim_value) if dimension.HasField("dim_value") and dimension.dim_value >= 0 else None


def _all_known(shapes: Mapping[str, tuple[int | None, ...]], inputs: Mapping[str, str]) -> None:
    for name in shapes:
        if name not in inputs:
            raise ModelError(
                f"a shape is given for {name}, which is no input of the model",
                expected=f"one of {', '.join(inputs)}",
                hint="correct the name in the manifest (shapes)",
            )
