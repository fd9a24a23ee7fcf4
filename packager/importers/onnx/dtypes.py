"""Element types: ONNX to numpy and TensorFlow, and arithmetic on types that TensorFlow has no kernels for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from onnx import TensorProto, helper

from packager.importers.onnx.values import Tensor

if TYPE_CHECKING:
    from packager.importers.onnx.node import Node

_NARROW = (tf.int8, tf.uint8, tf.int16, tf.uint16)
_PLAIN = frozenset({
    TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.BOOL,
    TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64,
    TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64,
})  # fmt: skip


def type_name(elem_type: int) -> str:
    """Return the name that ONNX gives an element type."""
    known = elem_type in TensorProto.DataType.values()
    return str(TensorProto.DataType.Name(elem_type)) if known else f"element type {elem_type}"


def tf_dtype(node: Node, elem_type: int) -> Any:
    """Return the TensorFlow dtype of an ONNX element type; refuses the node for types not covered."""
    if elem_type not in _PLAIN:
        node.refuse(f"tensors of type {type_name(elem_type)} are not covered")
    return tf.as_dtype(helper.tensor_dtype_to_np_dtype(elem_type))


def plain(elem_type: int) -> bool:
    """Return whether tensors of this ONNX element type are covered."""
    return elem_type in _PLAIN


def onnx_type(dtype: Any) -> int:
    """Return the ONNX element type of a TensorFlow or numpy dtype."""
    return int(helper.np_dtype_to_tensor_dtype(np.dtype(tf.as_dtype(dtype).as_numpy_dtype)))


def wide(function: Callable[..., Tensor], *operands: Tensor) -> Tensor:
    """Compute on small integers in int32, on uint32 and uint64 in int64, and cast back (the result wraps)."""
    dtype = tf.as_dtype(operands[0].dtype)
    if dtype in _NARROW:
        inner = tf.int32
    elif dtype in (tf.uint32, tf.uint64):
        inner = tf.int64
    else:
        return function(*operands)
    return tf.cast(function(*(tf.cast(operand, inner) for operand in operands)), dtype)
