"""A Keras network as operations with sizes, for the estimate of peak memory."""

from __future__ import annotations

from collections.abc import Sequence

from packager.importers.liveness import Operation, elements, peak
from packager.sources._keras.network import Layer, Network, Ref, Shape, words
from packager.sources._keras.shapes import shape_finder

_IN_PLACE = words("""
    Activation ReLU LeakyReLU ELU PReLU Softmax ThresholdedReLU BatchNormalization Dropout SpatialDropout1D
    SpatialDropout2D GaussianNoise GaussianDropout ActivityRegularization Reshape Flatten Permute Identity Rescaling
    Normalization LayerNormalization Add Multiply Subtract Maximum Minimum Average Masking
""")

Parts = tuple[list[Operation], dict[str, int | None], list[str], list[str]]


def operations(network: Network, inputs: Sequence[Shape | None]) -> Parts:
    """Return operations, sizes of tensors, inputs and outputs, as `liveness.peak` takes them.

    Layers stand in the order of the file, which Keras writes in the order of computation.
    """
    shape_of = shape_finder(network, inputs)
    sizes: dict[str, int | None] = {_name(ref): elements(shape_of(ref)) for ref in network.inputs}
    found: list[Operation] = []
    for layer in network.layers.values():
        for node, fed in enumerate(layer.calls):
            if layer.class_name == "InputLayer" or not fed:
                continue
            outputs = [Ref(layer.name, node, tensor) for tensor in range(_count(layer))]
            sizes |= {_name(ref): elements(shape_of(ref)) for ref in outputs}
            inner = _inner(layer, [shape_of(ref) for ref in fed])
            names = [_name(ref) for ref in outputs]
            here = layer.class_name in _IN_PLACE
            found.append(Operation(layer.name, [_name(ref) for ref in fed], names, here, inner))
    return found, sizes, [_name(ref) for ref in network.inputs], [_name(ref) for ref in network.outputs]


def _name(ref: Ref) -> str:
    return f"{ref.layer}:{ref.node}:{ref.tensor}"


def _count(layer: Layer) -> int:
    return len(layer.network.outputs) if layer.network is not None else 1


def _inner(layer: Layer, shapes: Sequence[Shape | None]) -> int:
    """What a nested network keeps alive beside its own inputs."""
    if layer.network is None:
        return 0
    inside = peak(*operations(layer.network, shapes)).elements
    return max(inside - sum(elements(shape) or 0 for shape in shapes), 0)
