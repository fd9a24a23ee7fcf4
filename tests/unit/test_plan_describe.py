"""What chains say about a model's tensors, and formats that cannot have a contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_plan_chains import CATALOG, LABELS, NORMALIZE, RESIZE, chains, image_steps, one, project, source

from packager.manifest import load
from packager.model.description import Description, OutputDescription, PixelInput
from packager.model.tensors import TensorSpec
from packager.plan import describe, make
from packager.steps import layout, normalize

CHANNELS_FIRST = TensorSpec("image", "float32", (None, 3, 8, 8))


def described(folder: Path, seen: Any = None, **changes: Any) -> Description:
    inputs, outputs = chains(folder, seen, **changes)
    return describe(load(project(folder, **changes), CATALOG), inputs, outputs, CATALOG)


def test_an_image_with_mean_and_std(tmp_path: Path) -> None:
    found = described(tmp_path)
    (photo,), (colour,) = found.inputs, found.outputs
    assert photo.pixels == PixelInput(8, 8, "rgb", (0.0,) * 3, (255.0,) * 3, "nhwc", True)
    assert (photo.name, photo.tensor, photo.why_not) == ("photo", "image", "")
    about = "float32[1,2] -> labels -> Classification"
    assert colour == OutputDescription("colour", ("scores",), about, ("red", "blue"), direct=True, plain=True)
    assert (found.name, found.version, found.license) == ("tiny", "1.0.0", "CC0-1.0")


def test_order_of_channels_and_axes(tmp_path: Path) -> None:
    steps = (
        RESIZE,
        {"channels": {"order": "bgr"}},
        {"normalize": {"mean": [1, 2, 3], "std": 2}},
        {"layout": {"order": "nchw"}},
    )
    (photo,) = described(tmp_path, source(inputs=(CHANNELS_FIRST,)), inputs=image_steps(*steps)).inputs
    assert photo.pixels == PixelInput(8, 8, "bgr", (1.0, 2.0, 3.0), (2.0,) * 3, "nchw", True)


def test_a_step_that_is_no_affine_map_of_a_pixel(tmp_path: Path) -> None:
    (photo,) = described(tmp_path, inputs=image_steps(RESIZE, {"standardize": {"like": "tensorflow"}})).inputs
    assert photo.pixels is None
    assert "`standardize`" in photo.why_not


def test_a_raw_tensor_is_no_image_and_needs_no_reason(tmp_path: Path) -> None:
    inputs = {"values": {"accepts": {"tensor": "raw"}}}
    (values,) = described(tmp_path, inputs=inputs, samples=[{"values": "red.png"}]).inputs
    assert (values.pixels, values.why_not) == (None, "")


@pytest.mark.parametrize(("mean", "std"), [(0.0, 255.0), (127.5, 127.5), (0.0, 1.0), (123.675, 58.395), (0.485, 0.229)])
def test_exact_means_equal_for_every_value(tmp_path: Path, mean: float, std: float) -> None:
    steps = image_steps(RESIZE, {"normalize": {"mean": mean, "std": std}})
    (photo,) = described(tmp_path, inputs=steps).inputs
    values = np.arange(256, dtype=np.float32)
    single = (values - np.float32(mean)) / np.float32(std)
    assert photo.pixels is not None
    assert photo.pixels.exact == np.array_equal(single, normalize.table(mean, std))


def test_scores_before_labels_are_told_apart(tmp_path: Path) -> None:
    open_end = source(activations={})
    (colour,) = described(tmp_path, open_end, outputs={"colour": {"steps": ["softmax", LABELS]}}).outputs
    assert (colour.direct, colour.plain) == (True, False)


def test_declared_numbers_are_those_of_the_steps() -> None:
    bound = normalize.Params.model_validate({"mean": [1, 2, 3], "std": 4})
    mean, std = normalize.per_channel(bound, 3)
    image = np.random.default_rng(1).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    np.testing.assert_allclose(normalize.apply(bound, image)[0], (image - np.array(mean)) / np.array(std), rtol=1e-6)
    turned = layout.apply(layout.Params(order="nchw"), normalize.apply(bound, image))
    np.testing.assert_array_equal(turned, normalize.apply(bound, image).transpose(layout.AXES))


def test_a_contract_that_no_image_of_core_ml_gives_is_refused_at_its_format(tmp_path: Path) -> None:
    formats = ["onnx/float32", "coreml_image/float32"]
    assert chains(tmp_path, formats=formats)
    finding = one(tmp_path, formats=formats, inputs=image_steps(RESIZE, {"standardize": {"like": "tensorflow"}}))
    assert finding.what.startswith("coreml_image/float32: input `photo` cannot be an image of Core ML")
    assert "coreml_image/float32" in finding.source_line


def test_plan_says_what_the_metadata_cannot(tmp_path: Path) -> None:
    formats = ["tflite/float32", "coreml_image/float32"]
    steps = image_steps(RESIZE, {"channels": {"order": "bgr"}}, NORMALIZE)
    outputs = {"colour": {"steps": ["softmax", LABELS]}}
    seen = source(activations={})
    inputs, made = chains(tmp_path, seen, inputs=steps, outputs=outputs, formats=formats)
    manifest = load(project(tmp_path, inputs=steps, outputs=outputs, formats=formats), CATALOG)
    notes = make(manifest, seen, (inputs, made), CATALOG).notes
    assert any("TFLite metadata has no word for bgr" in note for note in notes)
    assert any("no class labels in the Core ML image package" in note for note in notes)
