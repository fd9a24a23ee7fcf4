"""Samples through the contract: names, expectations, and what stops a build."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from project_tools import tiny_manifest, tiny_project

from packager.core.errors import ContractError, ManifestError
from packager.manifest import load
from packager.model.contract import Classification, Label
from packager.model.manifest import Expect, Sample
from packager.plan import check, make
from packager.registry import Catalog
from packager.stages import source
from packager.stages.contract import calibration_feeds, sample_name, source_goldens
from packager.stages.contract.samples import unmet

CATALOG = Catalog()
Answer = Callable[[dict[str, Any]], dict[str, Any]]


def scores(feed: dict[str, Any]) -> dict[str, Any]:
    """The small model in numpy."""
    colour = feed["image"].mean(axis=(1, 2))
    logits = colour @ np.array([[6, -6], [0, 0], [-6, 6]], np.float32)
    powers = np.exp(logits)
    return {"scores": (powers / powers.sum()).astype(np.float32)}


def goldens(folder: Path, answer: Answer = scores, **changes: Any) -> Any:
    file = tiny_project(folder, **changes)
    manifest = load(file, CATALOG)
    found = source.inspect(folder / "tiny.onnx", {}, CATALOG)

    def resolve(address: Any) -> Path:
        return folder / str(address)

    made = make(manifest, found, check(manifest, found, CATALOG, resolve), CATALOG)
    return source_goldens(manifest, made, CATALOG, resolve, lambda feeds: [answer(feed) for feed in feeds])


def steps(*named: Any) -> dict[str, Any]:
    return {"photo": {"accepts": {"image": {"max": "1 MP"}}, "steps": list(named)}}


RESIZE, NORMALIZE = tiny_manifest()["inputs"]["photo"]["steps"]


def test_each_stage_of_a_sample_is_kept(tmp_path: Path) -> None:
    red, blue = goldens(tmp_path)
    assert (red.name, blue.name) == ("red", "blue")
    assert red.decoded["photo"].shape == (10, 12, 3)
    assert red.model_inputs["image"].shape == (1, 8, 8, 3)
    np.testing.assert_allclose(red.model_inputs["image"][0, 0, 0], np.array([250, 10, 20]) / 255, rtol=1e-6)
    assert red.results["colour"].labels[0].label == "red"
    assert blue.results["colour"].labels[0].label == "blue"


def test_a_wrong_channel_order_names_the_samples_and_both_answers(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        goldens(tmp_path, inputs=steps(RESIZE, {"channels": {"order": "bgr"}}, NORMALIZE))
    texts = [finding.what for finding in caught.value.findings]
    assert len(texts) == 2
    assert texts[0].startswith("sample `red`: colour is `blue` with 1.0000, ")
    assert texts[0].endswith("expected `red` with a score from 0.9 to 1")
    assert [finding.source_line.strip() for finding in caught.value.findings] == ["label: red", "label: blue"]


def test_a_wrong_range_is_seen_by_the_score(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"`red` with 0\.5"):
        goldens(tmp_path, inputs=steps(RESIZE, {"normalize": {"mean": 0, "std": 65025}}))


def test_a_source_that_is_not_finite_stops_here(tmp_path: Path) -> None:
    def broken(_: dict[str, Any]) -> dict[str, Any]:
        return {"scores": np.array([[np.nan, 1]], np.float32)}

    with pytest.raises(ContractError, match="output `scores` is not finite"):
        goldens(tmp_path, broken)


def test_a_file_that_cannot_be_decoded_is_the_manifests(tmp_path: Path) -> None:
    tiny_project(tmp_path)
    Image.new("LA", (4, 4)).save(tmp_path / "clear.png")
    with pytest.raises(ManifestError, match="transparency") as caught:
        goldens(tmp_path, samples=[{"photo": "clear.png"}])
    finding = caught.value.findings[0]
    assert finding.where is not None
    assert "clear.png" in finding.source_line


def test_calibration_goes_through_the_same_steps(tmp_path: Path) -> None:
    file = tiny_project(tmp_path, calibration={"photo": ["blue.png", "red.png", "dark.png"]})
    Image.new("RGB", (9, 9), (1, 2, 3)).save(tmp_path / "dark.png")
    manifest = load(file, CATALOG)
    found = source.inspect(tmp_path / "tiny.onnx", {}, CATALOG)
    chains = check(manifest, found, CATALOG, lambda address: tmp_path / str(address))
    made = make(manifest, found, chains, CATALOG)
    feeds = calibration_feeds(manifest, made, CATALOG, lambda address: tmp_path / str(address))
    assert [round(float(feed["image"][0, 0, 0, 2]) * 255) for feed in feeds] == [250, 20, 3]


def test_names_of_samples_never_collide() -> None:
    taken: list[str] = []
    for index, file in enumerate(["a_2.png", "b/a.png", "c/a.png", "d/A.jpg", "ä b.png", ".png", "e/a_b.png"]):
        taken.append(sample_name(Sample(files={"photo": file}), index, taken))
    assert taken[:2] == ["a_2", "a"]
    assert len({name.casefold() for name in taken}) == len(taken)
    assert all(name.isascii() and " " not in name for name in taken)


BEST = Classification((Label("cat", 0.75, 1), Label("dog", 0.25, 0)))


@pytest.mark.parametrize(
    ("expect", "holds"),
    [
        (Expect(label="cat"), True),
        (Expect(label="dog"), False),
        (Expect(label="Cat"), False),
        (Expect(score=(0.75, 0.75)), True),
        (Expect(score=(0.0, 0.7499)), False),
        (Expect(label="cat", score=(0.7501, 1.0)), False),
    ],
)
def test_expectations_hold_or_say_what_was_found(expect: Expect, holds: bool) -> None:
    problem = unmet(expect, BEST)
    assert (problem is None) == holds
    if problem is not None:
        assert problem[0] == "`cat` with 0.7500"


def test_without_a_label_nothing_is_expected_to_hold() -> None:
    assert unmet(Expect(label="cat"), Classification(())) == ("without a label", "`cat`")
