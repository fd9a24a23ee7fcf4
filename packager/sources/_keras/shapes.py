"""Output shapes of Keras layers from their configuration alone. Shapes include the batch; None is a free size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from packager.sources._keras.network import Layer, Network, Ref, Shape, input_shape, words

Shapes = list[Shape | None]
Rule = Callable[[Mapping[str, Any], Sequence[Shape]], Shape]

_SAME = words("""
Activation ActivityRegularization AlphaDropout BatchNormalization Dropout ELU GaussianDropout GaussianNoise
GroupNormalization Identity LayerNormalization LeakyReLU Masking Normalization PReLU RMSNormalization
RandomBrightness RandomContrast RandomFlip RandomRotation RandomTranslation RandomZoom ReLU Rescaling Softmax
SpatialDropout1D SpatialDropout2D SpatialDropout3D ThresholdedReLU UnitNormalization Discretization
""")
_MERGE = words("Add Average Maximum Minimum Multiply Subtract Divide TrueDivide Power")
_UNARY_OPS = words("""
Relu Relu6 Sigmoid Tanh Exp Sqrt Square Abs Absolute Negative Log Silu Gelu Softplus Erf Clip Sin Cos Rsqrt
HardSigmoid HardSilu LeakyRelu Elu Selu
""")


def _ints(value: Any, rank: int) -> list[int]:
    values = value if isinstance(value, list | tuple) else [value] * rank
    return [int(item) for item in values]


def _first(config: Mapping[str, Any]) -> bool:
    return config.get("data_format") == "channels_first"


def _spatial(config: Mapping[str, Any], shape: Shape) -> tuple[Shape, int | None]:
    return (shape[2:], shape[1]) if _first(config) else (shape[1:-1], shape[-1])


def _joined(config: Mapping[str, Any], batch: int | None, spatial: Sequence[int | None], channels: int | None) -> Shape:
    return (batch, channels, *spatial) if _first(config) else (batch, *spatial, channels)


def _window(config: Mapping[str, Any], spatial: Shape, sizes: list[int], default_stride: list[int]) -> list[int | None]:
    rank = len(spatial)
    strides = _ints(config.get("strides") or default_stride, rank)
    dilation = _ints(config.get("dilation_rate", 1), rank)
    padding = config.get("padding", "valid")
    out: list[int | None] = []
    for size, kernel, stride, step in zip(spatial, sizes, strides, dilation, strict=True):
        covered = (kernel - 1) * step + 1 if padding == "valid" else 1
        out.append(None if size is None else (size - covered) // stride + 1)
    return out


def _conv(config: Mapping[str, Any], inputs: Sequence[Shape]) -> Shape:
    spatial, channels = _spatial(config, inputs[0])
    sizes = _ints(config["kernel_size"], len(spatial))
    filters = config.get("filters")
    made = int(filters) if filters is not None else (channels or 0) * int(config.get("depth_multiplier", 1)) or None
    return _joined(config, inputs[0][0], _window(config, spatial, sizes, [1] * len(spatial)), made)


def _conv_transpose(config: Mapping[str, Any], inputs: Sequence[Shape]) -> Shape:
    spatial, _ = _spatial(config, inputs[0])
    rank = len(spatial)
    kernel, strides = _ints(config["kernel_size"], rank), _ints(config["strides"], rank)
    extra = config.get("output_padding")
    out: list[int | None] = []
    for axis, size in enumerate(spatial):
        if size is None:
            out.append(None)
        elif extra is not None:
            pad = kernel[axis] // 2 if config.get("padding") == "same" else 0
            out.append((size - 1) * strides[axis] + kernel[axis] - 2 * pad + _ints(extra, rank)[axis])
        else:
            same = config.get("padding") == "same"
            out.append(size * strides[axis] + (0 if same else max(kernel[axis] - strides[axis], 0)))
    return _joined(config, inputs[0][0], out, int(config["filters"]))


def _pool(config: Mapping[str, Any], inputs: Sequence[Shape]) -> Shape:
    spatial, channels = _spatial(config, inputs[0])
    sizes = _ints(config.get("pool_size", 2), len(spatial))
    return _joined(config, inputs[0][0], _window(config, spatial, sizes, sizes), channels)


def _global_pool(config: Mapping[str, Any], inputs: Sequence[Shape]) -> Shape:
    spatial, channels = _spatial(config, inputs[0])
    if config.get("keepdims"):
        return _joined(config, inputs[0][0], [1] * len(spatial), channels)
    return (inputs[0][0], channels)


def _product(sizes: Sequence[int | None]) -> int | None:
    total = 1
    for size in sizes:
        if size is None:
            return None
        total *= size
    return total


def _reshape(config: Mapping[str, Any], inputs: Sequence[Shape]) -> Shape:
    target = [int(size) for size in config["target_shape"]]
    known = 1
    for size in target:
        known *= size if size >= 0 else 1
    total = _product(inputs[0][1:])
    return (inputs[0][0], *(((total // known) if total is not None else None) if s < 0 else s for s in target))


def _around(config: Mapping[str, Any], inputs: Sequence[Shape], key: str, sign: int) -> Shape:
    spatial, channels = _spatial(config, inputs[0])
    amounts = config[key]
    pairs = amounts if isinstance(amounts, list | tuple) else [amounts] * len(spatial)
    if len(spatial) == 1 and len(pairs) == 2:
        pairs = [pairs]
    totals = [sum(pair) if isinstance(pair, list | tuple) else 2 * pair for pair in pairs]
    grown = [None if s is None else s + sign * int(t) for s, t in zip(spatial, totals, strict=True)]
    return _joined(config, inputs[0][0], grown, channels)


def _upsample(config: Mapping[str, Any], inputs: Sequence[Shape]) -> Shape:
    spatial, channels = _spatial(config, inputs[0])
    sizes = _ints(config["size"], len(spatial))
    grown = [None if s is None else s * n for s, n in zip(spatial, sizes, strict=True)]
    return _joined(config, inputs[0][0], grown, channels)


def _resize(config: Mapping[str, Any], inputs: Sequence[Shape]) -> Shape:
    _, channels = _spatial(config, inputs[0])
    return _joined(config, inputs[0][0], [int(config["height"]), int(config["width"])], channels)


def broadcast(inputs: Sequence[Shape]) -> Shape:
    """Return the shape of an elementwise operation."""
    rank = max(len(shape) for shape in inputs)
    padded = [(*([1] * (rank - len(shape))), *shape) for shape in inputs]
    out: list[int | None] = []
    for sizes in zip(*padded, strict=True):
        larger = [size for size in sizes if size != 1]
        known = [size for size in larger if size is not None]
        out.append(known[0] if known else None if larger else 1)
    return tuple(out)


def _concatenate(config: Mapping[str, Any], inputs: Sequence[Shape]) -> Shape:
    axis = int(config.get("axis", -1)) % len(inputs[0])
    sizes = [shape[axis] for shape in inputs]
    total = None if None in sizes else sum(size for size in sizes if size is not None)
    return (*inputs[0][:axis], total, *inputs[0][axis + 1 :])


def _dot(config: Mapping[str, Any], inputs: Sequence[Shape]) -> Shape:
    axes = _ints(config["axes"], 2)
    left = [size for axis, size in enumerate(inputs[0]) if axis != axes[0] % len(inputs[0])]
    right = [size for axis, size in enumerate(inputs[1]) if axis != axes[1] % len(inputs[1])]
    return (*left, *right[1:]) if len(left) + len(right) > 2 else (left[0], 1)


def _einsum(config: Mapping[str, Any], inputs: Sequence[Shape]) -> Shape:
    made = config["output_shape"]
    sizes = made if isinstance(made, list | tuple) else [made]
    return (inputs[0][0], *(None if size is None else int(size) for size in sizes))


def _attention(config: Mapping[str, Any], inputs: Sequence[Shape]) -> Shape:
    made = config.get("output_shape")
    if made is None:
        return inputs[0]
    return (*inputs[0][:-1], *(made if isinstance(made, list | tuple) else [int(made)]))


RULES: dict[str, Rule] = {
    **dict.fromkeys(_SAME | _UNARY_OPS, lambda _, inputs: inputs[0]),
    **dict.fromkeys(_MERGE, lambda _, inputs: broadcast(inputs)),
    **{f"{kind}{rank}D": _conv for kind in ("Conv", "SeparableConv", "DepthwiseConv", "Convolution") for rank in "123"},
    **{f"Conv{rank}DTranspose": _conv_transpose for rank in "123"},
    **{f"{kind}{rank}D": _pool for kind in ("MaxPooling", "AveragePooling", "MaxPool", "AvgPool") for rank in "123"},
    **{
        f"Global{kind}{rank}D": _global_pool
        for kind in ("MaxPooling", "AveragePooling", "MaxPool", "AvgPool")
        for rank in "123"
    },
    **{f"ZeroPadding{r}D": lambda config, inputs: _around(config, inputs, "padding", 1) for r in "123"},
    **{f"Cropping{r}D": lambda config, inputs: _around(config, inputs, "cropping", -1) for r in "123"},
    **{f"UpSampling{rank}D": _upsample for rank in "123"},
    "Dense": lambda config, inputs: (*inputs[0][:-1], int(config["units"])),
    "EinsumDense": _einsum,
    "Embedding": lambda config, inputs: (*inputs[0], int(config["output_dim"])),
    "Flatten": lambda _, inputs: (inputs[0][0], _product(inputs[0][1:])),
    "Reshape": _reshape,
    "Permute": lambda config, inputs: (inputs[0][0], *(inputs[0][int(axis)] for axis in config["dims"])),
    "RepeatVector": lambda config, inputs: (inputs[0][0], int(config["n"]), inputs[0][1]),
    "Resizing": _resize,
    "CenterCrop": _resize,
    "RandomCrop": _resize,
    "Concatenate": _concatenate,
    "Dot": _dot,
    "MultiHeadAttention": _attention,
    "GroupQueryAttention": _attention,
    "Attention": lambda _, inputs: (*inputs[0][:-1], inputs[1][-1]),
    "AdditiveAttention": lambda _, inputs: (*inputs[0][:-1], inputs[1][-1]),
}
_TF_ELEMENTWISE = {"add", "sub", "subtract", "mul", "multiply", "truediv", "divide", "maximum", "minimum", "pow",
                   "relu", "relu6", "sigmoid", "tanh", "exp", "sqrt", "square", "abs", "negative", "softmax", "swish",
                   "silu", "gelu", "cast", "clip_by_value", "identity"}  # fmt: skip


def _recurrent(layer: Layer, inputs: Sequence[Shape]) -> Shapes:
    config = layer.config
    units = config.get("units") or config.get("cell", {}).get("config", {}).get("units")
    if units is None:
        return [None]
    batch, time = inputs[0][0], inputs[0][1]
    main: Shape = (batch, time, int(units)) if config.get("return_sequences") else (batch, int(units))
    states = {"LSTM": 2}.get(layer.class_name, 1) if config.get("return_state") else 0
    return [main, *([(batch, int(units))] * states)]


def _bidirectional(layer: Layer, inputs: Sequence[Shape]) -> Shapes:
    made = layer_shapes(_wrapped(layer), inputs)
    if made[0] is None:
        return [None]
    mode = layer.config.get("merge_mode", "concat")
    last = made[0][-1]
    main: Shape = (*made[0][:-1], last * 2 if mode == "concat" and last is not None else last)
    mains: Shapes = [made[0], made[0]] if mode is None else [main]
    return [*mains, *made[1:], *made[1:]]


def _wrapped(layer: Layer) -> Layer:
    inner = layer.config["layer"]
    return Layer(inner["class_name"], inner["config"].get("name", ""), inner["config"], inner, ())


def _time_distributed(layer: Layer, inputs: Sequence[Shape]) -> Shapes:
    inner = layer_shapes(_wrapped(layer), [(inputs[0][0], *inputs[0][2:])])[0]
    return [None if inner is None else (inner[0], inputs[0][1], *inner[1:])]


def layer_shapes(layer: Layer, inputs: Sequence[Shape]) -> Shapes:
    """Return the shape of each output of a layer; None for what the rules here do not know."""
    if layer.network is not None:
        return network_shapes(layer.network, inputs)
    if layer.class_name in ("LSTM", "GRU", "SimpleRNN", "RNN"):
        return _recurrent(layer, inputs)
    if layer.class_name == "Bidirectional":
        return _bidirectional(layer, inputs)
    if layer.class_name == "TimeDistributed":
        return _time_distributed(layer, inputs)
    if layer.class_name in ("TFOpLambda", "TensorFlowOpLayer"):
        known = str(layer.config.get("function", "")).rpartition(".")[2] in _TF_ELEMENTWISE
        return [broadcast(inputs)] if known else [None]
    rule = RULES.get(layer.class_name)
    return [rule(layer.config, inputs)] if rule is not None else [None]


def network_shapes(network: Network, inputs: Sequence[Shape | None]) -> Shapes:
    """Return the shape of each output of a network for given input shapes; None where it is not known."""
    shape_of = shape_finder(network, inputs)
    return [shape_of(ref) for ref in network.outputs]


def shape_finder(network: Network, inputs: Sequence[Shape | None]) -> Callable[[Ref], Shape | None]:
    """Return a function that finds the shape of any tensor of a network for given input shapes."""
    known: dict[Ref, Shape | None] = dict(zip(network.inputs, inputs, strict=False))

    def shape_of(ref: Ref) -> Shape | None:
        if ref not in known:
            known[ref] = None
            _infer(network, ref, known, shape_of)
        return known[ref] if known[ref] is not None else network.declared.get(ref)

    return shape_of


def _infer(network: Network, ref: Ref, known: dict[Ref, Shape | None], shape_of: Callable[[Ref], Shape | None]) -> None:
    layer = network.layers[ref.layer]
    if layer.class_name == "InputLayer":
        known[ref] = input_shape(layer)
        return
    fed = [shape_of(before) for before in layer.call(ref.node)]
    shapes = [shape for shape in fed if shape is not None]
    if len(shapes) != len(fed) or not shapes:
        return
    try:
        made = layer_shapes(layer, shapes)
    except (KeyError, IndexError, ValueError, TypeError):  # a configuration that this rule does not expect
        return
    for index, shape in enumerate(made):
        known[Ref(ref.layer, ref.node, index)] = shape
