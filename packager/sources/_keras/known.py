"""What a Keras network says of its preprocessing: layers inside the model that scale or resize."""

from __future__ import annotations

from packager.model.recipes import Known
from packager.sources._keras.network import Network

_SCALE = ("Rescaling", "Normalization")


def known(network: Network) -> Known:
    """The layers that scale raw levels inside the model: what comes before them must not scale again."""
    layers = [layer for _, layer in network.walk()]
    scales = tuple(layer.name for layer in layers if layer.class_name in _SCALE)
    return Known(scales_itself=scales, origin=tuple(f"layer `{name}`" for name in scales))
