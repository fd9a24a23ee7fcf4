"""What a Keras network says of its preprocessing: layers right behind its input that resize, crop or scale."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from packager.model.recipes import Known
from packager.sources._keras.network import Layer, Network

_SCALE = ("Rescaling", "Normalization")
_PASSES = ("InputLayer", "RandomFlip", "RandomRotation", "RandomZoom", "RandomContrast", "RandomTranslation",
           "RandomCrop", "RandomBrightness", "GaussianNoise", "Dropout", "Activation")  # fmt: skip
_METHODS = ("bilinear", "nearest")
SMALL = 16.0
"""A network is fed numbers of at most about this size: what makes larger ones of 0 to 255 expects another range."""

Numbers = tuple[float, ...]


def known(network: Network) -> Known:
    """The layers that one picture goes through before any weights: what they do, the contract must not do again."""
    layers = list(_first(network))
    scales = [layer for layer in layers if layer.class_name in _SCALE]
    facts: dict[str, Any] = _range([_affine(layer) for layer in scales]) if scales else {}
    facts |= _geometry(next((layer for layer in layers if layer.class_name in ("Resizing", "CenterCrop")), None))
    named = [layer for layer in layers if layer.class_name in (*_SCALE, "Resizing", "CenterCrop")]
    origin = tuple(f"layer `{layer.name}`" for layer in named)
    return Known(scales_itself=tuple(layer.name for layer in scales), origin=origin, **facts)


def _first(network: Network) -> Iterator[Layer]:
    """The chain of preprocessing layers behind the only input, through nested models."""
    if len(network.inputs) != 1:
        return
    at = network.inputs[0].layer
    seen = {at}
    while True:
        following = [la for la in network.layers.values() if any(r.layer == at for call in la.calls for r in call)]
        if len(following) != 1 or following[0].name in seen:
            return
        layer = following[0]
        at = layer.name
        seen.add(at)
        if layer.network is not None:
            yield from _first(layer.network)
            if not _passes_whole(layer.network):
                return
        elif layer.class_name in (*_SCALE, "Resizing", "CenterCrop"):
            yield layer
        elif layer.class_name not in _PASSES:
            return


def _passes_whole(network: Network) -> bool:
    """Whether a nested model consists of preprocessing alone."""
    usual = (*_SCALE, *_PASSES, "Resizing", "CenterCrop")
    return all(layer.class_name in usual for _, layer in network.walk() if layer.network is None)


def _affine(layer: Layer) -> tuple[Numbers, Numbers] | None:
    """x * factor + offset per channel; None for a Normalization whose numbers stand in its weights."""
    config = layer.config
    if layer.class_name == "Rescaling":
        return _numbers(config.get("scale", 1.0)), _numbers(config.get("offset", 0.0))
    mean, variance = config.get("mean"), config.get("variance")
    if mean is None or variance is None:
        return None
    spreads = [max(v**0.5, 1e-7) for v in _numbers(variance)]
    means = _numbers(mean)
    if config.get("invert"):
        return tuple(spreads), means
    count = max(len(spreads), len(means))
    wide = (means * count)[:count], (spreads * count)[:count]
    return tuple(1 / s for s in wide[1]), tuple(-m / s for m, s in zip(*wide, strict=True))


def _numbers(value: Any) -> Numbers:
    if isinstance(value, list | tuple):
        return tuple(number for item in value for number in _numbers(item))
    return (float(value),)


def _range(steps: list[tuple[Numbers, Numbers] | None]) -> dict[str, Any]:
    """Whether the layers expect 0 to 255 or 0 to 1, from what they make of both; nothing where it is not sure."""
    first = steps[0]
    if first is None:
        return {}
    for top, std in ((255.0, 1.0), (1.0, 255.0)):
        low, high = first[1], tuple(f * top + o for f, o in _pairs(*first))
        spread = max(abs(b - a) for a, b in _pairs(low, high))
        if max(map(abs, (*low, *high))) <= SMALL and spread >= 0.5:
            return {"mean": (0.0,), "std": (std,)}
    return {}


def _pairs(a: Numbers, b: Numbers) -> list[tuple[float, float]]:
    count = max(len(a), len(b))
    return list(zip((a * count)[:count], (b * count)[:count], strict=True))


def _geometry(layer: Layer | None) -> dict[str, Any]:
    """The size that leaves nothing to do for a Resizing or CenterCrop, and how Resizing gets there."""
    if layer is None or not layer.config.get("height") or not layer.config.get("width"):
        return {}
    size = {"size": (int(layer.config["height"]), int(layer.config["width"]))}
    method = layer.config.get("interpolation")
    if layer.class_name == "CenterCrop" or method not in _METHODS or layer.config.get("pad_to_aspect_ratio"):
        return size
    fit = "crop" if layer.config.get("crop_to_aspect_ratio") else "stretch"
    more = {"like": "tensorflow", "method": method, "fit": fit}
    return size | (more if not layer.config.get("antialias") else {"fit": fit, "method": method})
