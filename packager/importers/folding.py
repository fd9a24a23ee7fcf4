"""Constant folding of a frozen graph by TensorFlow's own optimiser (worker side)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tensorflow.python.grappler import tf_optimizer


def fold_constants(frozen: Any) -> Any:
    """Return the `GraphDef` of a frozen function in which sizes that are known are numbers.

    The lists in the loops of a SavedModel have a known size only then, as TFLite asks. Functions get new names,
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
    _rename_functions(graph_def)
    return graph_def


def _rename_functions(graph_def: Any) -> None:
    names = {function.signature.name: f"{function.signature.name}_folded" for function in graph_def.library.function}
    for function in graph_def.library.function:
        function.signature.name = names[function.signature.name]
    for gradient in graph_def.library.gradient:
        gradient.function_name = names.get(gradient.function_name, gradient.function_name)
        gradient.gradient_func = names.get(gradient.gradient_func, gradient.gradient_func)
    nodes = [*graph_def.node, *(node for function in graph_def.library.function for node in function.node_def)]
    for called in (called for node in nodes for called in _calls(node)):
        called.name = names.get(called.name, called.name)


def _calls(node: Any) -> Iterator[Any]:
    for value in node.attr.values():
        if value.HasField("func"):
            yield value.func
        yield from value.list.func
