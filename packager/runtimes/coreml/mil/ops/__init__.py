"""The MIL ops, one module per family. Importing this package registers all of them."""

from packager.runtimes.coreml.mil.ops import (
    activation,
    classify,
    conv,
    elementwise,
    image,
    indexing,
    linear,
    normalization,
    pool,
    quantized,
    recurrent,
    reduction,
    shape,
    tensor,
)

__all__ = [
    "activation",
    "classify",
    "conv",
    "elementwise",
    "image",
    "indexing",
    "linear",
    "normalization",
    "pool",
    "quantized",
    "recurrent",
    "reduction",
    "shape",
    "tensor",
]
