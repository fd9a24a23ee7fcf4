"""What to do about ops that the importer refuses: known replacements, by op."""

from __future__ import annotations

from packager.importers.onnx.errors import Unsupported

_TORCHVISION = "torchvision's detection models do it inside: export the backbone and heads only"

REPLACEMENTS: dict[str, str] = {
    "NonMaxSuppression": "cut the graph before it (onnx.utils.extract_model) and take the step `nms`",
    "RoiAlign": _TORCHVISION,
    "MaxRoiPool": _TORCHVISION,
    "DeformConv": "replace the layer by a plain convolution and train on, or take a variant of the model without it",
    "StringNormalizer": "do it before the model, in the app",
    "TfIdfVectorizer": "do it before the model, in the app",
    "Unique": "end the model before it: a result whose size the data decides has no fixed shape",
    "RandomNormal": "make the noise an input of the model",
    "RandomNormalLike": "make the noise an input of the model",
    "RandomUniform": "make the noise an input of the model",
    "RandomUniformLike": "make the noise an input of the model",
    "Multinomial": "give the probabilities as the output and draw in the app",
    "Bernoulli": "export the model in inference mode (model.eval()): it is a dropout that was left on",
    "ImageDecoder": "start the model behind it: the app hands over pixels",
    "SequenceConstruct": "stack the tensors (torch.stack) in place of a list",
    "SplitToSequence": "take Split, or slices, in place of a list",
    "SequenceAt": "take Gather on a stacked tensor in place of a list",
    "ConcatFromSequence": "take Concat in place of a list",
}


def refused(entry: Unsupported) -> str:
    """An entry in words, with its known replacement."""
    replacement = REPLACEMENTS.get(entry.op_type, "") if not entry.domain else ""
    return f"{entry}; {replacement}" if replacement else str(entry)
