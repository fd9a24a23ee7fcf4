"""What a builder function knows about its node."""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np
import onnx
from onnx import AttributeProto, helper

from packager.importers.onnx.errors import NotConstantError, Unsupported, UnsupportedOpError
from packager.importers.onnx.values import Array, Value, to_last

if TYPE_CHECKING:
    from packager.importers.onnx.graph import GraphBuilder

T = TypeVar("T")


class Node:
    """A node with decoded attributes. `last` says that the operands at hand are channels-last."""

    def __init__(self, proto: onnx.NodeProto, opset: int, builder: GraphBuilder) -> None:
        self.proto = proto
        self.op_type = proto.op_type
        self.domain = proto.domain
        self.name = proto.name or next((name for name in proto.output if name), proto.op_type)
        self.opset = opset
        self.builder = builder
        self.last = False
        self.rank = 0
        self.scope: ChainMap[str, Any] = ChainMap()
        self.opsets: dict[str, int] = {}
        self._attributes = {entry.name: _decode(entry) for entry in proto.attribute}

    def attr(self, name: str, default: T) -> T:
        """Return the attribute, or `default` where it is not given."""
        found: T = self._attributes.get(name, default)
        return found

    def has(self, name: str) -> bool:
        """Return whether the attribute is given."""
        return name in self._attributes

    def wants(self, index: int) -> bool:
        """Return whether output number `index` is used."""
        return index < len(self.proto.output) and bool(self.proto.output[index])

    def refuse(self, reason: str) -> NoReturn:
        """Refuse the node by name."""
        raise UnsupportedOpError((Unsupported(self.name, self.op_type, self.domain, reason),))

    def constant(self, value: Any, index: int) -> Array:
        """Return input number `index` as an array; refuse the node where it is not constant."""
        if isinstance(value, np.ndarray):
            return value
        name = self.proto.input[index]
        entry = Unsupported(self.name, self.op_type, self.domain, f"its input {name} must be a constant")
        raise NotConstantError(entry, name)

    def ints(self, value: Any, index: int) -> list[int]:
        """Return input number `index` as integers; it must be constant."""
        return [int(item) for item in np.ravel(self.constant(value, index))]

    def sizes(self, value: Value, axes: range | list[int]) -> list[int]:
        """Return the sizes of `axes`; refuse the node where one of them is free."""
        found = [value.shape[axis] for axis in axes]
        if any(size is None for size in found):
            self.refuse("it needs fixed sizes: give the input's shape in the manifest (shapes)")
        return [int(size) for size in found if size is not None]

    def axis(self, axis: int) -> int:
        """Return where ONNX's `axis` stands in the operands at hand."""
        axis = axis % self.rank if self.rank else axis
        return to_last(self.rank).index(axis) if self.last else axis


def _decode(attribute: AttributeProto) -> Any:
    value = helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if attribute.type == AttributeProto.STRINGS:
        return [item.decode("utf-8", "replace") for item in value]
    if attribute.type in (AttributeProto.INTS, AttributeProto.FLOATS):
        return list(value)
    return value
