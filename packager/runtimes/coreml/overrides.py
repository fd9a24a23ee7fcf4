"""Corrections of coremltools' TensorFlow front end. Importing this module registers them."""

from __future__ import annotations

from typing import Any

from coremltools.converters.mil import Builder as mb  # noqa: N813 - coremltools' own name for it
from coremltools.converters.mil.frontend.tensorflow.tf_op_registry import register_tf_op


@register_tf_op(override=True, tf_alias=["Inv"])  # type: ignore[untyped-decorator]
def Reciprocal(context: Any, node: Any) -> None:  # noqa: N802 - the name is TensorFlow's
    """1 / x. The front end takes Core ML's `inverse`, which computes 1 / (x + 0.0001)."""
    context.add(node.name, mb.real_div(x=1.0, y=context[node.inputs[0]], name=node.name))


@register_tf_op  # type: ignore[untyped-decorator]
def Erfc(context: Any, node: Any) -> None:  # noqa: N802 - the name is TensorFlow's
    """1 - erf(x), which the front end lacks; TensorFlow's exact gelu is made of it."""
    context.add(node.name, mb.sub(x=1.0, y=mb.erf(x=context[node.inputs[0]]), name=node.name))
