"""Rewrites node patterns that the targets have one op for: Gelu spelt with Erf."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from onnx import AttributeProto, NodeProto, helper, numpy_helper

Lookup = Callable[[str], object]


class _Graph:
    """Who makes and who uses each value; `scalar` gives constants of one element."""

    def __init__(self, nodes: Sequence[NodeProto], outputs: Iterable[str], lookup: Lookup) -> None:
        self.makers = {output: node for node in nodes for output in node.output}
        self.users: dict[str, list[NodeProto | None]] = {name: [None] for name in outputs}
        for node in nodes:
            for name in _reads(node):
                self.users.setdefault(name, []).append(node)
        self._lookup = lookup

    def scalar(self, name: str) -> float | None:
        """Return the constant's value, or None."""
        maker = self.makers.get(name)
        value = self._lookup(name)
        if maker is not None and maker.op_type == "Constant" and maker.attribute[0].name == "value":
            value = numpy_helper.to_array(maker.attribute[0].t)
        if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind == "f":
            return float(value.ravel()[0])
        return None

    def only_user(self, name: str) -> NodeProto | None:
        """Return the one node that reads the value, or None."""
        users = self.users.get(name, [])
        return users[0] if len(users) == 1 else None

    def split(self, node: NodeProto, expected: float) -> str | None:
        """Return the operand beside a constant of the expected value, or None."""
        for other, constant in (node.input[:2], node.input[1::-1]):
            value = self.scalar(constant)
            if value is not None and abs(value - expected) < 1e-3 * abs(expected):
                return str(other)
        return None


def fuse(nodes: Iterable[NodeProto], outputs: Iterable[str], lookup: Lookup) -> list[NodeProto]:
    """Return the nodes in the same order, each Gelu spelt with Erf as one Gelu node.

    TensorFlow Lite has an op for Gelu, but none for Erf. `lookup` gives the values known so far.
    """
    listed = list(nodes)
    if not any(node.op_type == "Erf" for node in listed):
        return listed
    graph = _Graph(listed, outputs, lookup)
    gone: set[int] = set()
    new: dict[int, NodeProto] = {}
    for node in listed:
        found = _gelu(graph, node) if node.op_type == "Erf" else None
        if found is not None:
            x, parts = found
            gone.update(id(part) for part in parts)
            new[id(parts[-1])] = helper.make_node("Gelu", [x], [parts[-1].output[0]], name=parts[-1].name)
    return [new.get(id(node), node) for node in listed if id(node) not in gone or id(node) in new]


def _gelu(graph: _Graph, erf: NodeProto) -> tuple[str, list[NodeProto]] | None:
    """Match x * 0.5 * (1 + erf(x / sqrt(2))) in any order; returns x and the nodes, the last one last."""
    inner = graph.makers.get(erf.input[0])
    plus = graph.only_user(erf.output[0])
    if inner is None or plus is None or plus.op_type != "Add" or graph.split(plus, 1.0) is None:
        return None
    divides = inner.op_type == "Div" and inner.input[1:] and _close(graph.scalar(inner.input[1]), 2**0.5)
    x = inner.input[0] if divides else graph.split(inner, 0.5**0.5) if inner.op_type == "Mul" else None
    if x is None:
        return None
    parts = [erf, plus]
    if graph.only_user(inner.output[0]) is not None:
        parts.insert(0, inner)
    wanted = {"x", "half"}
    while wanted:
        user = graph.only_user(parts[-1].output[0])
        if user is None or user.op_type != "Mul":
            return None
        other = user.input[1] if user.input[0] == parts[-1].output[0] else user.input[0]
        found = _factors(graph, other, x, parts)
        if not found or not found <= wanted:
            return None
        wanted -= found
        parts.append(user)
    return x, parts


def _factors(graph: _Graph, name: str, x: str, parts: list[NodeProto]) -> set[str]:
    """Return which factors of Gelu a value is; a product x * 0.5 used once is added to the parts."""
    if name == x:
        return {"x"}
    if _close(graph.scalar(name), 0.5):
        return {"half"}
    maker = graph.makers.get(name)
    if maker is None or maker.op_type != "Mul" or graph.only_user(name) is None:
        return set()
    if graph.split(maker, 0.5) != x:
        return set()
    parts.insert(0, maker)
    return {"x", "half"}


def _close(value: float | None, expected: float) -> bool:
    return value is not None and abs(value - expected) < 1e-3 * expected


def _reads(node: NodeProto) -> set[str]:
    names = set(node.input)
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            for inner in attribute.g.node:
                names |= _reads(inner)
            names |= {output.name for output in attribute.g.output}
    return names
