"""A free batch: what is fed, and how several samples in one run are judged beside each of them alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from manifest_project import make_project, read, replaced

from packager.model.artifact import Artifact, Port
from packager.stages.verify.batch import BATCH, batch_feeds, judge_batch, lost_batch

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
    assert "batch of 3: largest error" in reason
    assert not judged([[1, 2]], [[1, 2]], [[1, 2]], joined=[[1, 2]])
    assert not judged(4, 4, 4, joined=4)


def test_another_shape_is_said() -> None:
    (reason,) = judged([[1, 2]], [[3, 4]], [[5, 6]], joined=[[1], [2], [3]])
    assert reason == "output 'y' of a batch of 3 has the shape [3, 1], a single one has [1, 2]"


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
