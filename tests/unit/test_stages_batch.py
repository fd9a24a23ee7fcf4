"""A free batch: what is fed, and how several samples in one run are judged beside each of them alone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from manifest_project import make_project, read, replaced

from packager.core.actions import Action
from packager.core.errors import ConvertError, PackagerError
from packager.model.artifact import Artifact, Port, Verdict
from packager.model.evaluation import Accuracy, Estimate
from packager.model.manifest import Gate
from packager.registry import Catalog
from packager.runtimes.coreml.mil.errors import BadProgram
from packager.stages.verify.batch import BATCH, batch_feeds, judge_batch, lost_batch
from packager.stages.verify.figures import figures
from packager.stages.verify.run import _in_batches, _judged, _with_reasons

LIMITS = {"max_abs": 1e-4}


def answers(*rows: Any, joined: Any) -> list[dict[str, Any]]:
    return [{"y": np.array(row, np.float32)} for row in (*rows, joined)]


def judged(*rows: Any, joined: Any) -> tuple[str, ...]:
    return judge_batch(answers(*rows, joined=joined), LIMITS, lambda outputs: outputs)[1]


def test_samples_are_joined_and_too_few_are_turned() -> None:
    samples = [
        {"x": np.array([[1, 2, 3]]), "state": np.array([7])},
        {"x": np.array([[4, 5, 6]]), "state": np.array([8])},
    ]
    *singles, joined = batch_feeds(samples, ["x"])
    assert [single["x"].tolist() for single in singles] == [[[1, 2, 3]], [[4, 5, 6]], [[3, 1, 2]]]
    assert joined["x"].tolist() == [[1, 2, 3], [4, 5, 6], [3, 1, 2]]
    assert [feed["state"].tolist() for feed in (*singles, joined)] == [[7]] * (BATCH + 1)


@pytest.mark.parametrize(
    "value",
    [np.full((1, 4), 0.5, np.float32), np.zeros((1, 2, 3), np.float32), np.full((1, 4), 200, np.uint8),
     np.array([[0]]), np.array([[1]], np.int8), np.full((1, 3), -128, np.int8), np.array([[True, True]])],
)  # fmt: skip
def test_a_sample_that_cannot_be_turned_is_changed_within_its_range(value: Any) -> None:
    one, two, three, joined = (feed["x"] for feed in batch_feeds([{"x": value}], ["x"]))
    assert np.array_equal(one, value) and joined.shape == (3, *value.shape[1:])
    assert joined.dtype == value.dtype and not np.array_equal(two, one) and not np.array_equal(three, one)
    low, high = min(value.min(), 0), max(value.max(), 1)
    assert low <= joined.min() and joined.max() <= high


def test_samples_that_are_alike_are_changed_and_a_common_mask_is_not() -> None:
    alike = [{"x": np.array([[1.0, 2.0]])}] * 3
    one, two, three, _ = (feed["x"].tolist() for feed in batch_feeds(alike, ["x"]))
    assert one != two != three != one
    masked = [{"x": np.array([[value]]), "mask": np.ones((1, 2))} for value in (1, 2, 3)]
    assert np.array_equal(batch_feeds(masked, ["x", "mask"])[-1]["mask"], np.ones((3, 2)))


def test_equal_answers_pass_with_their_figures() -> None:
    given = answers([[1, 2]], [[3, 4]], [[5, 6]], joined=[[1, 2], [3, 4], [5, 6]])
    found, reasons = judge_batch(given, LIMITS, lambda outputs: {"y": outputs["y"] * 2})
    assert not reasons
    assert found is not None
    assert (found.size, found.figures.max_abs, found.figures.samples) == (3, 0.0, 3)


def test_a_sample_that_answers_otherwise_in_company_fails() -> None:
    (reason,) = judged([[1, 2]], [[3, 4]], [[5, 6]], joined=[[1, 2], [3, 4], [5, 7]])
    assert reason == "batch of 3: largest error is 0.2 of the output's range, limit 0.0001"


def test_one_answer_for_all_fails_and_a_constant_passes() -> None:
    (reason,) = judged([[1, 2]], [[3, 4]], [[5, 6]], joined=[[1, 2]])
    shape = "output 'y' of a batch of 3 has the shape [1, 2]"
    assert reason == f"{shape}, as a single one, although its values depend on the sample"
    assert not judged([[1, 2]], [[1, 2]], [[1, 2]], joined=[[1, 2]])
    assert not judged(4, 4, 4, joined=4)


def test_another_shape_is_said() -> None:
    (reason,) = judged([[1, 2]], [[3, 4]], [[5, 6]], joined=[[1], [2], [3]])
    assert reason == "output 'y' of a batch of 3 has the shape [3, 1], a single one has [1, 2]"


def test_an_output_without_a_batch_is_not_cut() -> None:
    (reason,) = judged([1, 2, 3], [4, 5, 6], [7, 8, 9], joined=[4, 5, 6])
    assert reason.startswith("output 'y' of a batch of 3 has the shape [3], as a single one")
    assert not judged([1, 2, 3], [1, 2, 3], [1, 2, 3], joined=[1, 2, 3])
    (reason,) = judged(4, 5, 6, joined=4)
    assert "has the shape []" in reason


def test_a_batch_that_is_not_finite_cannot_be_waived() -> None:
    gates = {"float32": Gate(waive="we know what we do")}
    well = figures(answers(joined=[[1, 2]]), answers(joined=[[1, 2]]), (), 0.0)
    verdict = Verdict("onnx", "float32", "ort-cpu", well, LIMITS, passed=True)
    for last, waived in ((np.nan, None), (9.0, "we know what we do")):
        given = answers([[1, 2]], [[3, 4]], [[5, 6]], joined=[[1, 2], [3, last], [5, 6]])
        batch, reasons = judge_batch(given, LIMITS, lambda outputs: outputs)
        found = _with_reasons(verdict, reasons, gates, batch)
        assert (found.passed, found.waived, found.batch) == (False, waived, batch)
        assert _judged(found, "not measured", gates).waived is None
        even = Estimate(0.0, 0.0, 0.0)
        assert _judged(found, Accuracy("top1", 9, even, even, even, 0.01, ""), gates).waived == waived


@pytest.mark.parametrize("error", [ConvertError, BadProgram])
def test_a_file_that_cannot_run_several_fails_its_gate_in_words(error: type[PackagerError], tmp_path: Path) -> None:
    class Refusing:
        def run(self, _: Action) -> Path:
            raise error("no")

    port = Port("x", "x", "float32", (1, 2), free=True)
    made = Artifact("coreml", "float32", Path("m"), "m.mlpackage", "", 1, (port,), ())
    well = figures(answers(joined=[[1, 2]]), answers(joined=[[1, 2]]), (), 0.0)
    verdict = Verdict("coreml", "float32", "mil-eval", well, LIMITS, passed=True)
    plan: Any = SimpleNamespace(source=SimpleNamespace(free=("x",)))
    actions: Any = Refusing()
    feeds = [{"x": np.ones((1, 2), np.float32)}]
    (found,) = _in_batches(made, [verdict], feeds, plan, Catalog(), actions, {}, tmp_path)
    assert (found.passed, found.reasons) == (False, ("it cannot run a batch of 3: no",))


@pytest.mark.parametrize(("free", "said"), [(True, None), (False, "the batch of input 'x' is not free in the file")])
def test_a_converter_that_fixes_the_batch_is_noticed(free: bool, said: str | None) -> None:
    port = Port("x", "x", "float32", (1, 3), free=free)
    other = Port("state", "state", "float32", (1,))
    made = Artifact("onnx", "float32", Path("m"), "m.onnx", "", 1, (port, other), ())
    assert lost_batch(made, ["x"]) == said
    assert lost_batch(made, []) is None


def test_null_stands_for_the_batch_in_the_manifest(tmp_path: Path) -> None:
    text = replaced("[1, 96, 96, 3]", "[null, 96, 96, 3]")
    assert read(make_project(tmp_path), text).model.shapes == {"input_1": (None, 96, 96, 3)}
