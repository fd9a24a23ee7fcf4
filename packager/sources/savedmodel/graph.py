"""A `saved_model.pb` without TensorFlow: signatures, and the operations that a signature reaches.

Field numbers are those of TensorFlow's saved_model.proto, meta_graph.proto, graph.proto and function.proto.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from packager.importers.protobuf import entries, integer, message, messages, text
from packager.model.tensors import Activation, TensorSpec

_DTYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string", 9: "int64", 10: "bool",
    14: "bfloat16", 17: "uint16", 19: "float16", 22: "uint32", 23: "uint64",
}  # fmt: skip
_ENDS = {"Softmax": "softmax", "Sigmoid": "sigmoid", "Tanh": "tanh", "Relu": "relu", "Relu6": "relu6",
         "LogSoftmax": "log_softmax", "Elu": "elu", "LeakyRelu": "leaky_relu", "Softplus": "softplus"}  # fmt: skip
_PASSES = {"Identity", "Reshape", "Squeeze", "ExpandDims", "Cast", "Transpose", "EnsureShape", "StopGradient"}
_SHAPES = ("Shape", "ShapeN", "Size", "Rank", "TensorListLength")
_BRANCHES = ("If", "StatelessIf", "Case", "StatelessCase")
_CALLS = ("f", "func", "body", "cond", "then_branch", "else_branch", "branches")


@dataclass(frozen=True)
class Node:
    """One operation; `calls` maps attribute -> function names, `elements` are those of a variable."""

    name: str
    op: str
    inputs: tuple[str, ...]
    calls: Mapping[str, tuple[str, ...]]
    elements: int = 0


@dataclass(frozen=True)
class Graph:
    """Nodes by name; `returns` lists what each output of a function is, in order, `arguments` its inputs' names."""

    nodes: Mapping[str, Node]
    returns: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tensor:
    """One input or output of a signature; `at` is its tensor in the main graph, `known` tells of the rank."""

    spec: TensorSpec
    at: str
    known: bool


@dataclass(frozen=True)
class Signature:
    """Inputs and outputs, sorted by name as TensorFlow passes them."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclass(frozen=True)
class SavedGraph:
    """One meta graph: version, signatures, main graph, functions."""

    version: str
    signatures: Mapping[str, Signature]
    main: Graph
    functions: Mapping[str, Graph]

    def reached(self, signature: Signature) -> Counter[str]:
        """Count the operations that the outputs of a signature need, those of called functions included."""
        counted: Counter[str] = Counter()
        for node in self._walk(self.main, [tensor.at for tensor in signature.outputs], set()):
            counted[node.op] += 1
        return counted

    def dependent(self, signature: Signature) -> dict[str, str]:
        """Return {operation: name of one node} for what the outputs need and the inputs decide.

        What only weights decide is left out: freezing makes constants of it.
        """
        found: dict[str, str] = {}
        given = frozenset(_node_of(tensor.at) for tensor in signature.inputs)
        self._spread(self.main, [tensor.at for tensor in signature.outputs], given, found, set())
        return dict(sorted(found.items()))

    def _spread(
        self,
        graph: Graph,
        wanted: Sequence[str],
        given: frozenset[str],
        found: dict[str, str],
        seen: set[tuple[int, frozenset[str]]],
    ) -> None:
        if (id(graph), given) in seen:
            return
        seen.add((id(graph), given))
        decided = set(given)
        for node in _needed(graph, wanted):
            sources = [_node_of(name) for name in node.inputs if not name.startswith("^")]
            if node.name in given or not any(source in decided for source in sources):
                continue
            found.setdefault(node.op, node.name)
            if node.op in _SHAPES:  # shapes are fixed when the model is frozen, whatever the values are
                continue
            decided.add(node.name)
            passed = sources[1:] if node.op in _BRANCHES else sources
            for inner in (self.functions[f] for names in node.calls.values() for f in names if f in self.functions):
                into = frozenset(a for a, source in zip(inner.arguments, passed, strict=False) if source in decided)
                self._spread(inner, inner.returns, into, found, seen)

    def parameters(self, signature: Signature) -> int:
        """Return how many values the variables that the outputs need have; 0 where the file does not tell."""
        nodes = self._walk(self.main, [tensor.at for tensor in signature.outputs], set())
        return sum(node.elements for node in nodes)

    def everything(self) -> dict[str, str]:
        """Return {operation: name of its first node} of all operations in the file."""
        return _first(node for graph in (self.main, *self.functions.values()) for node in graph.nodes.values())

    def nodes(self, signature: Signature) -> dict[str, str]:
        """Return {operation: name of its first node} of what the outputs of a signature need."""
        return _first(self._walk(self.main, [tensor.at for tensor in signature.outputs], set()))

    def _walk(self, graph: Graph, wanted: list[str], functions: set[str]) -> Iterator[Node]:
        seen: set[str] = set()
        stack = [_node_of(name) for name in wanted]
        while stack:
            name = stack.pop()
            if name in seen or name not in graph.nodes:
                continue
            seen.add(name)
            node = graph.nodes[name]
            yield node
            stack += [_node_of(fed) for fed in node.inputs]
            for called in (name for names in node.calls.values() for name in names):
                if called in self.functions and called not in functions:
                    functions.add(called)
                    inner = self.functions[called]
                    yield from self._walk(inner, list(inner.nodes), functions)

    def ends(self, tensor: Tensor) -> Activation | None:
        """Return the operation that ends an output, over those that only move values and into functions."""
        graph, at = self.main, tensor.at
        for _ in range(1000):
            node = graph.nodes.get(_node_of(at))
            if node is None:
                return None
            if node.op in _ENDS:
                return Activation(_ENDS[node.op], node.name)
            if node.op in ("PartitionedCall", "StatefulPartitionedCall") and node.calls.get("f"):
                graph = self.functions.get(node.calls["f"][0], Graph({}))
                index = int(at.rpartition(":")[2]) if at.rpartition(":")[2].isdigit() else 0
                if index >= len(graph.returns):
                    return None
                at = graph.returns[index]
            elif node.op in _PASSES and node.inputs:
                at = node.inputs[0]
            else:
                return None
        return None


def _first(nodes: Iterable[Node]) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in nodes:
        found.setdefault(node.op, node.name)
    return found


def _needed(graph: Graph, wanted: Sequence[str]) -> list[Node]:
    """Nodes that some tensors need, each after those that it takes."""
    done: dict[str, Node] = {}
    stack = [(_node_of(name), False) for name in wanted]
    while stack:
        name, ready = stack.pop()
        node = graph.nodes.get(name)
        if node is None or name in done:
            continue
        if ready:
            done[name] = node
        else:
            stack.append((name, True))
            stack += [(_node_of(fed), False) for fed in node.inputs if _node_of(fed) not in done]
    return list(done.values())


def _node_of(tensor: str) -> str:
    return tensor.removeprefix("^").partition(":")[0]


def read_graph(data: bytes) -> SavedGraph:
    """Parse `saved_model.pb`: its first meta graph. Raises BrokenMessageError."""
    meta = next(messages(memoryview(data), 2), memoryview(b""))
    graph = message(meta, 2)
    functions = {}
    for function in messages(message(graph, 2), 1):
        signature = message(function, 1)
        returns = {key: bytes(value).decode("utf-8", "replace") for key, value in entries(function, 4)}
        order = [text(argument, 1) for argument in messages(signature, 3)]
        arguments = tuple(text(argument, 1) for argument in messages(signature, 2))
        results = tuple(returns.get(name, "") for name in order)
        functions[text(signature, 1)] = Graph(_nodes(function, 3), results, arguments)
    signatures = {name: _signature(value) for name, value in entries(meta, 5)}
    version = text(message(meta, 1), 5)
    return SavedGraph(version, signatures, Graph(_nodes(graph, 1)), functions)


def _nodes(data: memoryview, number: int) -> dict[str, Node]:
    found = {}
    for node in messages(data, number):
        inputs = tuple(bytes(item).decode("utf-8", "replace") for item in messages(node, 3))
        name, op = text(node, 1), text(node, 2)
        elements = _elements(node) if op == "VarHandleOp" else 0
        found[name] = Node(name, op, inputs, dict(_calls(node)), elements)
    return found


def _elements(node: memoryview) -> int:
    """Elements of a variable, by its attribute `shape`; 0 where that is open."""
    for key, value in entries(node, 5):
        if key == "shape":
            sizes = [integer(dimension, 1) for dimension in messages(message(value, 7), 2)]
            return math.prod(sizes) if all(size > 0 for size in sizes) else 0
    return 0


def _calls(node: memoryview) -> Iterator[tuple[str, tuple[str, ...]]]:
    for key, value in entries(node, 5):
        if key in _CALLS:
            held = [message(value, 10), *messages(message(value, 1), 9)]
            names = tuple(text(item, 1) for item in held if len(item))
            if names:
                yield key, names


def _signature(data: memoryview) -> Signature:
    inputs = sorted(entries(data, 1), key=lambda pair: pair[0])
    outputs = sorted(entries(data, 2), key=lambda pair: pair[0])
    return Signature(
        tuple(_tensor(name, info) for name, info in inputs), tuple(_tensor(name, info) for name, info in outputs)
    )


def _tensor(name: str, info: memoryview) -> Tensor:
    dtype = _DTYPES.get(integer(info, 2), f"type {integer(info, 2)}")
    shape = message(info, 3)
    sizes = [integer(dimension, 1) for dimension in messages(shape, 2)]
    spec = TensorSpec(name, dtype, tuple(None if size < 0 else size for size in sizes))
    return Tensor(spec, text(info, 1), integer(shape, 3) == 0)
