"""Operations of TensorFlow that a converter is known to refuse, in words. Light: names only."""

from __future__ import annotations

from collections.abc import Collection

from packager.model.source import ModelSource

REPLACEMENTS: dict[str, str] = {
    "AvgPool3D": "take two poolings in sequence, over the plane and over time (AveragePooling2D after a reshape)",
    "MaxPool3D": "take two poolings in sequence, over the plane and over time (MaxPooling2D after a reshape)",
    "AveragePooling3D": "take two poolings in sequence, AveragePooling2D over the plane and one over time",
    "MaxPooling3D": "take two poolings in sequence, MaxPooling2D over the plane and one over time",
    "AudioSpectrogram": "take the step `spectrogram` in the contract and start the model behind it",
    "Mfcc": "take the step `mfcc` in the contract and start the model behind it",
    "FFT": "take the step `spectrogram` in the contract, or a product with a constant matrix of sines",
    "IFFT": "take a product with a constant matrix of sines and cosines",
    "IRFFT": "take a product with a constant matrix of sines and cosines",
    "RGBToHSV": "do it before the model, or write it with minimum, maximum and division",
    "HSVToRGB": "write it with floor, minimum and multiplication",
    "AdjustContrastv2": "leave augmentation out of the exported model",
    "AdjustHue": "leave augmentation out of the exported model",
    "AdjustSaturation": "leave augmentation out of the exported model",
    "StatelessRandomNormalV2": "make the noise an input of the model",
    "TruncatedNormal": "make the noise an input of the model",
    "RandomShuffle": "leave augmentation out of the exported model",
    "CombinedNonMaxSuppression": "end the model before it and take the step `nms` in the contract",
    "NonMaxSuppressionV3": "end the model before it and take the step `nms` in the contract",
    "CropAndResize": "take ResizeBilinear after a slice, or split the model there",
    "ResizeArea": "take AveragePooling2D for whole factors, or ResizeBilinear",
    "ResizeBicubic": "take ResizeBilinear",
    "ScaleAndTranslate": "take ResizeBilinear (tf.image.resize with its default method, antialias=False)",
    "ExtractImagePatches": "take SpaceToDepth, or a convolution with one-hot weights",
    "MaxPoolWithArgmax": "take MaxPool where the positions are not needed",
    "Cumprod": "take exp(cumsum(log(x))) for positive x",
    "MatrixInverse": "invert before saving where the matrix is constant",
    "Erfinv": "make what it computes an input of the model, or a table",
    "Erfc": "take 1 - erf(x); for Keras' gelu: activation with approximate=True",
    "Log1p": "take log(1 + x)",
    "Expm1": "take exp(x) - 1",
    "Inv": "take 1 / x",
    "L2Loss": "take reduce_sum(square(x)) / 2",
    "Xlogy": "take x * log(y)",
    "Xdivy": "take x / y",
    "MulNoNan": "take x * y",
    "EuclideanNorm": "take sqrt(reduce_sum(square(x)))",
    "Cross": "write it with slices, multiplication and subtraction",
    "Bucketize": "take comparisons with the boundaries and reduce_sum",
    "Discretization": "do it before the model, or take comparisons with the boundaries",
    "CTCGreedyDecoder": "give the scores as the output and decode in the app",
    "UniqueWithCounts": "end the model before it: a result whose size the data decides has no fixed shape",
    "ListDiff": "end the model before it: a result whose size the data decides has no fixed shape",
    "DenseBincount": "take one_hot and reduce_sum",
    "Dilation2D": "take MaxPool, which is dilation by a flat window",
}
"""What to write in a model in place of an operation; more names have none that is known."""


def refusals(source: ModelSource, table: Collection[str], why: str) -> tuple[str, ...]:
    """One sentence for each operation in `table` that the source's inputs decide: its node, why, and what to do.

    Reads `facts["dependent_ops"]`, {operation or layer: name of one node}; a source without that fact has none.
    """
    found = source.facts.get("dependent_ops", {})
    return tuple(
        f"{op} (node {node!r}): {why}" + (f"; {REPLACEMENTS[op]}" if op in REPLACEMENTS else "")
        for op, node in sorted(found.items())
        if op in table
    )
