"""Recurrent layers of a network that stay loops, since they have too many steps to be unrolled. Light."""

from __future__ import annotations

from collections.abc import Sequence

from packager.sources._keras.network import Network, Shape, is_recurrent
from packager.sources._keras.shapes import shape_finder

MOST_STEPS = 256


def long_loop(network: Network, inputs: Sequence[Shape | None]) -> str | None:
    """Path of a recurrent layer with more than `MOST_STEPS` steps, as far as the shapes tell; None without one."""
    shape_of = shape_finder(network, inputs)
    for name, layer in network.layers.items():
        fed = [shape_of(ref) for ref in layer.call(0)]
        if layer.network is not None:
            inner = long_loop(layer.network, fed)
            if inner is not None:
                return f"{name}/{inner}"
        elif is_recurrent(layer) and fed and fed[0] is not None and len(fed[0]) > 1 and (fed[0][1] or 0) > MOST_STEPS:
            return name
    return None
