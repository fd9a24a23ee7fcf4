"""Control flow that is known while the function is built: the branch of If, unrolled Loop and Scan."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from packager.importers.onnx.node import Node
from packager.importers.onnx.registry import Layout, op
from packager.importers.onnx.values import Operand, Value

MAX_ITERATIONS = 256


@op("If", layout=Layout.AWARE, fold=False)
def if_(node: Node, condition: Operand) -> tuple[Operand, ...]:
    """The branch that a constant condition chooses."""
    chosen = bool(node.constant(condition, 0).reshape(()))
    return tuple(node.builder.subgraph(node, "then_branch" if chosen else "else_branch", []))


@op("Loop", layout=Layout.AWARE, fold=False)
def loop(node: Node, count: Operand, condition: Operand, *carried: Operand) -> tuple[Operand, ...]:
    """The body again and again; how often must be known while the function is built."""
    limit = MAX_ITERATIONS + 1 if count is None else node.ints(count, 0)[0]
    alive: Any = True if condition is None else node.constant(condition, 1).reshape(())
    states, rows = list(carried), []
    number = 0
    while number < limit and bool(alive):
        if number >= MAX_ITERATIONS:
            node.refuse(f"more than {MAX_ITERATIONS} iterations")
        given = [np.array(number, np.int64), np.array(True), *states]
        going, *results = node.builder.subgraph(node, "body", given)
        if not isinstance(going, np.ndarray):
            node.refuse("a condition that is computed when the model runs")
        alive = going.reshape(())
        states, row = results[: len(states)], results[len(states) :]
        rows.append(row)
        number += 1
    if not rows and len(node.proto.output) > len(states):
        node.refuse("scan outputs of a loop that never runs")
    return *states, *(_stack(list(column), 0) for column in zip(*rows, strict=True))


@op("Scan", layout=Layout.AWARE, fold=False)
def scan(node: Node, *operands: Operand) -> tuple[Operand, ...]:
    """The body for each slice of the scanned inputs, whose length must be fixed."""
    scanned = node.attr("num_scan_inputs", 1)
    if node.opset < 9:
        node.refuse("Scan of opset 8")
    split = len(operands) - scanned
    states, inputs = list(operands[:split]), [_first(operand) for operand in operands[split:]]
    axes = node.attr("scan_input_axes", [0] * scanned)
    backwards = node.attr("scan_input_directions", [0] * scanned)
    steps = inputs[0].shape[axes[0]]
    if steps is None or int(steps) > MAX_ITERATIONS:
        node.refuse(f"a length that is free or more than {MAX_ITERATIONS}")
    rows = []
    for number in range(int(steps)):
        given = [
            _element(x, int(steps) - 1 - number if back else number, axis)
            for x, axis, back in zip(inputs, axes, backwards, strict=True)
        ]
        results = node.builder.subgraph(node, "body", [*states, *given])
        states, row = results[:split], results[split:]
        rows.append(row)
    return *states, *_scan_outputs(node, rows)


def _scan_outputs(node: Node, rows: list[list[Operand]]) -> list[Operand]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    axes = node.attr("scan_output_axes", [0] * len(columns))
    backwards = node.attr("scan_output_directions", [0] * len(columns))
    return [
        _stack(column[::-1] if back else column, axis)
        for column, axis, back in zip(columns, axes, backwards, strict=True)
    ]


def _first(operand: Operand) -> Any:
    return operand.first() if isinstance(operand, Value) else operand


def _element(x: Any, number: int, axis: int) -> Operand:
    part = x[(slice(None),) * (axis % len(x.shape)) + (number,)]
    return np.asarray(part) if isinstance(x, np.ndarray) else Value(first=part)


def _stack(parts: list[Operand], axis: int) -> Operand:
    tensors = [_first(part) for part in parts]
    if all(isinstance(tensor, np.ndarray) for tensor in tensors):
        return np.stack(tensors, axis)
    return Value(first=tf.stack(tensors, axis))
