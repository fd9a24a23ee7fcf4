"""ONNX model (opset 9 to the newest) -> frozen TensorFlow function.

`unsupported` and `tensor_names` are light; `to_tf` imports tensorflow when it is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from packager.importers.onnx.errors import Unsupported, UnsupportedOpError
from packager.importers.onnx.names import TensorNames, tensor_names
from packager.importers.onnx.preflight import unsupported

if TYPE_CHECKING:
    import onnx

__all__ = ["TensorNames", "Unsupported", "UnsupportedOpError", "tensor_names", "to_tf", "unsupported"]


def to_tf(model: onnx.ModelProto, shapes: Mapping[str, tuple[int | None, ...]] | None = None) -> Any:
    """Return a `ConcreteFunction` without variables that computes the model.

    Inputs and outputs keep the model's order, shapes (ONNX axis order) and dtypes; their tensors are named
    as `tensor_names(model)` says. `shapes` replaces declared input shapes; a dimension that stays None is
    free. Convolutions run channels-last inside.

    Raises UnsupportedOpError (a PlanError) for what is refused by name, ModelError for a broken model,
    ConvertError where TensorFlow itself refuses a node.
    """
    from packager.importers.onnx.build import build

    return build(model, shapes or {})
