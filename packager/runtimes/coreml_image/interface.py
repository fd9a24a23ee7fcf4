"""Changes a package's interface: tensor inputs become images, a tensor of scores becomes class labels (worker side).

The program's own ops stay. What is added is what coremltools 9.0 writes for `ImageType` and `ClassifierConfig`, but for
scale and bias: here `(value - mean) / std`, in the order and precision of the contract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from coremltools.proto import FeatureTypes_pb2, MIL_pb2, Model_pb2

_COLORS = {"rgb": "RGB", "bgr": "BGR", "grey": "GRAYSCALE"}
LABEL, SCORES = "classLabel", "classLabel_probs"


def main_block(spec: Model_pb2.Model) -> tuple[MIL_pb2.Function, MIL_pb2.Block]:
    """The one function of an mlprogram and its block."""
    (function,) = spec.mlProgram.functions.values()
    return function, function.block_specializations[function.opset]


def take_image(spec: Model_pb2.Model, name: str, pixels: Mapping[str, Any]) -> None:
    """Make input `name` an image: `pixels` is JSON of `PixelInput`, the input a float32 tensor of its size."""
    function, block = main_block(spec)
    (declared,) = [item for item in function.inputs if item.name == name]
    channels, height, width = len(pixels["mean"]), pixels["height"], pixels["width"]
    planes = (1, channels, height, width)
    made, tensor = [], f"{name}_tensor"
    value = name
    for kind, key in (("sub", "mean"), ("real_div", "std")):
        numbers = [float(x) for x in pixels[key]]
        if any(number != (0.0 if kind == "sub" else 1.0) for number in numbers):
            parameter = f"{name}_{key}"
            made.append(constant(parameter, (1, channels, 1, 1), numbers))
            made.append(operation(kind, f"{name}_{kind}", planes, x=value, y=parameter))
            value = f"{name}_{kind}"
    order = [0, 1, 2, 3] if pixels["layout"] == "nchw" else [0, 2, 3, 1]
    made.append(constant(f"{name}_order", (4,), order))
    shape = tuple(planes[axis] for axis in order)
    made.append(operation("transpose", tensor, shape, x=value, perm=f"{name}_order"))
    rename(block, name, tensor)
    kept = list(block.operations)
    del block.operations[:]
    block.operations.extend([*made, *kept])
    declared.type.CopyFrom(tensor_type(planes))
    (feature,) = [item for item in spec.description.input if item.name == name]
    feature.type.Clear()
    feature.type.imageType.width, feature.type.imageType.height = width, height
    feature.type.imageType.colorSpace = FeatureTypes_pb2.ImageFeatureType.ColorSpace.Value(_COLORS[pixels["color"]])


def give_labels(spec: Model_pb2.Model, name: str, labels: Sequence[str]) -> None:
    """Replace the output `name`, float32 scores, by the best label and a dictionary of scores by label."""
    _, block = main_block(spec)
    classify = MIL_pb2.Operation(type="classify")
    classify.inputs["probabilities"].arguments.add().name = name
    held = classify.inputs["classes"].arguments.add().value
    held.type.listType.type.tensorType.dataType = MIL_pb2.STRING
    held.type.listType.length.constant.size = len(labels)
    for label in labels:
        item = held.immediateValue.list.values.add()
        item.type.tensorType.dataType = MIL_pb2.STRING
        item.immediateValue.tensor.strings.values.append(label)
    best, scores = classify.outputs.add(), classify.outputs.add()
    best.name, scores.name = LABEL, SCORES
    best.type.tensorType.dataType = MIL_pb2.STRING
    scores.type.dictionaryType.keyType.tensorType.dataType = MIL_pb2.STRING
    scores.type.dictionaryType.valueType.tensorType.dataType = MIL_pb2.FLOAT32
    classify.attributes["name"].CopyFrom(text("classify"))
    block.operations.append(classify)
    outputs = [output for output in block.outputs if output != name]
    del block.outputs[:]
    block.outputs.extend([LABEL, SCORES, *outputs])
    described = [item for item in spec.description.output if item.name != name]
    del spec.description.output[:]
    spec.description.output.add(name=LABEL).type.stringType.SetInParent()
    spec.description.output.add(name=SCORES).type.dictionaryType.stringKeyType.SetInParent()
    spec.description.output.extend(described)
    spec.description.predictedFeatureName, spec.description.predictedProbabilitiesName = LABEL, SCORES


def rename(block: MIL_pb2.Block, old: str, new: str) -> None:
    """Let every op of the block read `new` where it read `old`; so do its outputs."""
    for item in block.operations:
        for argument in item.inputs.values():
            for binding in argument.arguments:
                if binding.name == old:
                    binding.name = new
    outputs = [new if output == old else output for output in block.outputs]
    del block.outputs[:]
    block.outputs.extend(outputs)


def tensor_type(shape: Sequence[int], dtype: int = MIL_pb2.FLOAT32) -> MIL_pb2.ValueType:
    """The type of a tensor."""
    made = MIL_pb2.ValueType()
    made.tensorType.dataType, made.tensorType.rank = dtype, len(shape)
    for size in shape:
        made.tensorType.dimensions.add().constant.size = size
    return made


def text(value: str) -> MIL_pb2.Value:
    """A string as a value."""
    made = MIL_pb2.Value()
    made.type.tensorType.dataType = MIL_pb2.STRING
    made.immediateValue.tensor.strings.values.append(value)
    return made


def constant(name: str, shape: Sequence[int], numbers: Sequence[float] | Sequence[int]) -> MIL_pb2.Operation:
    """A `const` op of floats, or of int32 where all numbers are integers."""
    integers = all(isinstance(number, int) for number in numbers)
    made = MIL_pb2.Operation(type="const")
    made.outputs.add(name=name).type.CopyFrom(tensor_type(shape, MIL_pb2.INT32 if integers else MIL_pb2.FLOAT32))
    made.attributes["name"].CopyFrom(text(name))
    value = made.attributes["val"]
    value.type.CopyFrom(made.outputs[0].type)
    tensor = value.immediateValue.tensor
    (tensor.ints if integers else tensor.floats).values.extend(numbers)
    return made


def operation(kind: str, name: str, shape: Sequence[int], **inputs: str) -> MIL_pb2.Operation:
    """An op of named values with one float32 result."""
    made = MIL_pb2.Operation(type=kind)
    for key, value in inputs.items():
        made.inputs[key].arguments.add().name = value
    made.outputs.add(name=name).type.CopyFrom(tensor_type(shape))
    made.attributes["name"].CopyFrom(text(name))
    return made
