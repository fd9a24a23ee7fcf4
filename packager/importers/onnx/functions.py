"""Ops that are functions: bodies written in the model, or by the ONNX standard itself."""

from __future__ import annotations

from typing import Any

import onnx
from onnx import FunctionProto, NodeProto

Body = tuple[list[NodeProto], FunctionProto]


def local_functions(model: onnx.ModelProto) -> dict[tuple[str, str], FunctionProto]:
    """Return the functions that the model defines, by domain and name."""
    return {(function.domain, function.name): function for function in model.functions}


def standard_body(node: NodeProto, opset: int, types: list[onnx.TypeProto]) -> FunctionProto | None:
    """Return the body that the standard gives an op at this opset, or None."""
    try:
        schema: Any = onnx.defs.get_schema(node.op_type, opset, node.domain)
    except onnx.defs.SchemaError:
        return None
    body = FunctionProto()
    versions = [v for v in schema.function_opset_versions if v <= opset]
    dependent = [v for v in schema.context_dependent_function_opset_versions if v <= opset]
    if versions or schema.function_opset_versions:
        body.ParseFromString(schema.get_function_with_opset_version(max(versions or schema.function_opset_versions)))
    elif dependent or schema.context_dependent_function_opset_versions:
        version = max(dependent or schema.context_dependent_function_opset_versions)
        encoded = [entry.SerializeToString() for entry in types]
        body.ParseFromString(
            schema.get_context_dependent_function_with_opset_version(version, node.SerializeToString(), encoded)
        )
    else:
        return None
    for name, attribute in schema.attributes.items():
        if attribute.default_value.name and name not in {a.name for a in body.attribute_proto}:
            body.attribute_proto.append(attribute.default_value)
    return body


def instantiate(function: FunctionProto, call: NodeProto) -> list[NodeProto]:
    """Return the body's nodes with the attribute references replaced by the call's attributes."""
    given = {attribute.name: attribute for attribute in function.attribute_proto}
    given.update({attribute.name: attribute for attribute in call.attribute})
    return [_bound(node, given) for node in function.node]


def _bound(node: NodeProto, given: dict[str, onnx.AttributeProto]) -> NodeProto:
    result = NodeProto()
    result.CopyFrom(node)
    del result.attribute[:]
    for attribute in node.attribute:
        if attribute.ref_attr_name:
            if attribute.ref_attr_name in given:
                entry = result.attribute.add()
                entry.CopyFrom(given[attribute.ref_attr_name])
                entry.name = attribute.name
            continue
        entry = result.attribute.add()
        entry.CopyFrom(attribute)
        if attribute.type == onnx.AttributeProto.GRAPH:
            bound = [_bound(inner, given) for inner in attribute.g.node]
            del entry.g.node[:]
            entry.g.node.extend(bound)
    return result
