"""An opened Keras model (either Keras) -> frozen function; running it as it is (worker side)."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from packager.core.errors import ModelError
from packager.core.samples import read_sample, sample_paths, write_sample
from packager.importers.frozen import FrozenModel, checked, fixed_shape, freeze
from packager.model.tensors import TensorSpec
from packager.sources._keras.loops import MOST_STEPS, recurrent_steps
from packager.sources._keras.network import Network


def open_keras(path: Path, version: str, suffix: str) -> Any:
    """Return the model, opened by the Keras that wrote it: Keras 3 for version 3, tf-keras for older ones.

    Keras goes by a file's `suffix`, which a file in a cache may lack. Custom and Lambda layers must have been
    refused before. Raises ModelError.
    """
    if version.startswith("3"):
        import keras as library
    else:
        import tf_keras as library
    try:
        with tempfile.TemporaryDirectory() as folder:
            named = Path(folder) / f"model{suffix}"
            named.symlink_to(path.resolve())
            return library.models.load_model(named, compile=False)
    except Exception as fault:  # a layer's constructor raises whatever it likes
        raise ModelError(
            f"{library.__name__} cannot open {path.name}: {type(fault).__name__}: {fault}",
            hint=f"open it with Keras {version or 'of the version that wrote it'} and export a SavedModel",
        ) from fault


def _specs(model: Any, network: Network) -> list[TensorSpec]:
    tensors = tf.nest.flatten(model.inputs)
    return [
        TensorSpec(name, tf.as_dtype(tensor.dtype).as_numpy_dtype.__name__, tuple(tensor.shape))
        for name, tensor in zip(network.input_names, tensors, strict=True)
    ]


def _call(model: Any, tensors: Sequence[Any]) -> list[Any]:
    """Outputs in the model's order for inputs in the model's order."""
    given = getattr(model, "input", None)  # a Sequential of Keras 3 may have none
    packed = tf.nest.pack_sequence_as(given, list(tensors)) if isinstance(given, dict) else list(tensors)
    if isinstance(packed, list) and len(packed) == 1:
        packed = packed[0]
    return list(tf.nest.flatten(model(packed, training=False)))


def _steps(model: Any, network: Network, inputs: Sequence[TensorSpec]) -> dict[int, int]:
    """Most steps of each recurrent layer, by the identity of its object: those that the plan goes by."""
    found: dict[int, int] = {}
    for path, steps in recurrent_steps(network, [spec.shape for spec in inputs]):
        layer = model
        for name in path:
            layer = layer.get_layer(name)
        found.update({id(part): max(steps, found.get(id(part), 0)) for part in layer._flatten_layers()})
    return found


def _unroll(model: Any, known: Mapping[int, int], longest: int) -> None:
    """Unroll recurrent layers of at most `MOST_STEPS` steps.

    Loops are what converters do worst: TFLite's calibrator crashes on them, and Core ML packages with loops
    cannot be evaluated here. `known` holds their steps by the identity of the layer; for others the model's own
    shapes are asked, and `longest` stands for a length that it leaves free.
    """
    for layer in model._flatten_layers():
        inner = [layer, getattr(layer, "forward_layer", None), getattr(layer, "backward_layer", None)]
        recurrent = [part for part in inner if hasattr(part, "unroll")]
        if not recurrent:
            continue
        if known.get(id(layer), _own_steps(layer) or longest) <= MOST_STEPS:
            for part in recurrent:
                part.unroll = True
                part._could_use_gpu_kernel = False
                _silence_backwards(part)


def _own_steps(layer: Any) -> int | None:
    try:
        size: int | None = tuple(layer.input.shape)[1]
    except (AttributeError, IndexError, ValueError):  # a layer inside a wrapper has no input of its own
        return None
    return size


def _silence_backwards(layer: Any) -> None:
    """Let masked steps of an unrolled layer that goes backwards give zeros where its loop does.

    Keras lays the mask over the reversed outputs as it stands, which only its loop makes up for.
    """
    if not (layer.go_backwards and layer.return_sequences and getattr(layer, "zero_output_for_mask", False)):
        return
    layer.zero_output_for_mask = False
    plain = layer.call

    def call(sequences: Any, *args: Any, mask: Any = None, **kwargs: Any) -> Any:
        made = plain(sequences, *args, mask=mask, **kwargs)
        if mask is None:
            return made
        several = isinstance(made, list | tuple)
        outputs = made[0] if several else made
        silent = tf.where(tf.reverse(mask, [1])[..., None], outputs, tf.zeros_like(outputs))
        return type(made)([silent, *made[1:]]) if several else silent

    layer.call = call


def freeze_keras(model: Any, network: Network, shapes: Mapping[str, Sequence[int | None]]) -> FrozenModel:
    """Return the frozen function of an opened model. Raises ModelError where a shape stays open."""
    declared = _specs(model, network)
    inputs = [TensorSpec(spec.name, spec.dtype, fixed_shape(spec.name, spec.shape, shapes)) for spec in declared]
    longest = max((spec.shape[1] or 0 for spec in inputs if len(spec.shape) > 1), default=0)
    _unroll(model, _steps(model, network, inputs), longest)
    return freeze(lambda *tensors: _call(model, tensors), inputs, network.output_names)


def run_keras(model: Any, network: Network, feeds: Path, out: Path) -> dict[str, Any]:
    """Run an opened model on a folder of samples; writes `out/<n>.npz` by source name."""
    inputs = _specs(model, network)
    for path in sample_paths(feeds):
        sample = read_sample(path)
        results = _call(model, [tf.constant(checked(sample, spec)) for spec in inputs])
        arrays = {name: result.numpy() for name, result in zip(network.output_names, results, strict=True)}
        write_sample(out, int(path.stem), arrays)
    return {"outputs": list(network.output_names)}
