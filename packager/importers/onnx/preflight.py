"""What the importer will refuse, found without tensorflow and without running anything."""

from __future__ import annotations

from collections.abc import Iterable

import onnx
from onnx import AttributeProto, NodeProto, TensorProto

from packager.core.errors import ModelError
from packager.importers.onnx.coverage import BUILT, EXPANDED, REFUSED
from packager.importers.onnx.errors import Unsupported
from packager.importers.onnx.names import graph_inputs

_STANDARD = ("", "ai.onnx")
_ALLOWED = ("ai.onnx.preview",)


def unsupported(model: onnx.ModelProto) -> list[Unsupported]:
    """Return the nodes and inputs that `to_tf` refuses whatever the shapes are.

    Looks into subgraphs and into the functions that the model defines. Raises ModelError where the model's
    opset is newer than this tool knows, or where the file holds no graph.
    """
    if not model.graph.output:
        raise ModelError(
            "the ONNX model has no outputs",
            expected="a graph with nodes and outputs",
            hint="the file is empty, truncated or encrypted: export the model again",
        )
    opsets = {"" if entry.domain in _STANDARD else entry.domain: entry.version for entry in model.opset_import}
    newest = onnx.defs.onnx_opset_version()
    if opsets.get("", 1) > newest:
        raise ModelError(
            f"the ONNX model uses opset {opsets['']}",
            expected=f"opset {newest} or older",
            hint="export it with an older opset",
        )
    local = {(function.domain, function.name) for function in model.functions}
    found = [entry for value in graph_inputs(model.graph) if (entry := _input(value))]
    found += _nodes(model.graph.node, opsets, local)
    for function in model.functions:
        inner = {**opsets, **{entry.domain: entry.version for entry in function.opset_import}}
        found += _nodes(function.node, inner, local)
    return found


def refusal(node: NodeProto, opset: int) -> str:
    """Return why a node is refused whatever its operands are; empty where it is not."""
    if node.domain not in _STANDARD and node.domain not in _ALLOWED:
        return f"the domain {node.domain} is not part of the ONNX standard's own ops"
    if node.op_type in REFUSED:
        return REFUSED[node.op_type]
    if node.op_type not in BUILT and node.op_type not in EXPANDED:
        return "the importer does not know it"
    given = {attribute.name: attribute for attribute in node.attribute}
    if opset < 7 and ("broadcast" in given or "consumed_inputs" in given):
        return f"its form of opset {opset} is older than the importer covers: convert the model to opset 9"
    if "sparse_value" in given or "value_string" in given or "value_strings" in given:
        return "its value is a string or a sparse tensor"
    return _modes(node, given)


def _modes(node: NodeProto, given: dict[str, AttributeProto]) -> str:
    if node.op_type == "BatchNormalization" and "training_mode" in given and given["training_mode"].i:
        return "training mode"
    if node.op_type == "Cast" and "to" in given and given["to"].i == TensorProto.STRING:
        return "tensors of type STRING are not covered"
    return ""


def _nodes(nodes: Iterable[NodeProto], opsets: dict[str, int], local: set[tuple[str, str]]) -> list[Unsupported]:
    found = []
    for node in nodes:
        if (node.domain, node.op_type) in local:
            continue
        reason = refusal(node, opsets.get("" if node.domain in _STANDARD else node.domain, 1))
        if reason:
            name = node.name or next((output for output in node.output if output), node.op_type)
            found.append(Unsupported(name, node.op_type, node.domain, reason))
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                found += _nodes(attribute.g.node, opsets, local)
    return found


def _input(value: onnx.ValueInfoProto) -> Unsupported | None:
    if value.type.WhichOneof("value") != "tensor_type":
        return Unsupported(value.name, "input", "", "its type is not a tensor")
    if value.type.tensor_type.elem_type == TensorProto.STRING:
        return Unsupported(value.name, "input", "", "tensors of type STRING are not covered")
    return None
