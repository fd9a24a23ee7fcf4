"""Contract types: every chain must fit the model, and every finding comes at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from project_tools import tiny_manifest, write_manifest

from packager.core.errors import Finding, PlanError
from packager.manifest import load
from packager.model.contract import ImageType, ResultType, TensorType
from packager.model.source import ModelSource
from packager.model.tensors import Activation, TensorSpec
from packager.plan import check, contract_hash
from packager.registry import Catalog

CATALOG = Catalog()
IMAGE = TensorSpec("image", "float32", (None, 8, 8, 3))
SCORES = TensorSpec("scores", "float32", (None, 2))
RESIZE = {"resize": {"width": 8, "height": 8, "fit": "crop", "like": "pillow", "method": "bilinear"}}
NORMALIZE = {"normalize": {"mean": 0, "std": 255}}
LABELS = {"labels": {"names": ["red", "blue"], "top": 2}}


def source(**changes: Any) -> ModelSource:
    values: dict[str, Any] = {
        "format": "onnx",
        "sha256": "0" * 64,
        "inputs": (IMAGE,),
        "outputs": (SCORES,),
        "activations": {"scores": Activation("softmax", "end_node")},
    }
    return ModelSource(**(values | changes))


def project(folder: Path, **changes: Any) -> Path:
    for name in ("tiny.onnx", "red.png", "blue.png"):
        (folder / name).touch()
    return write_manifest(folder, tiny_manifest(**changes))


def chains(folder: Path, seen: ModelSource | None = None, **changes: Any) -> Any:
    manifest = load(project(folder, **changes), CATALOG)
    return check(manifest, seen or source(), CATALOG, lambda address: folder / str(address))


def findings(folder: Path, seen: ModelSource | None = None, **changes: Any) -> tuple[Finding, ...]:
    with pytest.raises(PlanError) as caught:
        chains(folder, seen, **changes)
    return caught.value.findings


def one(folder: Path, seen: ModelSource | None = None, **changes: Any) -> Finding:
    found = findings(folder, seen, **changes)
    assert len(found) == 1, [finding.what for finding in found]
    assert found[0].where is not None
    assert Path(found[0].where.file).name == "manifest.yaml"
    return found[0]


def image_steps(*steps: Any, tensor: str | None = None) -> dict[str, Any]:
    declared: dict[str, Any] = {"accepts": {"image": {"max": "1 MP"}}, "steps": list(steps)}
    return {"photo": declared | ({"tensor": tensor} if tensor else {})}


def test_types_along_a_fitting_chain(tmp_path: Path) -> None:
    (photo,), (colour,) = chains(tmp_path)
    assert photo.types == (
        ImageType(None, None, "rgb", 1_000_000),
        ImageType(8, 8, "rgb", 64),
        TensorType("float32", (1, 8, 8, 3)),
    )
    assert colour.types == (
        TensorType("float32", (1, 2), Activation("softmax", "end_node")),
        ResultType("Classification"),
    )


@pytest.mark.parametrize(
    ("steps", "what", "hint"),
    [
        ([NORMALIZE], "needs an image of a known size", "resize"),
        ([RESIZE], "gives image (8x8, rgb), the model's `image` takes float32[1,8,8,3]", "normalize"),
        ([], "gives image (at most 1 MP, rgb)", "resize"),
        ([RESIZE, NORMALIZE, RESIZE], "works on an image", ""),
    ],
)
def test_a_missing_or_misplaced_step_is_named(tmp_path: Path, steps: list[Any], what: str, hint: str) -> None:
    finding = one(tmp_path, inputs=image_steps(*steps))
    assert what in finding.what
    assert hint in finding.hint


def test_a_wrong_size_shows_both_shapes(tmp_path: Path) -> None:
    wrong = {"resize": {**RESIZE["resize"], "width": 9}}
    finding = one(tmp_path, inputs=image_steps(wrong, NORMALIZE))
    assert "float32[1,8,9,3]" in finding.what
    assert "float32[1,8,8,3]" in finding.what
    assert "normalize" in finding.source_line


def test_transposed_layout_has_a_hint(tmp_path: Path) -> None:
    channels_first = source(inputs=(TensorSpec("image", "float32", (1, 3, 8, 8)),))
    assert "order of dimensions" in one(tmp_path, channels_first).hint


def test_a_wrong_dtype_is_refused(tmp_path: Path) -> None:
    halves = source(inputs=(TensorSpec("image", "float16", (1, 8, 8, 3)),))
    assert "float16[1,8,8,3]" in one(tmp_path, halves).what


def test_unknown_tensors_name_those_that_the_model_has(tmp_path: Path) -> None:
    finding = one(tmp_path, inputs=image_steps(RESIZE, NORMALIZE, tensor="imaje"))
    assert finding.what == "the model has no input `imaje`"
    assert "`image`" in finding.expected
    assert "tensor: imaje" in finding.source_line
    wrong = one(tmp_path, outputs={"colour": {"tensor": "score", "steps": [LABELS]}})
    assert wrong.what == "the model has no output `score`"


def test_a_tensor_must_be_named_where_there_are_several(tmp_path: Path) -> None:
    two = source(outputs=(SCORES, TensorSpec("aux", "float32", (None, 2))))
    finding = one(tmp_path, two)
    assert finding.what == "the model has 2 outputs"
    assert "`scores`, `aux`" in finding.expected


def test_two_inputs_cannot_feed_one_tensor(tmp_path: Path) -> None:
    twice = {
        "photo": image_steps(RESIZE, NORMALIZE)["photo"],
        "second": image_steps(RESIZE, NORMALIZE)["photo"],
    }
    sample = {"photo": "red.png", "second": "blue.png"}
    assert "several inputs feed it" in one(tmp_path, inputs=twice, samples=[sample]).what


def test_every_tensor_of_the_model_must_be_fed(tmp_path: Path) -> None:
    two = source(inputs=(IMAGE, TensorSpec("mask", "float32", (1, 4))))
    finding = one(tmp_path, two, inputs=image_steps(RESIZE, NORMALIZE, tensor="image"))
    assert finding.what == "the model's input `mask`: no input feeds it"


def test_the_number_of_labels_must_be_the_models(tmp_path: Path) -> None:
    three = {"labels": {"names": ["a", "b", "c"]}}
    finding = one(tmp_path, outputs={"colour": {"steps": [three]}})
    assert "3 labels" in finding.what
    assert "2 scores" in finding.what


def test_a_second_softmax_names_the_node_that_ends_the_model(tmp_path: Path) -> None:
    finding = one(tmp_path, outputs={"colour": {"steps": ["softmax", LABELS]}})
    assert "already ends in softmax" in finding.what
    assert "`end_node`" in finding.what
    assert "softmax" in finding.source_line
    assert finding.hint == "remove the `softmax` step"


def test_a_first_softmax_is_fine(tmp_path: Path) -> None:
    _, (colour,) = chains(tmp_path, source(activations={}), outputs={"colour": {"steps": ["softmax", LABELS]}})
    assert [use.step for use in colour.steps] == ["softmax", "labels"]


def test_an_output_must_end_in_a_result(tmp_path: Path) -> None:
    finding = one(tmp_path, source(activations={}), outputs={"colour": {"steps": ["softmax"]}})
    assert "not in a typed result" in finding.what


def test_open_dimensions_must_be_given(tmp_path: Path) -> None:
    free = source(inputs=(TensorSpec("image", "float32", (None, None, None, 3)),))
    finding = one(tmp_path, free)
    assert "[1,?,?,3]" in finding.what
    assert "shapes: {image: [...]}" in finding.hint
    given = {"source": "tiny.onnx", "shapes": {"image": [1, 8, 8, 3]}}
    (photo,), _ = chains(tmp_path, free, model=given)
    assert photo.end == TensorType("float32", (1, 8, 8, 3))


def test_an_output_of_unknown_shape_is_no_crash(tmp_path: Path) -> None:
    unseen = source(outputs=(TensorSpec("scores", "float32", ()),), facts={"unknown_shapes": ["scores"]})
    assert "cannot be seen" in one(tmp_path, unseen).what


def test_all_findings_come_at_once(tmp_path: Path) -> None:
    found = findings(
        tmp_path,
        inputs=image_steps(NORMALIZE),
        outputs={"colour": {"steps": ["softmax", LABELS]}},
        formats=["tflite/int8"],
        targets={"ios": {"runtime": "tflite", "precision": "float32", "bundle_id": "org.example.tiny"}},
    )
    texts = [finding.what for finding in found]
    assert len(texts) == 4, texts
    for part in ("known size", "already ends in softmax", "needs calibration data", "no swift engine"):
        assert any(part in text for text in texts), part
    assert len({finding.where for finding in found}) == 4


def test_the_contract_hash_follows_the_contract_only(tmp_path: Path) -> None:
    def of(**changes: Any) -> str:
        return contract_hash(*chains(tmp_path, **changes))

    first = of()
    assert of(version="2.0.0", license="MIT", formats=["tflite/float32"]) == first
    others = [
        of(inputs=image_steps(RESIZE, {"normalize": {"mean": 0, "std": 254}})),
        of(inputs=image_steps({"resize": {**RESIZE["resize"], "fit": "stretch"}}, NORMALIZE)),
        of(inputs=image_steps(RESIZE, {"channels": {"order": "bgr"}}, NORMALIZE)),
        of(outputs={"colour": {"steps": [{"labels": {"names": ["blue", "red"], "top": 2}}]}}),
        of(outputs={"color": {"steps": [LABELS]}}, samples=[{"photo": "red.png"}]),
    ]
    assert len({first, *others}) == 6


def test_labels_of_a_file_count_by_content(tmp_path: Path) -> None:
    steps = [{"labels": {"file": "names.txt", "top": 2}}]
    hashes = []
    for text in ("red\nblue\n", "red\nblue", "blue\nred\n"):
        (tmp_path / "names.txt").write_text(text, "utf-8")
        hashes.append(contract_hash(*chains(tmp_path, outputs={"colour": {"steps": steps}})))
    assert hashes[0] == hashes[1] != hashes[2]


ERRORS: list[Any] = [
    {"reconstruction_error": {"metric": "mse"}},
    {"threshold": {"limit": 1, "below": "a", "above": "b"}},
]
CODE, SIGNAL = TensorSpec("code", "float32", (1, 4)), TensorSpec("signal", "float32", (1, 4))
AUTOENCODER: dict[str, Any] = {"inputs": (SIGNAL,), "outputs": (CODE, SCORES), "activations": {}}
RAW: dict[str, Any] = {"reading": {"accepts": {"tensor": "raw"}}}


def anomaly(folder: Path, *tensors: str, seen: ModelSource | None = None, **changes: Any) -> Any:
    declared = {"odd": {"tensors": list(tensors), "steps": ERRORS}}
    samples = [{"reading": "red.png"}]
    found = seen or source(**AUTOENCODER)
    return chains(folder, found, **{"inputs": RAW, "outputs": declared, "samples": samples, **changes})


def test_an_output_may_take_the_models_own_input(tmp_path: Path) -> None:
    _, (odd,) = anomaly(tmp_path, "code", "signal")
    assert (odd.tensors, odd.givers, odd.made) == (("code", "signal"), ("", "reading"), ("code",))
    assert str(odd.types[0]) == "(float32[1,4], float32[1,4])"
    same = source(**{**AUTOENCODER, "outputs": (CODE, TensorSpec("signal", "float32", (1, 4)))})
    _, (plain,) = anomaly(tmp_path, "code", "signal", seen=same)
    assert plain.givers == ("", ""), "an output of the same name comes first"
    assert contract_hash((), (odd,)) != contract_hash((), (plain,))


@pytest.mark.parametrize(
    ("tensors", "what", "expected"),
    [
        (("code", "reading"), "the model has no tensor `reading`", "of the inputs `signal`"),
        (("signal", "code"), "`signal` is an input of the model", "first one of its outputs `code`, `scores`"),
        (("code", "code"), "`code` stands twice", "once"),
    ],
)
def test_other_tensors_of_an_output_are_refused(
    tensors: tuple[str, ...], what: str, expected: str, tmp_path: Path
) -> None:
    with pytest.raises(PlanError) as caught:
        anomaly(tmp_path, *tensors)
    (finding,) = caught.value.findings
    assert finding.what == what
    assert expected in finding.expected
    assert finding.source_line.strip() == f"- {finding.what.split('`')[1]}"


def test_an_input_with_a_finding_gives_no_second_one(tmp_path: Path) -> None:
    wrong = {"reading": {"accepts": {"tensor": "raw"}, "steps": [{"reshape": {"shape": [2, 2]}}]}}
    with pytest.raises(PlanError) as caught:
        anomaly(tmp_path, "code", "signal", inputs=wrong)
    (finding,) = caught.value.findings
    assert "gives float32[2,2]" in finding.what
