"""One form for equal ONNX graphs: order and names that do not depend on how a converter went about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import onnx

_COUNTER = re.compile(r"__\d+")
_PREFIX = "graph/"


def canonical(model: onnx.ModelProto, renamed: Mapping[str, str], name: str, *, keep: bool = True) -> onnx.ModelProto:
    """Return the same graph with inputs and outputs renamed by `renamed` {old: new}, nodes in depth-first order
    from the outputs, every other value renamed in that order, and no shapes of inner values, texts or clocks.

    Without `keep`, and where there are subgraphs, no name of a layer is kept.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    graph.name, graph.doc_string, result.doc_string = name, "", ""
    del graph.value_info[:]
    _order(graph)
    loops = any(True for node in graph.node for _ in _subgraphs(node))
    ends = {value.name: value.name for value in (*graph.input, *graph.output)}
    _Renamer(ends | dict(renamed), keep=keep and not loops).graph(graph, {})
    opsets = sorted(result.opset_import, key=lambda opset: opset.domain)
    del result.opset_import[:]
    result.opset_import.extend(opsets)
    return result


def _subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _reads(node: onnx.NodeProto) -> list[str]:
    """Values that a node reads, those that its subgraphs take from outside included."""
    names = list(node.input)
    for graph in _subgraphs(node):
        names += [name for inner in graph.node for name in _reads(inner)]
        names += [output.name for output in graph.output]
    return names


def _order(graph: onnx.GraphProto) -> None:
    """Sort nodes depth-first from the outputs, and constants by first use; drop what nothing reads."""
    for inner in [inner for node in graph.node for inner in _subgraphs(node)]:
        _settle_copies(inner)
        _order(inner)
    makers = {name: index for index, node in enumerate(graph.node) for name in node.output if name}
    done: set[int] = set()
    order: list[int] = []
    stack = [(makers[output.name], False) for output in reversed(graph.output) if output.name in makers]
    while stack:
        index, expanded = stack.pop()
        if expanded:
            order.append(index)
        elif index not in done:
            done.add(index)
            stack.append((index, True))
            needed = [makers[name] for name in _reads(graph.node[index]) if name in makers]
            stack += [(other, False) for other in reversed(needed) if other not in done]
    nodes = [graph.node[index] for index in order]
    used = {name: None for node in nodes for name in _reads(node)} | {output.name: None for output in graph.output}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    kept = [constants[name] for name in used if name in constants]
    _replace(graph.node, nodes)
    _replace(graph.initializer, kept)


def _settle_copies(graph: onnx.GraphProto) -> None:
    """Where an output is the Identity of another, let the earlier of both be the original: tf2onnx varies."""
    copies = [(node.input[0], node.output[0]) for node in graph.node if node.op_type == "Identity"]
    for _ in range(len(copies)):
        for original, copy in copies:
            at = {value.name: index for index, value in enumerate(graph.output)}
            if original in at and copy in at and at[copy] < at[original]:
                graph.output[at[copy]].name, graph.output[at[original]].name = original, copy


def _replace(field: object, values: Iterable[object]) -> None:
    copies = [type(value).FromString(value.SerializeToString()) for value in values]  # type: ignore[attr-defined]
    del field[:]  # type: ignore[attr-defined]
    field.extend(copies)  # type: ignore[attr-defined]


def _forget_symbols(graph: onnx.GraphProto) -> None:
    """Drop the names of free dimensions, which count up in the process."""
    for value in (*graph.input, *graph.output):
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.HasField("dim_param"):
                dimension.Clear()


class _Renamer:
    """Gives each value and node a name from its place, keeping what a reader knows, the layer's name, where `keep`.

    In graphs with subgraphs TensorFlow's names hold counters of the process; there the kind of operator stands.
    """

    def __init__(self, fixed: Mapping[str, str], *, keep: bool) -> None:
        self._fixed = fixed
        self._keep = keep
        self._taken = set(fixed.values())

    def _unique(self, old: str, fallback: str) -> str:
        base = _COUNTER.sub("", old.removesuffix(":0").removeprefix(_PREFIX)) if self._keep else ""
        base = base or fallback
        name, number = base, 1
        while name in self._taken:
            name, number = f"{base}_{number}", number + 1
        self._taken.add(name)
        return name

    def graph(self, graph: onnx.GraphProto, outer: Mapping[str, str]) -> None:
        """Rename everything in a graph; `outer` maps the names of the graphs around it."""
        names = dict(outer)
        for value in graph.input:
            self._rename(value, names)
        made = [name for node in graph.node for name in node.output if name]
        names |= {name: self._fixed[name] for name in made if name in self._fixed}
        for tensor in graph.initializer:
            self._rename(tensor, names)
        for node in graph.node:
            self._node(node, names)
        for value in graph.output:
            value.name = names[value.name]

    def _rename(self, held: onnx.ValueInfoProto | onnx.TensorProto, names: dict[str, str]) -> None:
        old = held.name
        held.name = self._fixed.get(old) or self._unique(old, "value")
        names[old] = held.name

    def _node(self, node: onnx.NodeProto, names: dict[str, str]) -> None:
        node.ClearField("doc_string")
        if not node.domain:
            node.ClearField("domain")
        attributes = sorted(node.attribute, key=lambda attribute: attribute.name)
        _replace(node.attribute, attributes)
        node.input[:] = [names[name] if name else "" for name in node.input]
        for inner in _subgraphs(node):
            inner.name, inner.doc_string = self._unique(inner.name, f"{node.op_type}_graph"), ""
            del inner.value_info[:]
            _forget_symbols(inner)
            self.graph(inner, names)
        for name in node.output:
            if name and name not in names:
                names[name] = self._unique(name, node.op_type)
        node.output[:] = [names[name] if name else "" for name in node.output]
        node.name = next((name for name in node.output if name), node.op_type)
