"""Walks a graph node by node: folds constants, chooses layouts, calls builder functions."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
import tensorflow as tf
from onnx import helper, numpy_helper

from packager.core.errors import ConvertError, ModelError, PackagerError
from packager.importers.onnx import dtypes, ops
from packager.importers.onnx.errors import Unsupported, UnsupportedOpError
from packager.importers.onnx.fold import fold, known_elements
from packager.importers.onnx.functions import instantiate, local_functions, standard_body
from packager.importers.onnx.fuse import fuse
from packager.importers.onnx.node import Node
from packager.importers.onnx.preflight import refusal
from packager.importers.onnx.registry import Layout, Op, find
from packager.importers.onnx.values import Operand, Tensor, Value, arrange, choose_last, static_shape

Scope = ChainMap[str, Any]
STANDARD = ("", "ai.onnx")
BROADCASTING = frozenset({"Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Where"})
assert ops.__all__  # importing the package registers the builder functions


class GraphBuilder:
    """Builds TensorFlow ops for the nodes of one model."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._opsets = _opsets(model.opset_import)
        self._functions = local_functions(model)

    def run(self, graph: onnx.GraphProto, feeds: dict[str, Operand]) -> list[Operand]:
        """Build a whole graph; `feeds` are the inputs. Returns the outputs."""
        return self._graph(graph, Scope(dict(feeds)), self._opsets)

    def subgraph(self, node: Node, attribute: str, operands: list[Any]) -> list[Operand]:
        """Build the graph in an attribute; it sees the values around the node."""
        graph = node.attr(attribute, onnx.GraphProto())
        scope = node.scope.new_child(
            {value.name: operand for value, operand in zip(graph.input, operands, strict=False)}
        )
        return self._graph(graph, scope, node.opsets)

    def call(self, op_type: str, operands: list[Operand], **attributes: Any) -> Any:
        """Build an op of the standard that is not in the model, on the given operands."""
        names = [f"in{number}" for number in range(len(operands))]
        proto = helper.make_node(op_type, names, ["out"], **attributes)
        node = Node(proto, self._opsets.get("", 1), self)
        entry = find(op_type, node.opset)
        assert entry is not None
        return self._dispatch(node, entry, operands)[0]

    @staticmethod
    def onnx_type(x: Any) -> int:
        """Return the ONNX element type of an operand."""
        return dtypes.onnx_type(x.dtype)

    def _graph(self, graph: onnx.GraphProto, scope: Scope, opsets: dict[str, int]) -> list[Operand]:
        for tensor in graph.initializer:
            scope[tensor.name] = _array(tensor)
        outputs = [value.name for value in graph.output]
        self._nodes(fuse(graph.node, outputs, scope.get), scope, opsets)
        return [self._read(scope, value.name, "the graph's outputs") for value in graph.output]

    def _nodes(self, nodes: Iterable[onnx.NodeProto], scope: Scope, opsets: dict[str, int]) -> None:
        for proto in nodes:
            node = Node(proto, opsets.get("" if proto.domain in STANDARD else proto.domain, 1), self)
            node.scope, node.opsets = scope, opsets
            operands = [self._read(scope, name, node.name) if name else None for name in proto.input]
            try:
                results = self._node(node, operands)
            except PackagerError:
                raise
            except Exception as error:
                first = str(error).strip().splitlines()[:1]
                raise ConvertError(
                    f"TensorFlow cannot build {node.op_type} ({node.name}): {''.join(first)}",
                    expected="operands that fit the op",
                    hint="check the model with onnx.checker and the input shapes in the manifest (shapes)",
                ) from error
            for name, result in zip(proto.output, results, strict=False):
                if name:
                    scope[name] = result

    @staticmethod
    def _read(scope: Scope, name: str, reader: str) -> Operand:
        if name not in scope:
            raise ModelError(
                f"the ONNX model is broken: {reader} reads {name}, which nothing computes before it",
                expected="nodes in the order of their data",
                hint="export the model again",
            )
        operand: Operand = scope[name]
        return operand

    def _node(self, node: Node, operands: list[Operand]) -> list[Operand]:
        function = self._functions.get((node.domain, node.op_type))
        if function is not None:
            return self._expand(node, function, operands)
        if node.domain not in STANDARD and not find(node.op_type, node.opset):
            body = standard_body(node.proto, node.opset, [])
            if body is None:
                node.refuse(refusal(node.proto, node.opset))
        entry = find(node.op_type, node.opset)
        if entry is not None:
            while operands and operands[-1] is None:
                operands = operands[:-1]
            return self._dispatch(node, entry, operands)
        reason = refusal(node.proto, node.opset)
        body = None if reason else standard_body(node.proto, node.opset, [_type(x) for x in operands])
        if body is None:
            node.refuse(reason or "the importer does not know it")
        return self._expand(node, body, operands)

    def _expand(self, node: Node, function: onnx.FunctionProto, operands: list[Operand]) -> list[Operand]:
        scope = Scope(dict.fromkeys(function.input))
        scope.update(zip(function.input, operands, strict=False))
        scope[""] = None
        opsets = {**node.opsets, **_opsets(function.opset_import)}
        self._nodes(fuse(instantiate(function, node.proto), function.output, scope.get), scope, opsets)
        return [scope.get(name) for name in function.output]

    def _dispatch(self, node: Node, entry: Op, operands: list[Operand]) -> list[Operand]:
        if entry.fold and not any(isinstance(operand, Value) for operand in operands):
            return self._constant(node, entry, operands)
        known = known_elements(node, operands)
        if known is not None and None not in known.ravel().tolist():
            return [known.astype(np.int64)]
        results = self._build(node, entry, operands)
        if known is not None and isinstance(results[0], Value):
            results[0].known = known
        return results

    @staticmethod
    def _build(node: Node, entry: Op, operands: list[Operand]) -> list[Operand]:
        with tf.name_scope(node.op_type):
            if entry.layout is Layout.AWARE:
                return _listed(entry.build(node, *operands))
            node.rank = max((len(x.shape) for x in operands if x is not None), default=0)
            node.last = entry.layout is Layout.ANY and choose_last(operands)
            if node.op_type in BROADCASTING:
                operands = [_without_ones(operand, node.rank) for operand in operands]
            tensors = [arrange(operand, node.rank, last=node.last) for operand in operands]
            return _listed(entry.build(node, *tensors), last=node.last)

    @staticmethod
    def _constant(node: Node, entry: Op, operands: list[Any]) -> list[Operand]:
        folded = fold(node, operands)
        if folded is not None:
            return [folded]
        node.rank = max((len(x.shape) for x in operands if x is not None), default=0)
        with tf.init_scope():
            results = _listed(entry.build(node, *operands))
            return [x.first().numpy() if isinstance(x, Value) else x for x in results]


def _without_ones(operand: Operand, rank: int) -> Operand:
    """Return a constant of one element as scalar: TensorFlow Lite's fusions look for scalars."""
    if isinstance(operand, np.ndarray) and operand.size == 1 and operand.ndim < rank:
        return operand.reshape(())
    return operand


def _listed(result: Any, *, last: bool = False) -> list[Operand]:
    """Return a builder function's result as operands."""
    results = result if isinstance(result, tuple) else (result,)
    return [_operand(one, last) for one in results]


def _operand(one: Any, last: bool) -> Operand:
    if one is None or isinstance(one, Value | np.ndarray):
        return one
    return Value(last=one) if last else Value(first=one)


def _array(tensor: onnx.TensorProto) -> Any:
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise ModelError(
            f"the weights {tensor.name} are in a file of their own that was not loaded",
            expected="the model together with its external data",
            hint="put the data file beside the model",
        )
    if tensor.data_type == onnx.TensorProto.STRING:
        entry = Unsupported(tensor.name, "initializer", "", "tensors of type STRING are not covered")
        raise UnsupportedOpError((entry,))
    return numpy_helper.to_array(tensor)


def _opsets(imports: Iterable[onnx.OperatorSetIdProto]) -> dict[str, int]:
    return {"" if entry.domain in STANDARD else entry.domain: entry.version for entry in imports}


def _type(operand: Operand) -> onnx.TypeProto:
    """Return the ONNX type of an operand, for function bodies that depend on it."""
    if operand is None:
        return onnx.TypeProto()
    dtype: Any = operand.dtype
    return helper.make_tensor_type_proto(dtypes.onnx_type(dtype), static_shape(operand))


def tensor_of(operand: Operand) -> Tensor:
    """Return an operand as a tensor in ONNX order."""
    return operand.first() if isinstance(operand, Value) else tf.constant(operand)
