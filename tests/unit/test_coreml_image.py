"""Core ML packages with an image as input and class labels: the same numbers as the tensor package, to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mil_harness import normal, save_program

from packager.core.errors import ConvertError
from packager.core.jsonable import to_json
from packager.core.samples import read_samples, write_samples
from packager.model.description import Description, InputDescription, OutputDescription, PixelInput
from packager.runtimes.coreml_image import cannot_say, check_contract

LABELS = ("cat", "dog", "Vögel", "a fish")


def described(pixels: PixelInput | None, labels: tuple[str, ...] = LABELS, **output: Any) -> dict[str, Any]:
    settings = {"direct": True, "plain": True, **output}
    made = Description(
        name="m",
        version="1.0.0",
        license="MIT",
        contract="c" * 64,
        inputs=(InputDescription("photo", "source:in", "image -> normalize", pixels),),
        outputs=(OutputDescription("verdict", ("source:out",), "labels", labels, **settings),),
    )
    return dict(to_json(made))


def pixels_of(
    color: str, layout: Any, mean: tuple[float, ...], std: tuple[float, ...], exact: bool = True
) -> PixelInput:
    return PixelInput(7, 5, color, mean, std, layout, exact)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("color", "layout", "mean", "std"),
    [
        ("rgb", "nhwc", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
        ("bgr", "nchw", (103.939, 116.779, 123.68), (1.0, 1.0, 1.0)),
        ("rgb", "nhwc", (127.5, 127.5, 127.5), (127.5, 64.0, 31.0)),
        ("grey", "nchw", (3.0,), (255.0,)),
    ],
)
@pytest.mark.parametrize("precision", ["FLOAT32", "FLOAT16"])
def test_image_and_tensor_package_agree(
    tmp_path: Path, color: str, layout: str, mean: tuple[float, ...], std: tuple[float, ...], precision: str
) -> None:
    import coremltools as ct
    from coremltools.converters.mil import Builder as mb

    from packager.runtimes.coreml.mil import MilProgram
    from packager.runtimes.coreml.stamp import read_stamp
    from packager.runtimes.coreml_image.run import run
    from packager.runtimes.coreml_image.stamp import stamp

    channels = len(mean)
    shape = (1, 5, 7, channels) if layout == "nhwc" else (1, channels, 5, 7)
    weight = normal(4, 35 * channels, seed=2) / np.float32(np.max(np.abs(mean)) + 9)

    def build(x: Any) -> Any:
        return mb.softmax(x=mb.linear(x=mb.reshape(x=x, shape=[1, 35 * channels]), weight=weight), axis=-1, name="out")

    options = {"compute_precision": getattr(ct.precision, precision), "pass_pipeline": ct.PassPipeline.DEFAULT}
    path = save_program(tmp_path, {"x": np.zeros(shape, np.float32)}, build, "iOS15", **options)
    about = described(pixels_of(color, layout, mean, std))
    mapping = {"inputs": {"source:in": "x"}, "outputs": {"source:out": "out"}}
    request = {"contract": "c" * 64, "labels": {"verdict": list(LABELS)}, "description": about, "mapping": mapping}
    (tmp_path / "stamped").mkdir()
    answer = stamp(request, {"model": path}, tmp_path / "stamped")
    assert answer["requires"] == [{"name": "iOS", "version": "15.0", "why": "specification version 6"}]
    made = tmp_path / "stamped" / answer["path"]
    assert read_stamp(made)["packager.contract"] == "c" * 64
    program, plain = MilProgram.load(made), MilProgram.load(path)
    assert (program.inputs[0].dtype, program.inputs[0].shape) == ("image", (5, 7, channels))
    images = np.random.default_rng(5).integers(0, 256, (3, 5, 7, channels), dtype=np.uint8)
    tensors = []
    for image in images:
        planes = (image.astype(np.float32) - np.float32(mean)) / np.float32(std)
        tensors.append((planes if layout == "nhwc" else planes.transpose(2, 0, 1))[None])
    for image, tensor in zip(images, tensors, strict=True):
        (want,) = plain.predict({"x": tensor}).values()
        got = program.predict({"x": image})
        assert list(got) == ["classLabel", "classLabel_probs"]
        assert got["classLabel"] == LABELS[int(want.argmax())]
        assert got["classLabel_probs"] == dict(zip(LABELS, want[0].tolist(), strict=True))
    feeds = write_samples(tmp_path / "feeds", [{"source:in": tensor} for tensor in tensors])
    kernel_sets = ["mil-eval", "mil-eval-half"]
    run({"kernel_sets": kernel_sets, "mapping": mapping}, {"model": made, "feeds": feeds}, tmp_path / "run")
    for name, half in zip(kernel_sets, (False, True), strict=True):
        for sample, tensor in zip(read_samples(tmp_path / "run" / name), tensors, strict=True):
            (want,) = plain.predict({"x": tensor}, half=half).values()
            np.testing.assert_array_equal(sample["source:out"], want)
    validated = ct.models.MLModel(str(made), skip_model_load=True).get_spec().description
    assert validated.predictedFeatureName == "classLabel"
    assert [item.name for item in validated.output] == ["classLabel", "classLabel_probs"]
    assert validated.input[0].type.imageType.width == 7


@pytest.mark.heavy
def test_a_tensor_that_no_image_gives_is_refused() -> None:
    from packager.runtimes.coreml_image.run import image_of

    pixels = to_json(pixels_of("rgb", "nhwc", (0.0,) * 3, (1.0,) * 3))
    assert image_of(np.full((1, 5, 7, 3), 255, np.float32), pixels).dtype == np.uint8
    for wrong in (0.5, 256.0, -1.0):
        with pytest.raises(ConvertError, match="not what an 8-bit image gives"):
            image_of(np.full((1, 5, 7, 3), wrong, np.float32), pixels)


def test_contracts_that_images_cannot_express_are_named() -> None:
    good = pixels_of("rgb", "nhwc", (0.0,) * 3, (1.0,) * 3)
    assert check_contract(described(good)) == ()
    assert cannot_say(described(good)) == ()
    (reason,) = check_contract(described(None))
    assert "`photo` cannot be an image" in reason
    (reason,) = check_contract(described(pixels_of("rgb", "nhwc", (0.3,) * 3, (0.7,) * 3, exact=False)))
    assert "differs from the contract's table" in reason
    (note,) = cannot_say(described(good, plain=False))
    assert "steps stand before the labels" in note
    (note,) = cannot_say(described(good, labels=("a", "b", "a", "c")))
    assert "two classes have one label" in note
