"""A Keras configuration as a network of layers: read from JSON alone, no layer is built, no code is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from packager.core.errors import ModelError

Shape = tuple[int | None, ...]
_NETWORKS = {"Functional", "Model", "Sequential"}


def words(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


@dataclass(frozen=True)
class Ref:
    """Output `tensor` of call `node` of a layer."""

    layer: str
    node: int = 0
    tensor: int = 0


@dataclass(frozen=True)
class Layer:
    """One layer: `calls` holds what each call takes; `network` is set for a nested model."""

    class_name: str
    name: str
    config: Mapping[str, Any]
    entry: Mapping[str, Any]
    calls: tuple[tuple[Ref, ...], ...]
    network: Network | None = None

    def call(self, node: int) -> tuple[Ref, ...]:
        """What call `node` takes. Nested models count their own building as a call; it is not listed."""
        return self.calls[min(node, len(self.calls) - 1)] if self.calls else ()


@dataclass(frozen=True)
class Network:
    """Layers by name, inputs and outputs in the order of the opened model.

    `declared` holds shapes that the file itself states for tensors inside.
    """

    name: str
    layers: Mapping[str, Layer]
    inputs: tuple[Ref, ...]
    outputs: tuple[Ref, ...]
    input_shape: Shape | None = None
    declared: Mapping[Ref, Shape] = field(default_factory=dict)

    def walk(self) -> Iterator[tuple[str, Layer]]:
        """Yield (path, layer) of every layer, nested ones included."""
        for name, layer in self.layers.items():
            yield name, layer
            if layer.network is not None:
                yield from ((f"{name}/{path}", inner) for path, inner in layer.network.walk())

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs as Keras gives them."""
        return tuple(ref.layer for ref in self.inputs)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs: their layers', with a number where a layer gives several."""
        names: list[str] = []
        counts: dict[str, int] = {}
        for ref in self.outputs:
            name = ref.layer
            while name in names:
                counts[ref.layer] = counts.get(ref.layer, 0) + 1
                name = f"{ref.layer}_{counts[ref.layer]}"
            names.append(name)
        return tuple(names)


def read_network(entry: Any, where: str = "the model") -> Network:
    """Return the network of a `{class_name, config}` entry. Raises ModelError for what is no such thing."""
    try:
        if entry["class_name"] == "Sequential":
            return _sequential(entry["config"])
        return _functional(entry["config"])
    except (KeyError, TypeError, IndexError, AttributeError, ValueError, RecursionError) as fault:
        raise ModelError(
            f"the configuration of {where} cannot be read ({type(fault).__name__}: {fault})",
            expected="a Sequential or Functional model",
            hint="save the model again with the Keras version that made it",
        ) from fault


def is_recurrent(layer: Layer) -> bool:
    """Whether a layer, or the one that it wraps, goes over steps."""
    inner = layer.config.get("layer")
    name = inner.get("class_name") if isinstance(inner, Mapping) else layer.class_name
    return name in ("LSTM", "GRU", "SimpleRNN", "RNN", "CuDNNLSTM", "CuDNNGRU")


def is_network(entry: Mapping[str, Any]) -> bool:
    """Whether a layer's entry is a model of its own."""
    config = entry.get("config")
    known = entry.get("class_name") in _NETWORKS
    return known and (isinstance(config, list) or (isinstance(config, Mapping) and "layers" in config))


def flatten(value: Any) -> list[Any]:
    """Return the leaves of nested lists and mappings; mappings by sorted key, as Keras flattens them."""
    if isinstance(value, Mapping):
        return [leaf for key in sorted(value) for leaf in flatten(value[key])]
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in flatten(item)]
    return [value]


def _name(entry: Mapping[str, Any]) -> str:
    config = entry["config"]
    return str(entry.get("name") or (config["name"] if isinstance(config, Mapping) else "sequential"))


def _layer(entry: Mapping[str, Any], calls: tuple[tuple[Ref, ...], ...]) -> Layer:
    name = _name(entry)
    nested = read_network(entry, f"layer {name!r}") if is_network(entry) else None
    config = entry["config"] if isinstance(entry["config"], Mapping) else {}
    return Layer(str(entry["class_name"]), name, config, entry, calls, nested)


def _sequential(config: Any) -> Network:
    entries = config if isinstance(config, list) else config["layers"]
    if not entries:
        raise ValueError("no layers")
    name = "sequential" if isinstance(config, list) else str(config.get("name", "sequential"))
    built = None if isinstance(config, list) else config.get("build_input_shape")
    layers: dict[str, Layer] = {}
    previous: Ref | None = None
    for entry in entries:
        if previous is None and entry["class_name"] != "InputLayer":
            first = _implicit_input(entry, built)
            layers[first.name] = first
            previous = Ref(first.name)
        layer = _layer(entry, ((previous,),) if previous else ())
        layers[layer.name] = layer
        previous = Ref(layer.name)
    start = Ref(next(iter(layers)))
    return Network(name, layers, (start,), (previous or start,))


def _implicit_input(entry: Mapping[str, Any], built: Any) -> Layer:
    """The input that a Sequential makes for its first layer, named as Keras 2 names it."""
    shape = built
    if is_network(entry):
        nested = read_network(entry)
        first = nested.layers[nested.inputs[0].layer]
        shape = input_shape(first) if input_shape(first) is not None else built
    elif isinstance(entry["config"], Mapping):
        shape = entry["config"].get("batch_input_shape") or entry["config"].get("batch_shape") or built
    dtype = entry["config"].get("dtype", "float32") if isinstance(entry["config"], Mapping) else "float32"
    config = {"name": f"{_name(entry)}_input", "batch_input_shape": shape, "dtype": dtype}
    return Layer("InputLayer", config["name"], config, {}, ())


def input_shape(layer: Layer) -> Shape | None:
    """Return the shape that an InputLayer declares, batch included; None where it does not."""
    shape = layer.config.get("batch_input_shape") or layer.config.get("batch_shape")
    return None if shape is None else tuple(None if size is None else int(size) for size in shape)


def _functional(config: Mapping[str, Any]) -> Network:
    entries = config["layers"]
    known = {_name(entry) for entry in entries}
    declared: dict[Ref, Shape] = {}
    layers: dict[str, Layer] = {}
    for entry in entries:
        calls = tuple(tuple(_refs(node, known, declared)) for node in entry.get("inbound_nodes", ()))
        layers[_name(entry)] = _layer(entry, calls)
    inputs = tuple(_refs(config["input_layers"], known, declared))
    outputs = tuple(_refs(config["output_layers"], known, declared))
    if not inputs or not outputs:
        raise ValueError("no inputs or no outputs")
    return Network(str(config.get("name", "model")), layers, inputs, outputs, declared=declared)


def _refs(value: Any, known: set[str], declared: dict[Ref, Shape]) -> list[Ref]:
    """Collect the references to tensors in a call's arguments, in Keras' order."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            ref = _ref(value["config"]["keras_history"])
            if value["config"].get("shape") is not None:
                declared[ref] = tuple(value["config"]["shape"])
            return [ref]
        keys = list(value) if set(value) == {"args", "kwargs"} else sorted(value)
        return [ref for key in keys for ref in _refs(value[key], known, declared)]
    if isinstance(value, list | tuple):
        if _is_ref(value, known):
            return [_ref(value), *_refs(list(value[3:]), known, declared)]
        return [ref for item in value for ref in _refs(item, known, declared)]
    return []


def _is_ref(value: Sequence[Any], known: set[str]) -> bool:
    if len(value) < 3 or not isinstance(value[0], str) or value[0] not in known:
        return False
    return all(isinstance(index, int) and not isinstance(index, bool) for index in value[1:3])


def _ref(value: Sequence[Any]) -> Ref:
    return Ref(str(value[0]), int(value[1]), int(value[2]))
