"""What the checked chains say about the model's tensors, for the metadata of the artefacts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from packager.model.contract import Chain, ImageType, TensorType
from packager.model.description import Description, InputDescription, Layout, OutputDescription, PixelInput
from packager.model.manifest import Manifest
from packager.plan.chains import contract_hash
from packager.registry import Catalog


def describe(manifest: Manifest, inputs: Sequence[Chain], outputs: Sequence[Chain], catalog: Catalog) -> Description:
    """The description of a contract; what cannot be expressed carries its reason."""
    return Description(
        name=manifest.name,
        version=manifest.version,
        license=manifest.model.license or manifest.license,
        contract=contract_hash(tuple(inputs), tuple(outputs)),
        inputs=tuple(_input(chain, catalog) for chain in inputs),
        outputs=tuple(_output(chain, catalog) for chain in outputs),
    )


def _about(chain: Chain) -> str:
    words = [str(chain.types[0])]
    for use, value in zip(chain.steps, chain.types[1:], strict=True):
        words += [use.step, str(value)]
    return " -> ".join(words)


def _input(chain: Chain, catalog: Catalog) -> InputDescription:
    found = _pixels(chain, catalog)
    pixels, why_not = (found, "") if isinstance(found, PixelInput) else (None, found)
    return InputDescription(chain.name, chain.tensor, _about(chain), pixels, why_not)


def _pixels(chain: Chain, catalog: Catalog) -> PixelInput | str:
    """The image that the last steps take pixel by pixel, or why there is none; no word where no image is meant."""
    images = [i for i, value in enumerate(chain.types) if isinstance(value, ImageType)]
    if not images:
        return ""
    last = images[-1]
    image, tail = chain.types[last], chain.steps[last:]
    assert isinstance(image, ImageType)
    if image.width is None or image.height is None or image.channels not in (1, 3):
        return f"its image has no fixed size or another colour form: {image}"
    if not tail or not hasattr(catalog.steps[tail[0].step], "per_channel"):
        return (
            f"step `{tail[0].step}` is not (value - mean) / std per channel" if tail else "no step makes a tensor of it"
        )
    layout: Layout = "nhwc"
    for use in tail[1:]:
        if getattr(catalog.steps[use.step], "AXES", None) != (0, 3, 1, 2):
            return f"step `{use.step}` follows the normalisation"
        layout = "nchw"
    module: Any = catalog.steps[tail[0].step]
    bound = tail[0].bound
    mean, std = module.per_channel(bound, image.channels)
    exact = _exact(module, bound, mean, std)
    return PixelInput(image.width, image.height, image.color, mean, std, layout, exact)


def _exact(module: Any, bound: Any, mean: tuple[float, ...], std: tuple[float, ...]) -> bool:
    values = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), len(mean), axis=2)
    wanted = module.apply(bound, values)
    single = (values.astype(np.float32) - np.array(mean, np.float32)) / np.array(std, np.float32)
    return bool(np.array_equal(wanted.reshape(single.shape), single))


def _output(chain: Chain, catalog: Catalog) -> OutputDescription:
    labels: tuple[str, ...] = ()
    direct = plain = False
    for use, value in zip(chain.steps, chain.types, strict=False):
        class_names = getattr(catalog.steps[use.step], "class_names", None)
        if class_names is None:
            continue
        labels = tuple(class_names(use.bound))
        start, plain = chain.types[0], use is chain.steps[0]
        direct = isinstance(start, TensorType) and isinstance(value, TensorType) and start.shape == value.shape
        direct = direct and isinstance(start, TensorType) and bool(start.shape) and start.shape[-1] == len(labels)
    return OutputDescription(chain.name, chain.made, _about(chain), labels, direct, direct and plain)
