"""A TensorFlow function without variables: the form in which every source reaches the converters.

Importing this module imports tensorflow, with one thread and without oneDNN, so that equal inputs give equal bits.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from packager.core.errors import ModelError
from packager.importers.folding import fold_constants
from packager.model.tensors import TensorSpec

_LOOPS = ("While", "StatelessWhile")
_ILLEGAL = re.compile(r"[^A-Za-z0-9_.]")


def one_thread() -> None:
    """Give TensorFlow one thread. Without effect once TensorFlow has run something in this process."""
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        return


one_thread()


@dataclass(frozen=True)
class FrozenPort:
    """One input or output: `tensor` is its TensorFlow tensor (`name:0`), `spec.name` the source's name."""

    tensor: str
    spec: TensorSpec

    @property
    def name(self) -> str:
        """The source's name."""
        return self.spec.name

    @property
    def node(self) -> str:
        """Name of the TensorFlow node, legal in TensorFlow and unique in the graph."""
        return self.tensor.removesuffix(":0")


@dataclass(frozen=True)
class FrozenModel:
    """A concrete function without variables, its inputs and outputs in the source's order.

    `function` is positional: one tensor per input, a list of tensors back.
    """

    function: Any
    inputs: tuple[FrozenPort, ...]
    outputs: tuple[FrozenPort, ...]

    @property
    def graph_def(self) -> Any:
        """The graph as a `GraphDef`."""
        return self.function.graph.as_graph_def()

    def nodes(self) -> list[Any]:
        """Every node (`NodeDef`) of the graph, those of the functions that it calls included."""
        graph = self.graph_def
        return [*graph.node, *(node for function in graph.library.function for node in function.node_def)]

    def loop(self) -> str | None:
        """Return the name of a loop in the graph, None where there is none."""
        return next((node.name for node in self.nodes() if node.op in _LOOPS), None)

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return outputs by source name for `feeds` by source name, of the declared shapes and dtypes.

        Raises ModelError where a feed is missing or does not fit.
        """
        tensors = [tf.constant(checked(feeds, port.spec)) for port in self.inputs]
        results = self.function(*tensors)
        return {port.name: result.numpy() for port, result in zip(self.outputs, results, strict=True)}

    def probes(self, count: int, seed: int = 0) -> list[dict[str, NDArray[Any]]]:
        """Return `count` feeds of seeded random values, by source name; free dimensions become 1."""
        generator = np.random.default_rng(seed)
        return [{port.name: random_array(port.spec, generator) for port in self.inputs} for _ in range(count)]


def random_array(spec: TensorSpec, generator: np.random.Generator) -> NDArray[Any]:
    """Return random values for a tensor: normal for floats, 0 or 1 for integers and booleans."""
    shape = tuple(1 if dimension is None else dimension for dimension in spec.shape)
    if np.dtype(spec.dtype).kind == "f":
        return generator.standard_normal(shape).astype(spec.dtype)
    return generator.integers(0, 2, shape).astype(spec.dtype)


def checked(feeds: Mapping[str, NDArray[Any]], spec: TensorSpec) -> NDArray[Any]:
    """Return the feed of an input after a look at its shape and dtype. Raises ModelError."""
    if spec.name not in feeds:
        raise ModelError(f"input {spec.name!r} is not fed", expected=f"one of {sorted(feeds)} is not enough")
    array = np.asarray(feeds[spec.name])
    fits = array.ndim == len(spec.shape) and all(
        want is None or have == want for have, want in zip(array.shape, spec.shape, strict=True)
    )
    if not fits or array.dtype != np.dtype(spec.dtype):
        raise ModelError(
            f"input {spec.name!r} is fed {array.dtype}{list(array.shape)}",
            expected=f"{spec.dtype}{list(spec.shape)}",
        )
    return array


def fixed_shape(
    name: str, declared: Sequence[int | None], shapes: Mapping[str, Sequence[int | None]]
) -> tuple[int | None, ...]:
    """Return the shape to freeze: the manifest's where it gives one, in which the first dimension (the batch) may be
    free, else the declared one with a free batch as 1. Raises ModelError where another dimension is free.
    """
    shape = tuple(shapes.get(name, declared))
    if name not in shapes and shape and shape[0] is None:
        shape = (1, *shape[1:])
    if any(dimension is None for dimension in shape[1:]):
        raise ModelError(
            f"input {name!r} leaves dimensions open: {list(shape)}",
            expected="a shape with every dimension known",
            hint=f"give it in the manifest: model: {{shapes: {{{name}: [...]}}}}",
        )
    return tuple(None if dimension is None else int(dimension) for dimension in shape)


def legal_names(inputs: Iterable[str], outputs: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return a TensorFlow node name for each input and output: letters, digits, `_` and `.`, all different even
    without case (as name scopes are compared).
    """
    taken = {"graph"}

    def legal(name: str) -> str:
        base = _ILLEGAL.sub("_", name)
        if not base or base[0] in "_.":
            base = f"t{base}"
        unique, number = base, 1
        while unique.lower() in taken:
            unique, number = f"{base}_{number}", number + 1
        taken.add(unique.lower())
        return unique

    return [legal(name) for name in inputs], [legal(name) for name in outputs]


def freeze(
    call: Callable[..., Sequence[Any]], inputs: Sequence[TensorSpec], output_names: Sequence[str]
) -> FrozenModel:
    """Trace `call` (one tensor per input -> outputs in order) and turn variables to constants. Shapes are fixed, but
    for a batch (first dimension) that stays free.

    Control flow stays functional (While, If), which all three converters read.
    """
    nodes, out_nodes = legal_names((spec.name for spec in inputs), output_names)
    signature = [tf.TensorSpec(spec.shape, spec.dtype, name=node) for spec, node in zip(inputs, nodes, strict=True)]
    traced = tf.function(call, autograph=False).get_concrete_function(*signature)
    frozen = convert_variables_to_constants_v2(traced, lower_control_flow=False, aggressive_inlining=True)
    return _named(frozen, inputs, nodes, output_names, out_nodes)


def _named(
    frozen: Any, inputs: Sequence[TensorSpec], nodes: list[str], output_names: Sequence[str], out_nodes: list[str]
) -> FrozenModel:
    """Rebuild a frozen function so that its output tensors bear their legal names."""
    loops = any(node.type in _LOOPS for node in frozen.graph.get_operations())
    graph_def = fold_constants(frozen, _batch(inputs)) if loops else frozen.graph.as_graph_def()
    _explicit_splits(graph_def, frozen.graph)
    sources = [tensor.name for tensor in frozen.inputs]
    results = [tensor.name for tensor in frozen.outputs]

    def rebuild() -> None:
        fed = [
            tf.compat.v1.placeholder(spec.dtype, spec.shape, name=node)
            for spec, node in zip(inputs, nodes, strict=True)
        ]
        made = tf.graph_util.import_graph_def(
            graph_def, input_map=dict(zip(sources, fed, strict=True)), return_elements=results, name="graph"
        )
        for tensor, node in zip(made, out_nodes, strict=True):
            tf.identity(tensor, name=node)

    wrapped = tf.compat.v1.wrap_function(rebuild, [])
    fed = [wrapped.graph.get_tensor_by_name(f"{node}:0") for node in nodes]
    made = [wrapped.graph.get_tensor_by_name(f"{node}:0") for node in out_nodes]
    function = wrapped.prune(fed, made)
    outputs = [_spec(name, tensor) for name, tensor in zip(output_names, made, strict=True)]
    return FrozenModel(
        function,
        tuple(FrozenPort(f"{node}:0", spec) for node, spec in zip(nodes, inputs, strict=True)),
        tuple(FrozenPort(f"{node}:0", spec) for node, spec in zip(out_nodes, outputs, strict=True)),
    )


def _batch(inputs: Sequence[TensorSpec]) -> int:
    return next((spec.shape[0] for spec in inputs if spec.shape and spec.shape[0] is not None), 1)


def _explicit_splits(graph_def: Any, graph: Any) -> None:
    """Replace the -1 in the sizes of a SplitV by the size it stands for: coremltools takes it as unknown."""
    constants = {node.name: node for node in graph_def.node if node.op == "Const"}
    for node in [node for node in graph_def.node if node.op == "SplitV"]:
        try:
            operation = graph.get_operation_by_name(node.name)
        except KeyError:  # made by folding
            continue
        results = [tensor.shape for tensor in operation.outputs]
        sizes, axis = (constants.get(name.removeprefix("^").partition(":")[0]) for name in node.input[1:3])
        if sizes is None or axis is None or any(shape.rank is None for shape in results):
            continue
        values = tf.make_ndarray(sizes.attr["value"].tensor)
        along = int(tf.make_ndarray(axis.attr["value"].tensor))
        known = [shape.as_list()[along] for shape in results]
        if (values < 0).any() and None not in known:
            held = graph_def.node.add(name=f"{node.name}/packager_sizes", op="Const")
            held.attr["dtype"].CopyFrom(sizes.attr["dtype"])
            held.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(np.asarray(known, values.dtype)))
            node.input[1] = held.name


def from_function(function: Any, inputs: Sequence[str], outputs: Sequence[str]) -> FrozenModel:
    """Return a function that is frozen already (positional, a list of tensors back) with the source's names."""
    return FrozenModel(
        function,
        tuple(FrozenPort(t.name, _spec(name, t)) for name, t in zip(inputs, function.inputs, strict=True)),
        tuple(FrozenPort(t.name, _spec(name, t)) for name, t in zip(outputs, function.outputs, strict=True)),
    )


def _spec(name: str, tensor: Any) -> TensorSpec:
    rank = tensor.shape.rank
    shape = tuple(tensor.shape.as_list()) if rank is not None else ()
    return TensorSpec(name, tensor.dtype.as_numpy_dtype.__name__, shape)
