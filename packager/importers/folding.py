"""Constant folding of a frozen graph by TensorFlow's own optimiser (worker side)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.grappler import tf_optimizer


def fold_constants(frozen: Any, batch: int) -> Any:
    """Return the `GraphDef` of a frozen function in which sizes that are known are numbers.

    The lists in the loops of a SavedModel have a known size only then, as TFLite asks; `batch` is the first
    dimension that the model was frozen with. Functions get new names,
    since TensorFlow holds one definition per name and process.
    """
    config = tf.compat.v1.ConfigProto()
    options = config.graph_options.rewrite_options
    options.optimizers.append("constfold")
    options.min_graph_nodes = -1
    options.fail_on_optimizer_errors = True
    meta = tf.compat.v1.train.export_meta_graph(graph_def=frozen.graph.as_graph_def(), graph=frozen.graph)
    kept = [tensor.name for tensor in (*frozen.inputs, *frozen.outputs)]
    meta.collection_def["train_op"].node_list.value.extend(kept)
    graph_def = tf_optimizer.OptimizeGraph(config, meta)
    fed = {f"^{tensor.op.name}" for tensor in frozen.inputs}
    for node in graph_def.node:  # what was folded must not wait for the inputs, which are replaced later
        node.input[:] = [name for name in node.input if name not in fed]
    _fix_lists(graph_def, batch)
    _rename(graph_def, {f.signature.name: f"{f.signature.name}_folded" for f in graph_def.library.function})
    return graph_def


def number_functions(graph_def: Any) -> Any:
    """Return a graph whose functions are named by the order in which they are first called: TensorFlow's own names
    count up in the process, and converters sort by name.
    """
    result = type(graph_def)()
    result.CopyFrom(graph_def)
    functions = {function.signature.name: function for function in result.library.function}
    order: list[str] = []
    pending = [called.name for node in result.node for called in _calls(node)]
    while pending:
        name = pending.pop(0)
        if name in functions and name not in order:
            order.append(name)
            pending += [called.name for node in functions[name].node_def for called in _calls(node)]
    _rename(result, {name: f"function_{index}" for index, name in enumerate(order)})
    kept = [functions[name] for name in order]
    copies = [type(function).FromString(function.SerializeToString()) for function in kept]
    del result.library.function[:]
    result.library.function.extend(copies)
    return result


def has_twins(graph_def: Any) -> bool:
    """Whether two nodes compute the same, or two constants of `_LARGE` bytes or more are equal.

    A converter that merges them keeps the name of either, as the order of its sets falls: unrolled recurrent layers
    have many. Control inputs, and what functions hold, are left out.
    """
    kinds: dict[tuple[Any, ...], int] = {}
    of_node: dict[str, int] = {}
    twins = False
    for node in graph_def.node:
        fed = tuple(
            (of_node.get(name.partition(":")[0], name), name.partition(":")[2])
            for name in node.input
            if not name.startswith("^")
        )
        attributes = tuple((key, node.attr[key].SerializeToString(deterministic=True)) for key in sorted(node.attr))
        passes = node.op == "Identity" and isinstance(fed[0][0], int)
        key = (node.op, fed, attributes if fed or node.op == "Const" else node.name)
        found = kinds.get(key)
        twins |= found is not None and not passes and (node.op != "Const" or node.ByteSize() >= _LARGE)
        of_node[node.name] = fed[0][0] if passes else kinds.setdefault(key, len(kinds))
    return twins


def without_erfc(graph_def: Any) -> Any:
    """Return a graph with 1 - erf(x) in place of erfc(x), which tf2onnx lacks; TensorFlow's gelu is made of it."""
    result = type(graph_def)()
    result.CopyFrom(graph_def)
    for node in [node for node in result.node if node.op == "Erfc"]:
        name, dtype = node.name, node.attr["T"]
        one = result.node.add(name=f"{name}/one", op="Const")
        one.attr["dtype"].CopyFrom(dtype)
        one.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(1.0, tf.as_dtype(dtype.type), []))
        difference = result.node.add(name=name, op="Sub", input=[one.name, f"{name}/erf"])
        difference.attr["T"].CopyFrom(dtype)
        node.name, node.op = f"{name}/erf", "Erf"
    return result


def _rename(graph_def: Any, names: Mapping[str, str]) -> None:
    for function in graph_def.library.function:
        function.signature.name = names.get(function.signature.name, function.signature.name)
    for gradient in graph_def.library.gradient:
        gradient.function_name = names.get(gradient.function_name, gradient.function_name)
        gradient.gradient_func = names.get(gradient.gradient_func, gradient.gradient_func)
    nodes = [*graph_def.node, *(node for function in graph_def.library.function for node in function.node_def)]
    for called in (called for node in nodes for called in _calls(node)):
        called.name = names.get(called.name, called.name)


def _calls(node: Any) -> Iterator[Any]:
    for key in sorted(node.attr):
        value = node.attr[key]
        if value.HasField("func"):
            yield value.func
        yield from value.list.func


_LARGE = 256
_SHAPE_INPUT = {
    "TensorListReserve": 0,
    "TensorListFromTensor": 1,
    "TensorListGetItem": 2,
    "TensorListStack": 1,
    "TensorListPopBack": 1,
    "EmptyTensorList": 0,
}


def _fix_lists(graph_def: Any, batch: int) -> None:
    """Write `batch` where a loop's list was traced with elements of free first size: TFLite wants it known."""
    for nodes in (graph_def.node, *(function.node_def for function in graph_def.library.function)):
        constants = {node.name: node for node in nodes if node.op == "Const"}
        for node in [node for node in nodes if node.op in _SHAPE_INPUT]:
            at = _SHAPE_INPUT[node.op]
            held = constants.get(node.input[at].partition(":")[0])
            shape = tf.make_ndarray(held.attr["value"].tensor) if held is not None else None
            if held is None or shape is None or shape.ndim != 1 or not shape.size or shape[0] >= 0:
                continue
            fixed = nodes.add(name=f"{node.name}/packager_element_shape", op="Const")
            fixed.attr["dtype"].CopyFrom(held.attr["dtype"])
            value = np.concatenate([[batch], shape[1:]]).astype(shape.dtype)
            fixed.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
            node.input[at] = fixed.name if nodes is graph_def.node else f"{fixed.name}:output:0"
