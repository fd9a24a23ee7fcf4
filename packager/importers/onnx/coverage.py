"""Which ops the importer covers, and why it refuses the others. Light: no tensorflow."""

from __future__ import annotations

# Built by a function in `ops`; the registry refuses a function whose op is missing here.
_BUILT = """
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization BitCast
BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast CastLike Ceil Celu CenterCropPad Clip
Col2Im Compress Concat Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumProd
CumSum DFT DepthToSpace DequantizeLinear Det Div Dropout DynamicQuantizeLinear Einsum Elu Equal Erf
Exp Expand EyeLike Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm GlobalAveragePool
GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HardSigmoid
HardSwish Hardmax Identity If InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization
LeakyRelu Less LessOrEqual Log LogSoftmax Loop LpNormalization LpPool MatMul MatMulInteger Max
MaxPool MaxUnpool Mean MeanVarianceNormalization MelWeightMatrix Min Mish Mod Mul Neg NonZero Not
OneHot Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization RNN Range
Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd
ReduceSum ReduceSumSquare Relu Reshape Resize ReverseSequence Round STFT Scan Scatter
ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax Softplus
Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan Tanh TensorScatter ThresholdedRelu Tile
TopK Transpose Trilu Unsqueeze Upsample Where Xor
"""
BUILT = frozenset(_BUILT.split())

# Built from the body that the ONNX standard itself gives the op.
_EXPANDED = """
AffineGrid Attention BlackmanWindow CausalConvWithState FlexAttention HammingWindow HannWindow
LinearAttention NegativeLogLikelihoodLoss RotaryEmbedding SoftmaxCrossEntropyLoss SwiGLU
"""
EXPANDED = frozenset(_EXPANDED.split())

_STRINGS = "text has no counterpart on the targets: turn it into numbers in a contract step"
_SEQUENCES = "sequences and optional values have no counterpart on the targets"
_RANDOM = "random numbers would make every run differ"
_BOXES = "box selection is a contract step on the targets: end the model before it"

REFUSED: dict[str, str] = {
    **dict.fromkeys(["RegexFullMatch", "StringConcat", "StringNormalizer", "StringSplit", "TfIdfVectorizer"], _STRINGS),
    **dict.fromkeys(
        [
            "ConcatFromSequence",
            "Optional",
            "OptionalGetElement",
            "OptionalHasElement",
            "SequenceAt",
            "SequenceConstruct",
            "SequenceEmpty",
            "SequenceErase",
            "SequenceInsert",
            "SequenceLength",
            "SequenceMap",
            "SplitToSequence",
        ],
        _SEQUENCES,
    ),
    **dict.fromkeys(
        ["Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"], _RANDOM
    ),
    "NonMaxSuppression": _BOXES,
    "ImageDecoder": "images are decoded by the app: hand the model pixels",
    "Unique": "the size of its result depends on the data",
    "DeformConv": "deformable convolution has no counterpart on the targets",
    "RoiAlign": "region pooling has no counterpart on the targets: split the model there",
    "MaxRoiPool": "region pooling has no counterpart on the targets: split the model there",
}
