"""The interface of a Keras network: inputs, outputs, and the activation that ends each output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from packager.core.errors import ModelError
from packager.importers import liveness as live
from packager.importers.batch import refuse_fixed
from packager.model.source import ModelSource
from packager.model.tensors import Activation, TensorSpec
from packager.sources._keras.loops import long_loop
from packager.sources._keras.memory import operations
from packager.sources._keras.network import Network, Ref, Shape, input_shape
from packager.sources._keras.shapes import network_shapes

_PASSES = {"Reshape", "Flatten", "Dropout", "Identity", "Permute", "RepeatVector", "Squeeze", "ExpandDims"}
_LAYERS = {
    "Softmax": "softmax", "ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu", "PReLU": "prelu",
    "ThresholdedReLU": "thresholded_relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Relu": "relu",
}  # fmt: skip
_TF_FUNCTIONS = {
    "softmax": "softmax",
    "sigmoid": "sigmoid",
    "relu": "relu",
    "tanh": "tanh",
    "log_softmax": "log_softmax",
}


def describe(
    kind: str, sha256: str, network: Network, shapes: Mapping[str, tuple[int | None, ...]], facts: Mapping[str, Any]
) -> ModelSource:
    """Return what is known of a network. `shapes` replaces declared input shapes. Raises ModelError."""
    inputs = _inputs(network, shapes)
    made = network_shapes(network, [spec.shape if spec else None for spec in inputs])
    names = network.output_names
    dtype = "float32"
    outputs = tuple(TensorSpec(name, dtype, shape or ()) for name, shape in zip(names, made, strict=True))
    unknown = tuple(name for name, shape in zip(names, made, strict=True) if shape is None)
    activations = {
        name: found for name, ref in zip(names, network.outputs, strict=True) if (found := _ends(network, ref))
    }
    counted = Counter(layer.class_name for _, layer in network.walk() if layer.network is None)
    return ModelSource(
        format=kind,
        sha256=sha256,
        inputs=inputs,
        outputs=outputs,
        activations=activations,
        ops=dict(sorted(counted.items())),
        facts={
            **facts,
            "unknown_shapes": list(unknown),
            "loop": long_loop(network, [spec.shape for spec in inputs]),
            "dependent_ops": {layer.class_name: path for path, layer in network.walk() if layer.network is None},
            **live.facts(live.peak(*operations(network, [spec.shape for spec in inputs]))),
        },
        unseen=tuple(f"the shape of output {name!r}: seen when the model is opened" for name in unknown),
    )


def _inputs(network: Network, shapes: Mapping[str, tuple[int | None, ...]]) -> tuple[TensorSpec, ...]:
    strange = sorted(set(shapes) - set(network.input_names))
    if strange:
        raise ModelError(
            f"the model has no input {strange[0]!r}", expected=f"one of {', '.join(sorted(network.input_names))}"
        )
    return tuple(_input(network, ref, shapes) for ref in network.inputs)


def _input(network: Network, ref: Ref, shapes: Mapping[str, tuple[int | None, ...]]) -> TensorSpec:
    layer = network.layers[ref.layer]
    refuse_fixed("the file", ref.layer, input_shape(layer), shapes)
    shape: Shape | None = shapes.get(ref.layer) or input_shape(layer)
    if shape is None:
        raise ModelError(
            f"the file does not say the shape of input {ref.layer!r}",
            expected="a model that was built before it was saved",
            hint=f"give it in the manifest: model: {{shapes: {{{ref.layer}: [...]}}}}",
        )
    dtype = layer.config.get("dtype") or "float32"
    if isinstance(dtype, Mapping):
        dtype = dtype.get("config", {}).get("name", "float32")
    return TensorSpec(ref.layer, str(dtype), shape)


def _ends(network: Network, ref: Ref) -> Activation | None:
    """Walk back from an output over layers that only move values to the one that ends the computation."""
    layer = network.layers[ref.layer]
    for _ in range(len(network.layers)):
        if layer.network is not None:
            return _ends(layer.network, layer.network.outputs[min(ref.tensor, len(layer.network.outputs) - 1)])
        if layer.class_name not in _PASSES:
            break
        (ref, *_others) = layer.call(ref.node) or (ref,)
        layer = network.layers[ref.layer]
    kind = _activation(layer.class_name, layer.config)
    return Activation(kind, layer.name) if kind else None


def _activation(class_name: str, config: Mapping[str, Any]) -> str | None:
    if class_name in _LAYERS:
        return _LAYERS[class_name]
    if class_name == "TimeDistributed":
        inner = config["layer"]
        return _activation(inner["class_name"], inner["config"])
    if class_name == "TFOpLambda":
        return _TF_FUNCTIONS.get(str(config.get("function", "")).rpartition(".")[2])
    if class_name not in ("Activation", "Dense", "EinsumDense") and "Conv" not in class_name:
        return None
    value = config.get("activation")
    if isinstance(value, Mapping):
        value = value.get("config") if value.get("class_name") == "function" else value.get("class_name")
    name = str(value).lower() if value else "linear"
    return None if name == "linear" else name
