"""Operations of TensorFlow that coremltools 9.0 has no translation for. Light: names only.

Those of a list of some 190 that are not in its registry of translations (a test compares the two).
"""

from __future__ import annotations

WHY = "coremltools has no translation for it"

UNCOVERED = frozenset(
    """
    Acosh AdjustContrastv2 AdjustHue AdjustSaturation ApproximateEqual Asinh Atan2 BesselI0e BesselI1e Betainc
    BitwiseAnd BitwiseXor Bucketize CTCGreedyDecoder Cholesky CombinedNonMaxSuppression CumulativeLogsumexp Cumprod
    DenseBincount Digamma Dilation2D Erfinv HSVToRGB Igamma Igammac Invert LeftShift Lgamma ListDiff
    MatrixDeterminant MatrixInverse MatrixSolve MatrixTriangularSolve MaxPoolWithArgmax Ndtri NextAfter NthElement
    Polygamma QuantizeAndDequantizeV2 Qr RGBToHSV RandomShuffle ResizeArea ResizeBicubic RightShift ScaleAndTranslate
    SelfAdjointEigV2 StatelessRandomNormalV2 Svd TensorScatterMax TensorScatterMin TensorScatterSub TruncateMod
    TruncatedNormal Unique UniqueWithCounts Zeta
    """.split()  # noqa: SIM905 - names read better as words
)
