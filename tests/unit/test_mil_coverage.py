"""Every op that the Core ML evaluator knows has a conformance case."""

from __future__ import annotations

import inspect

import pytest
import test_mil_conv_pool
import test_mil_elementwise
import test_mil_indexing
import test_mil_layers
import test_mil_quantized
import test_mil_recurrent
import test_mil_shape

pytestmark = pytest.mark.heavy

MODULES = (
    test_mil_conv_pool,
    test_mil_elementwise,
    test_mil_indexing,
    test_mil_layers,
    test_mil_quantized,
    test_mil_recurrent,
    test_mil_shape,
)


def test_every_op_has_a_case():
    from packager.runtimes.coreml.mil.plan import OPS

    # Its results are a text and a dictionary: test_coreml_image.py compares them with the scores.
    tested = {case.op for module in MODULES for case in module.CASES} | {"classify"}
    assert sorted(set(OPS) - tested) == []
    assert sorted(tested - set(OPS)) == []


def test_case_names_are_unique():
    names = [str(case) for module in MODULES for case in module.CASES]
    assert len(names) == len(set(names))


def test_every_op_says_what_it_is():
    from packager.runtimes.coreml.mil.plan import OPS

    for name, op in OPS.items():
        text = inspect.getdoc(op.function) or ""
        assert "->" in text, name
        assert "MIL iOS" in text, name
