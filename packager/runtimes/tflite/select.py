"""Operations that TensorFlow Lite has no kernel for: they would need Flex ("select TF ops"). Light: names only.

Each was converted alone with TensorFlow 2.21 and failed. `Erf`, `Erfc` and the complex ones are left out: the
converter fuses them in gelu and in the magnitude of a real Fourier transform.
"""

from __future__ import annotations

SELECT_ONLY = frozenset(
    """
    Acos Acosh AdjustContrastv2 AdjustHue AdjustSaturation ApproximateEqual Asin Asinh Atan Atanh AudioSpectrogram
    AvgPool3D BesselI0e BesselI1e Betainc BitwiseAnd CTCGreedyDecoder Cholesky CombinedNonMaxSuppression Cosh
    CropAndResize Cross CumulativeLogsumexp Cumprod DenseBincount Digamma Dilation2D Erfinv EuclideanNorm
    ExtractImagePatches IFFT IRFFT Igamma Igammac InTopKV2 Invert LeftShift ListDiff MatrixDeterminant
    MatrixDiagPartV3 MatrixInverse MatrixSolve MatrixTriangularSolve MaxPool3D MaxPoolWithArgmax Mfcc Mod Ndtri
    NextAfter NthElement Polygamma HSVToRGB Qr RGBToHSV RandomShuffle ResizeArea ResizeBicubic ScaleAndTranslate
    SegmentMean SelfAdjointEigV2 Sinh StatelessRandomNormalV2 Svd Tan TensorScatterMax TensorScatterMin
    TensorScatterSub TruncateMod TruncatedNormal UniqueWithCounts Zeta
    AveragePooling3D MaxPooling3D
    """.split()  # noqa: SIM905 - names read better as words
)
"""TensorFlow's operations, and the Keras layers that are one of them."""

COST = (
    "TensorFlow Lite has no kernel for it. Flex would bring TensorFlow's own: some 20 MB more on Android for each "
    "processor type, more still on iOS, nothing on a microcontroller; projects of this tool do not link it"
)
