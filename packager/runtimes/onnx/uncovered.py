"""Operations of TensorFlow that tf2onnx 1.17 leaves in the file as they are, so that no ONNX runtime opens it.

Light: names only. Each of a list of some 190 was converted alone and failed.
"""

from __future__ import annotations

WHY = "tf2onnx has no translation for it"

UNCOVERED = frozenset(
    """
    ApproximateEqual AudioSpectrogram BesselI0e BesselI1e Betainc Bucketize Cholesky Cross CumulativeLogsumexp Digamma
    Dilation2D Erfinv EuclideanNorm Expm1 HSVToRGB IFFT IRFFT Igamma Igammac InTopKV2 Inv L2Loss Lgamma ListDiff Log1p
    MatrixInverse MatrixSolve MatrixTriangularSolve Mfcc MulNoNan Ndtri NextAfter NthElement Polygamma Qr RGBToHSV
    ScaleAndTranslate SelfAdjointEigV2 Svd TruncateMod Xdivy Xlog1py Xlogy Zeta
    """.split()  # noqa: SIM905 - names read better as words
)
