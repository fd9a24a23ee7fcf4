"""The node tests of the onnx package through the importer: passed, refused by name, wrong.

Counted are all node tests but those outside float inference, by this rule: the model uses a training or
`ai.onnx.ml` domain, a training mode, an op of sequences, optional values, text, images or random numbers,
or has an input or output that is a sequence, optional or text; and of the rest those whose inputs and
outputs hold no float tensor are counted apart. Sub-byte and 8-bit float types are not excluded: refused.

Each model runs as it is. Where that is refused because an op needs a constant that the test feeds as an
input (as no exporter does), the input named in the refusal and all integer vectors and scalars but the
first input are made initializers, and the test runs again.
"""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from packager.core.errors import PlanError

pytestmark = pytest.mark.heavy
OUTSIDE_DOMAINS = ("ai.onnx.ml", "ai.onnx.preview.training", "ai.onnx.training")
OUTSIDE_OPS = {
    *("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"),
    *("Optional", "OptionalGetElement", "OptionalHasElement", "ConcatFromSequence", "SplitToSequence"),
    *("SequenceAt", "SequenceConstruct", "SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceLength"),
    *("SequenceMap", "RegexFullMatch", "StringConcat", "StringNormalizer", "StringSplit", "TfIdfVectorizer"),
    "ImageDecoder",
}
FLOATS = {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16}
LEAST_PASSED = 0.85


def nodes_of(graph):
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from nodes_of(attribute.g)


def is_outside(model: onnx.ModelProto) -> bool:
    values = [*model.graph.input, *model.graph.output]
    if any(value.type.WhichOneof("value") != "tensor_type" for value in values):
        return True
    if any(value.type.tensor_type.elem_type == TensorProto.STRING for value in values):
        return True
    return any(
        node.domain in OUTSIDE_DOMAINS
        or node.op_type in OUTSIDE_OPS
        or (node.op_type == "BatchNormalization" and any(a.name == "training_mode" and a.i for a in node.attribute))
        for node in nodes_of(model.graph)
    ) or model.graph.name.startswith("test_training_dropout")


def is_float(model: onnx.ModelProto) -> bool:
    return any(value.type.tensor_type.elem_type in FLOATS for value in [*model.graph.input, *model.graph.output])


def array_of(value):
    return numpy_helper.to_array(value) if isinstance(value, TensorProto) else np.asarray(value)


def with_constants(model, feeds, names):
    result = onnx.ModelProto()
    result.CopyFrom(model)
    kept = [value for value in result.graph.input if value.name not in names]
    del result.graph.input[:]
    result.graph.input.extend(kept)
    result.graph.initializer.extend(numpy_helper.from_array(feeds[name], name) for name in names)
    return result, {name: array for name, array in feeds.items() if name not in names}


def imported(model, feeds):
    from packager.importers.onnx import to_tf
    from packager.importers.onnx.errors import NotConstantError

    while True:
        try:
            return to_tf(model), feeds
        except PlanError as refusal:
            names = [name for name in list(feeds)[1:] if feeds[name].dtype.kind in "iu" and feeds[name].ndim < 2]
            if isinstance(refusal, NotConstantError) and refusal.value in feeds:
                names = list(dict.fromkeys([*names, refusal.value]))
            if not names:
                raise
            model, feeds = with_constants(model, feeds, names)


def difference(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> str:
    """What is wrong with a result; two units in the last place are allowed for 16-bit floats."""
    import ml_dtypes

    if got.shape != expected.shape or got.dtype != expected.dtype:
        return f"{got.dtype}{got.shape} for {expected.dtype}{expected.shape}"
    if expected.dtype.kind in "biu":
        return "" if np.array_equal(got, expected) else "other values"
    rtol = max(rtol, 2 * float(ml_dtypes.finfo(expected.dtype).eps))
    wide = [array.astype(np.float64) for array in (got, expected)]
    return "" if np.allclose(*wide, rtol=rtol, atol=max(atol, 1e-6), equal_nan=True) else "other values"


def outcome(case) -> tuple[str, str]:
    import tensorflow as tf

    for inputs, outputs in case.data_sets:
        feeds = {value.name: array_of(array) for value, array in zip(case.model.graph.input, inputs, strict=True)}
        try:
            function, feeds = imported(case.model, feeds)
        except PlanError as refusal:
            return "refused", str(refusal).partition(": ")[2]
        try:
            results = function(*(tf.constant(array) for array in feeds.values()))
        except Exception as error:
            return "wrong", f"{type(error).__name__}: {str(error).splitlines()[0]}"
        for result, expected in zip(results, outputs, strict=True):
            fault = difference(result.numpy(), array_of(expected), case.rtol, case.atol)
            if fault:
                return "wrong", fault
    return "passed", ""


def test_node_tests_of_the_onnx_package(record_property):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.loader import load_model_tests

        cases = load_model_tests(kind="node")
    counts: dict[str, Counter[str]] = {"float": Counter(), "other": Counter()}
    refused, wrong = defaultdict(list), []
    outside = 0
    for case in cases:
        if is_outside(case.model):
            outside += 1
            continue
        try:
            result, why = outcome(case)
        except Exception as error:
            result, why = "wrong", f"{type(error).__name__}: {error}"
        counts["float" if is_float(case.model) else "other"][result] += 1
        if result == "refused":
            refused[why].append(case.name)
        if result == "wrong":
            wrong.append(f"{case.name}: {why}")
    print(f"\n{len(cases)} node tests of onnx {onnx.__version__}, {outside} outside float inference")
    for kind, count in counts.items():
        line = f"{kind}: {count['passed']} passed, {count['refused']} refused by name, {count['wrong']} wrong"
        print(line)
        record_property(f"onnx node tests, {kind}", line.partition(": ")[2])
    for why, names in sorted(refused.items(), key=lambda entry: -len(entry[1])):
        print(f"  refused {len(names)}: {why} ({names[0]})")
    assert wrong == []
    total = counts["float"].total()
    assert total > 1000
    assert counts["float"]["passed"] >= LEAST_PASSED * total
