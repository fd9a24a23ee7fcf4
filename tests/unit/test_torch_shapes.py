"""Shapes of an exported program: the manifest may only ask for those that the program was made for."""

from __future__ import annotations

from typing import Any

import pytest

from packager.sources._torch.child.exporter import RefusedError, _inputs

SIZES = {"shape": [None, None, 8, 3], "bounds": [(0, None), (4, 16), (8, 8), (3, 3)]}


def inputs(shape: list[int | None], **changes: Any) -> Any:
    declared = [{"name": "image", "optional": False, "dtype": "float32", **SIZES, **changes}]
    return _inputs({"shapes": {"image": shape}, "dtypes": {}}, declared)


def test_sizes_within_the_bounds_are_taken() -> None:
    assert inputs([5, 16, 8, 3])[0]["shape"] == [5, 16, 8, 3]
    (found,) = inputs([None, 4, 8, 3])
    assert (found["shape"], found["free"]) == ([1, 4, 8, 3], True)


@pytest.mark.parametrize(
    ("shape", "what"),
    [
        ([1, 8, 9, 3], "its input 'image' does not take 9 at axis 2: [1, 8, 9, 3]"),
        ([1, 17, 8, 3], "its input 'image' does not take 17 at axis 1: [1, 17, 8, 3]"),
        ([None, 3, 8, 3], "its input 'image' does not take 3 at axis 1: [null, 3, 8, 3]"),
        ([1, 8, 8], "the shape of its input 'image' has 3 sizes: [1, 8, 8]"),
    ],
)
def test_other_sizes_are_refused_by_name(shape: list[int | None], what: str) -> None:
    with pytest.raises(RefusedError) as caught:
        inputs(shape)
    assert str(caught.value) == what
    assert caught.value.hint.startswith("it takes [any, 4 to 16, 8, 3]: correct `shapes:`")


def test_a_free_batch_must_hold_the_samples_that_prove_it() -> None:
    bounds = [(0, 2), *SIZES["bounds"][1:]]
    with pytest.raises(RefusedError, match="does not take a batch of 3") as caught:
        inputs([None, 8, 8, 3], bounds=bounds)
    assert caught.value.hint.startswith("it takes [at most 2, 4 to 16, 8, 3]")
    with pytest.raises(RefusedError, match="does not take a batch of 1"):
        inputs([None, 8, 8, 3], bounds=[(3, None), *SIZES["bounds"][1:]])
