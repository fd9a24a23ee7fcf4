"""Opens SavedModels (worker side)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras  # noqa: F401 - old SavedModels need its classes to be registered

from packager.core.errors import ModelError
from packager.core.samples import read_sample, sample_paths, write_sample
from packager.importers.frozen import FrozenModel, checked, fixed_shape, freeze
from packager.model.tensors import TensorSpec
from packager.sources.savedmodel import choose, read, refuse
from packager.sources.savedmodel.graph import Signature


class _Opened:
    """A loaded SavedModel; it keeps the loaded object alive, whose variables the signature only borrows."""

    def __init__(self, path: Path) -> None:
        graph = read(path)
        name, self.signature = choose(graph, path.name)
        refuse(graph, self.signature, path.name)
        try:
            self._loaded = tf.saved_model.load(str(path))
            self._function = self._loaded.signatures[name]
        except Exception as fault:  # TensorFlow raises errors of many kinds here
            raise ModelError(
                f"TensorFlow cannot open {path.name}: {type(fault).__name__}: {fault}",
                hint="export it again with a newer TensorFlow",
            ) from fault

    def __call__(self, *tensors: Any) -> list[Any]:
        names = [tensor.spec.name for tensor in self.signature.inputs]
        results = self._function(**dict(zip(names, tensors, strict=True)))
        return [results[tensor.spec.name] for tensor in self.signature.outputs]


def _inputs(signature: Signature, shapes: Mapping[str, Sequence[int | None]]) -> list[TensorSpec]:
    specs = [tensor.spec for tensor in signature.inputs]
    return [TensorSpec(spec.name, spec.dtype, fixed_shape(spec.name, spec.shape, shapes)) for spec in specs]


def open_model(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path | None = None) -> FrozenModel:  # noqa: ARG001
    """Return the frozen function. `request`: {shapes: {input: [sizes]}}; `inputs`: `model`. Raises ModelError."""
    opened = _Opened(inputs["model"])
    specs = _inputs(opened.signature, request.get("shapes", {}))
    return freeze(opened, specs, [tensor.spec.name for tensor in opened.signature.outputs])


def run(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:
    """Run the source itself on the folder `feeds`; writes `out/<n>.npz` by source name. Raises ModelError."""
    opened = _Opened(inputs["model"])
    specs = _inputs(opened.signature, request.get("shapes", {}))
    names = [tensor.spec.name for tensor in opened.signature.outputs]
    for path in sample_paths(inputs["feeds"]):
        sample = read_sample(path)
        results = opened(*[tf.constant(checked(sample, spec)) for spec in specs])
        write_sample(out, int(path.stem), {name: r.numpy() for name, r in zip(names, results, strict=True)})
    return {"outputs": names}
