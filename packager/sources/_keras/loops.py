"""Recurrent layers of a network: how many steps they take, and which stay loops since those are too many. Light."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from packager.sources._keras.network import Layer, Network, Shape, is_recurrent
from packager.sources._keras.shapes import shape_finder

MOST_STEPS = 256


def recurrent_steps(network: Network, inputs: Sequence[Shape | None]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield (names from the outermost network inwards, steps) for each call of a recurrent layer.

    Calls whose number of steps the shapes do not tell are left out.
    """
    shape_of = shape_finder(network, inputs)
    for name, layer in network.layers.items():
        for call in layer.calls:
            fed = [shape_of(ref) for ref in call]
            if layer.network is not None:
                yield from (((name, *path), steps) for path, steps in recurrent_steps(layer.network, fed))
            elif is_recurrent(layer) and (steps := _steps(layer, fed)):
                yield (name,), steps


def _steps(layer: Layer, fed: Sequence[Shape | None]) -> int | None:
    shape = fed[0] if fed else None
    axis = 2 if layer.class_name == "TimeDistributed" else 1  # its own steps stand before those of what it wraps
    return shape[axis] if shape is not None and len(shape) > axis else None


def long_loop(network: Network, inputs: Sequence[Shape | None]) -> str | None:
    """Path of a recurrent layer with more than `MOST_STEPS` steps, as far as the shapes tell; None without one."""
    return next(("/".join(path) for path, steps in recurrent_steps(network, inputs) if steps > MOST_STEPS), None)
