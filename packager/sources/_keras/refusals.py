"""What is refused in a Keras configuration, by name, before any layer is built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from packager.core.errors import Finding, ModelError
from packager.sources._keras.network import Layer, Network, words

_BOTH = words("""
Activation ActivityRegularization Add AdditiveAttention AlphaDropout Attention Average AveragePooling1D
AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D BatchNormalization Bidirectional CategoryEncoding
CenterCrop Concatenate Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D
ConvLSTM3D Convolution1D Convolution1DTranspose Convolution2D Convolution2DTranspose Convolution3D
Convolution3DTranspose Cropping1D Cropping2D Cropping3D Dense DepthwiseConv1D DepthwiseConv2D Discretization Dot
Dropout ELU EinsumDense Embedding Flatten Functional GRU GRUCell GaussianDropout GaussianNoise
GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D GlobalAvgPool2D
GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling1D GlobalMaxPooling2D
GlobalMaxPooling3D GroupNormalization Identity InputLayer LSTM LSTMCell LayerNormalization LeakyReLU Masking
MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D Maximum Minimum Model MultiHeadAttention
Multiply Normalization PReLU Permute RNN RandomBrightness RandomContrast RandomCrop RandomFlip RandomRotation
RandomTranslation RandomZoom ReLU RepeatVector Rescaling Reshape Resizing SeparableConv1D SeparableConv2D
SeparableConvolution1D SeparableConvolution2D Sequential SimpleRNN SimpleRNNCell Softmax SpatialDropout1D
SpatialDropout2D SpatialDropout3D SpectralNormalization StackedRNNCells Subtract TimeDistributed
UnitNormalization UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
""")
_KERAS_2 = words("""
BatchNormalizationV1 BatchNormalizationV2 CuDNNGRU CuDNNLSTM DenseFeatures GRUV1 GRUV2 LSTMV1 LSTMV2
LocallyConnected1D LocallyConnected2D RandomHeight RandomWidth SlicingOpLambda SyncBatchNormalization TFOpLambda
ThresholdedReLU
""")
_KERAS_3 = words("""
AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D
AdaptiveMaxPooling2D AdaptiveMaxPooling3D GroupQueryAttention MelSpectrogram RMSNormalization
ReversibleEmbedding STFTSpectrogram
""")
KNOWN = _BOTH | _KERAS_2 | _KERAS_3

_STRINGS = {"StringLookup", "TextVectorization", "Hashing", "HashedCrossing", "IntegerLookup"}
_FOREIGN = {"TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper"}
_TF_OPS = ("math.", "nn.", "linalg.", "image.", "signal.", "__operators__.", "keras.backend.", "compat.v1.")
_TF_TOP = words("""
abs add argmax argmin broadcast_to cast clip_by_value concat constant convert_to_tensor cos divide einsum equal exp
expand_dims fill gather gather_nd greater identity less linspace matmul maximum minimum multiply negative not_equal
one_hot ones ones_like pad pow range repeat reshape reverse roll round shape sigmoid sign sin slice split sqrt square
squeeze stack strided_slice subtract tan tanh tensordot tile transpose truediv truncatediv unstack where zeros
zeros_like reduce_all reduce_any reduce_max reduce_mean reduce_min reduce_prod reduce_sum
""")
_ACTIVATIONS = words("""
celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear log_sigmoid
log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid
sparsemax squareplus swish tanh tanh_shrink threshold
""")
_REWRITE = "write it with Keras' own layers and save the model again, or export a SavedModel or an ONNX file"


def refuse(network: Network, file: str) -> None:
    """Raise ModelError with one finding per layer that cannot be taken."""
    findings = tuple(finding for path, layer in network.walk() for finding in _findings(path, layer, file))
    if findings:
        raise ModelError(findings)


def _findings(path: str, layer: Layer, file: str) -> Iterator[Finding]:
    found = _problem(layer.class_name, layer.entry, layer.config)
    if found is not None:
        what, hint = found
        yield Finding(f"{file}: layer {path!r} {what}", expected="layers that Keras itself defines", hint=hint)
    inner = layer.config.get("layer")
    if isinstance(inner, Mapping) and "class_name" in inner:
        config = inner.get("config", {})
        yield from _findings(f"{path}/layer", Layer(inner["class_name"], "", config, inner, ()), file)


def _problem(class_name: str, entry: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[str, str] | None:
    if class_name == "Lambda":
        return "is a Lambda: it holds Python code, which is never run", _REWRITE
    if class_name in _STRINGS:
        hint = "save the model without it and do its work in the contract"
        return f"is a {class_name}: text and lookup tables have no place in the converted formats", hint
    if class_name in _FOREIGN:
        return f"is a {class_name}: it runs code of another framework", _REWRITE
    if class_name == "TFOpLambda" and not _harmless(str(config.get("function", ""))):
        return f"calls the TensorFlow function {config.get('function')!r}, which is not a plain computation", _REWRITE
    if not _is_builtin(class_name, entry):
        return f"is of the custom class {class_name!r}, whose code the file does not hold", _REWRITE
    custom = [name for key in ("activation", "recurrent_activation") for name in _custom_function(config.get(key))]
    return (f"uses the custom function {custom[0]!r}", _REWRITE) if custom else None


def _harmless(function: str) -> bool:
    return function in _TF_TOP or (function.startswith(_TF_OPS) and "py_func" not in function)


def _is_builtin(class_name: str, entry: Mapping[str, Any]) -> bool:
    module = entry.get("module")
    if module is None:
        return class_name in KNOWN and ">" not in class_name
    ops = str(module).startswith(("keras.src.ops.", "keras.ops"))
    own = str(module).startswith(("keras.", "keras_core.", "tf_keras.")) or module == "keras"
    return ops or (own and class_name in KNOWN)


def _custom_function(value: Any) -> list[str]:
    if value is None or (isinstance(value, str) and value in _ACTIVATIONS):
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        name = value.get("config") if value.get("class_name") == "function" else value.get("class_name")
        module = str(value.get("module", "keras"))
        builtin = isinstance(name, str) and (name.lower() in _ACTIVATIONS or name in KNOWN)
        return [] if builtin and (module.startswith("keras") or module == "builtins") else [str(name)]
    return [str(value)]
