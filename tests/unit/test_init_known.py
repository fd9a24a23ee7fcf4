"""What files say of their own preprocessing: ONNX and TFLite metadata, layers of Keras, Hugging Face's files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx
import pytest
import yaml
from onnx import TensorProto, helper
from sources_tools import fetch, functional, keras_2, layer
from test_init_draft import drafted
from test_init_recipes import only
from test_metadata_stamp import LABELS, description, request
from test_sources_files import packed, tflite_model

from packager.core.errors import ModelError
from packager.drafting import Wish
from packager.importers import tflite_file
from packager.model.address import PackageFile
from packager.model.recipes import Known
from packager.model.tensors import Activation, TensorSpec
from packager.recipes import detections, image
from packager.recipes.image.hub_config import read as hub
from packager.runtimes.onnx import stamp as onnx_stamp
from packager.runtimes.tflite import stamp as tflite_stamp
from packager.sources import keras_h5
from packager.sources import onnx as onnx_source
from packager.sources import tflite as tflite_source

WHEEL = "mediapipe-0.10.14-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"


def mediapipe(file: str, sha256: str) -> Path:
    return fetch(PackageFile(package="pypi:mediapipe==0.10.14", archive=WHEEL, file=file, sha256=sha256))


# TFLite


def test_our_own_stamp_of_a_tflite_file_is_read_back(tmp_path: Path) -> None:
    about = description()
    tflite_stamp.stamp(request(about), {"model": packed(tmp_path, tflite_model())}, tmp_path)
    found = tflite_source.known(tmp_path / tflite_stamp.FILE)
    assert (found.mean, found.std) == ((127.5, 0.25, 3.0), (127.5, 2.0, 0.5))
    assert (found.size, found.color, found.labels, found.license) == ((4, 8), "rgb", LABELS, "Zlib")
    assert found.names == {"in": "photo", "out": "verdict"}
    assert found.origin == ("TFLite metadata",)


def test_files_without_metadata_say_nothing(tmp_path: Path) -> None:
    assert tflite_source.known(packed(tmp_path, tflite_model())) == Known()


def test_mediapipes_own_metadata_is_read() -> None:
    face = tflite_source.known(
        mediapipe(
            "mediapipe/modules/face_detection/face_detection_short_range.tflite",
            "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
        )
    )
    assert (face.mean, face.std, face.color, face.labels) == ((127.5,), (127.5,), "rgb", ())
    assert face.names == {"input": "image", "regressors": "raw boxes/keypoints", "classificators": "scores"}
    palm = tflite_source.known(
        mediapipe(
            "mediapipe/modules/palm_detection/palm_detection_full.tflite",
            "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
        )
    )
    assert (palm.mean, palm.std, palm.labels) == ((0.0,), (255.0,), ("palm",)), "the label stands in its archive"


@pytest.mark.parametrize("damage", ["identifier", "offset", "archive"])
def test_broken_tflite_metadata_is_refused_or_left_out(tmp_path: Path, damage: str) -> None:
    tflite_stamp.stamp(request(description()), {"model": packed(tmp_path, tflite_model())}, tmp_path)
    path = tmp_path / tflite_stamp.FILE
    data = bytearray(path.read_bytes())
    start = data.index(b"M001") - 4
    if damage == "identifier":
        data[start + 4 : start + 8] = b"X999"
        path.write_bytes(data)
        assert tflite_source.known(path).mean is None
        return
    if damage == "offset":
        data[start : start + 4] = b"\xff\xff\xff\x7f"
    else:
        at = data.index(LABELS[0].encode(), data.index(b"PK\x03\x04"))
        data[at : at + 3] = b"\xff\xfe\xfd"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"the metadata of model.tflite is broken"):
        tflite_source.known(path)


def test_the_reader_agrees_with_the_file_on_tensors() -> None:
    """Names of the metadata are keyed by the file's own tensors."""
    path = mediapipe(
        "mediapipe/modules/face_detection/face_detection_short_range.tflite",
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    )
    tensors = {tflite_file.tensor_name(tensor) for tensor in tflite_file.load(path).subgraphs[0].tensors}
    assert set(tflite_source.known(path).names) <= tensors


# ONNX


def graph(path: Path, given: list[Any], made: list[Any], metadata: dict[str, str]) -> Path:
    """One node without weights, of these shapes."""
    x = helper.make_tensor_value_info("images", TensorProto.FLOAT, given)
    y = helper.make_tensor_value_info("output0", TensorProto.FLOAT, made)
    shape = helper.make_tensor("s", TensorProto.INT64, [len(made)], [n if isinstance(n, int) else 1 for n in made])
    node = helper.make_node("Expand", ["one", "s"], ["output0"])
    first = helper.make_node("ReduceMean", ["images"], ["one"], keepdims=0)
    model = helper.make_model(
        helper.make_graph([first, node], "g", [x], [y], [shape]), opset_imports=[helper.make_opsetid("", 13)]
    )
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


def test_our_own_stamp_of_an_onnx_file_is_read_back(tmp_path: Path) -> None:
    path = graph(tmp_path / "in.onnx", [1, 4, 8, 3], [1, 4], {})
    about = {**request(description()), "labels": {"verdict": list(LABELS)}}
    onnx_stamp.stamp(about, {"model": path}, tmp_path)
    found = onnx_source.known(tmp_path / onnx_stamp.FILE)
    assert (found.mean, found.std) == ((127.5, 0.25, 3.0), (127.5, 2.0, 0.5))
    assert (found.size, found.color, found.labels, found.license) == ((4, 8), "rgb", LABELS, "Zlib")


YOLO = {
    "description": "Ultralytics YOLOv8n model trained on coco.yaml", "author": "Ultralytics", "version": "8.3.0",
    "license": "AGPL-3.0 License (https://ultralytics.com/license)", "stride": "32", "task": "detect", "batch": "1",
    "imgsz": "[64, 96]", "names": "{0: 'person', 1: 'bicycle', 2: 'car'}",
}  # fmt: skip

LETTERBOX = {"width": 96, "height": 64, "fit": "letterbox", "like": "opencv-4", "method": "bilinear", "fill": 114}


def test_an_ultralytics_detector_needs_a_photo_alone(tmp_path: Path) -> None:
    boxes = sum((64 // s) * (96 // s) for s in (8, 16, 32))
    path = graph(tmp_path / "yolov8n.onnx", [1, 3, "height", "width"], [1, 7, boxes], YOLO)
    text = drafted(Wish(path, tmp_path / "manifest.yaml"))
    made = yaml.safe_load(text)
    assert made["license"] == "AGPL-3.0"
    assert made["model"]["shapes"] == {"images": [1, 3, 64, 96]}
    assert made["inputs"]["photo"]["steps"] == [
        {"resize": dict(LETTERBOX)},
        {"normalize": {"mean": 0, "std": 255}},
        {"layout": {"order": "nchw"}},
    ]
    assert made["outputs"]["objects"]["steps"][0] == {"yolo_boxes": {"layout": "v8", "threshold": 0.25}}
    assert made["outputs"]["objects"]["steps"][2] == {"detections": {"names": ["person", "bicycle", "car"]}}
    marked = [line.strip() for line in text.splitlines() if "# GUESS" in line]
    assert [line.split(":")[0].lstrip("- ") for line in marked] == ["nms", "samples"]


def test_a_head_that_was_filtered_inside_the_file_stays_numbers() -> None:
    """[1, 300, 6] after NMS inside the file is no YOLO head, whatever its metadata says."""
    picture = [TensorSpec("images", "float32", (1, 3, 64, 96))]
    known = Known(head="yolo-v8", labels=("a", "b"))
    assert detections.together(picture, [TensorSpec("output0", "float32", (1, 300, 6))], known) == ()
    boxes = sum((64 // s) * (96 // s) for s in (8, 16, 32))
    assert detections.together(picture, [TensorSpec("output0", "float32", (1, 6, boxes))], known)
    older = only(detections.together(picture, [TensorSpec("output0", "float32", (1, 3 * boxes, 7))], Known()))
    assert (older.steps[0].params or {})["layout"] == "v5"
    assert older.steps[0].guess


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"Image.NominalPixelRange": "Normalized_0_1", "Image.BitmapPixelFormat": "Bgr8"},
         Known(mean=(0.0,), std=(255.0,), color="bgr")),
        ({"mean": "[0.485, 0.456, 0.406]", "std": "0.229,0.224,0.225"},
         Known(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))),
        ({"mean": "0.5", "std": "1"}, Known()),
        ({"mean": "[1, 2, 3]", "std": "0"}, Known()),
        ({"labels": '["cat", "dog"]', "input_size": "224"}, Known(labels=("cat", "dog"), size=(224, 224))),
        ({"id2label": '{"0": "cat", "1": "dog"}', "license": "MIT"}, Known(labels=("cat", "dog"), license="MIT")),
        ({"names": "{0: 'a', 2: 'b'}", "license": "see the file beside"}, Known()),
        ({"task": "classify", "imgsz": "[224, 224]", "stride": "1", "names": "{0: 'cat', 1: 'dog'}"},
         Known(labels=("cat", "dog"), size=(224, 224), shorter=224, mean=(0.0,), std=(255.0,), color="rgb",
               method="bilinear")),
    ],
)  # fmt: skip
def test_usual_keys_of_onnx_metadata(tmp_path: Path, given: dict[str, str], expected: Known) -> None:
    found = onnx_source.known(graph(tmp_path / "n.onnx", [1, 3, 8, 8], [1, 2], given))
    for name in Known.__dataclass_fields__:
        if name != "origin":
            assert getattr(found, name) == getattr(expected, name), name
    assert bool(found.origin) == (expected != Known())


def test_a_softmax_that_jax_wrote_out_is_seen(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Exp", ["x"], ["e"]),
        helper.make_node("ReduceSum", ["e", "axes"], ["sum"], keepdims=0),
        helper.make_node("Unsqueeze", ["sum", "axes"], ["wide"]),
        helper.make_node("Div", ["e", "wide"], ["y"], name="end"),
    ]
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [1])
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])
    model = helper.make_model(
        helper.make_graph(nodes, "g", [x], [y], [axes]), opset_imports=[helper.make_opsetid("", 13)]
    )
    onnx.save(model, tmp_path / "n.onnx")
    assert onnx_source.inspect(tmp_path / "n.onnx", {}).activations == {"y": Activation("softmax", "end")}
    nodes[0].op_type = "Sqrt"
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", [x], [y], [axes]),
                                opset_imports=[helper.make_opsetid("", 13)]), tmp_path / "n.onnx")  # fmt: skip
    assert onnx_source.inspect(tmp_path / "n.onnx", {}).activations == {}


# Hugging Face

IMAGENET: dict[str, Any] = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param({"image_processor_type": "ViTImageProcessor", "do_resize": True, "resample": 2, "do_rescale": True,
                      "rescale_factor": 1 / 255, "size": {"height": 224, "width": 192}, "do_normalize": True,
                      "image_mean": [0.5] * 3, "image_std": [0.5] * 3},
                     {"size": (224, 192), "fit": "stretch", "method": "bilinear", "mean": (127.5,) * 3,
                      "std": (127.5,) * 3}, id="square"),
        pytest.param({**IMAGENET, "size": {"shortest_edge": 256}, "do_center_crop": True, "resample": 3,
                      "crop_size": {"height": 224, "width": 224}},
                     {"size": (224, 224), "shorter": 256, "method": "bicubic", "mean": (123.675, 116.28, 103.53)},
                     id="shorter side and centre"),
        pytest.param({"feature_extractor_type": "ViTFeatureExtractor", "size": 224, "resample": 2},
                     {"size": (224, 224), "fit": "stretch", "shorter": None}, id="old square"),
        pytest.param({"feature_extractor_type": "CLIPFeatureExtractor", "size": 224, "crop_size": 224, "resample": 3,
                      "do_center_crop": True}, {"size": (224, 224), "shorter": 224}, id="old shorter side"),
        pytest.param({"feature_extractor_type": "DeiTFeatureExtractor", "size": 256, "crop_size": 224, "resample": 3,
                      "do_center_crop": True}, {"size": (224, 224), "resized": (256, 256)}, id="square and centre"),
        pytest.param({"image_processor_type": "ConvNextImageProcessor", "crop_pct": 0.875, "resample": 3,
                      "size": {"shortest_edge": 224}}, {"size": (224, 224), "shorter": 256}, id="share of the centre"),
        pytest.param({"image_processor_type": "LevitImageProcessor", "do_center_crop": True, "crop_size": 224,
                      "size": {"shortest_edge": 224}}, {"size": (224, 224), "shorter": 256}, id="larger than said"),
        pytest.param({"image_processor_type": "PoolFormerImageProcessor", "crop_pct": 0.9, "do_center_crop": True,
                      "size": {"shortest_edge": 224}, "crop_size": {"height": 224, "width": 224}},
                     {"size": (224, 224), "shorter": 248}, id="share of the centre, with its size"),
        pytest.param({"do_center_crop": True, "size": {"shortest_edge": 224}, "crop_size": 256},
                     {"size": None, "shorter": None}, id="zeros around the picture"),
        pytest.param({"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 384}},
                     {"size": (384, 384), "fit": "stretch", "method": None}, id="large, whole"),
        pytest.param({"do_rescale": False, "do_normalize": False, "size": {"height": 8, "width": 8}},
                     {"mean": (0.0,), "std": (1.0,)}, id="raw levels"),
        pytest.param({"rescale_factor": 1 / 127.5, "rescale_offset": True, "do_normalize": False, "size": 8},
                     {"mean": (127.5,), "std": (127.5,)}, id="rescaled with an offset"),
        pytest.param({"do_flip_channel_order": True, "do_rescale": True, "size": {"shortest_edge": 288},
                      "do_center_crop": True, "crop_size": {"height": 256, "width": 256}},
                     {"color": "bgr", "mean": (0.0,), "std": (255.0,), "shorter": 288, "size": (256, 256)}, id="bgr"),
        pytest.param({**IMAGENET, "size": {"shortest_edge": 800, "longest_edge": 1333}, "do_pad": True},
                     {"size": None, "fit": None, "shorter": None}, id="depends on the picture"),
        pytest.param({"do_resize": False, **IMAGENET, "size": {"height": 8, "width": 8}, "resample": 3},
                     {"size": None, "fit": None, "method": None}, id="not resized"),
        pytest.param({"feature_extractor_type": "Wav2Vec2FeatureExtractor", "sampling_rate": 16000, "size": 1},
                     {"mean": None, "size": None, "color": None}, id="sound"),
    ],
)  # fmt: skip
def test_keys_of_hugging_face(tmp_path: Path, config: dict[str, Any], expected: dict[str, Any]) -> None:
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(config))
    found = hub(tmp_path / "model.onnx")
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize("text", ["{", '{"size": {"height": "x", "width": 2}}', '{"rescale_factor": 0}'])
def test_hugging_face_files_that_cannot_be_read_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "preprocessor_config.json").write_text(text)
    with pytest.raises(ModelError, match=r"preprocessor_config\.json"):
        hub(tmp_path / "model.onnx")


def test_labels_that_stand_for_nothing_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}))
    assert hub(tmp_path / "model.onnx") == Known()


def test_a_known_centre_becomes_two_steps_without_a_guess() -> None:
    known = Known(size=(224, 224), shorter=256, method="bicubic", mean=(0.0,), std=(255.0,), color="rgb")
    (only,) = image.proposals(TensorSpec("x", "float32", (1, 3, 224, 224)), known)
    assert [(step.name, step.params, step.guess) for step in only.steps] == [
        ("resize", {"shorter": 256, "like": "pillow", "method": "bicubic"}, ""),
        ("crop", {"width": 224, "height": 224}, ""),
        ("normalize", {"mean": 0.0, "std": 255.0}, ""),
        ("layout", {"order": "nchw"}, ""),
    ]
    other = image.proposals(TensorSpec("x", "float32", (1, 3, 192, 192)), known)
    assert {step.guess for proposal in other for step in proposal.steps if step.name == "resize"} == {
        "crop", "stretch", "letterbox", "the margin around the centre"
    }, "a size that the model does not take is no fact"  # fmt: skip


# Keras


def layers_known(tmp_path: Path, *layers: dict[str, Any], size: list[Any] | None = None) -> Known:
    first = layer("InputLayer", "photo", batch_input_shape=[None, *(size or [32, 24]), 3], dtype="float32")
    conv = layer("Conv2D", "conv", layers[-1]["name"], filters=8, kernel_size=[3, 3], activation="relu")
    config = functional([first, *layers, conv], ["photo"], ["conv"])
    return keras_h5.known(keras_2(tmp_path / "m.h5", config))


@pytest.mark.parametrize(
    ("kind", "config", "mean", "std"),
    [
        ("Rescaling", {"scale": 1 / 255, "offset": 0.0}, 0.0, 1.0),
        ("Rescaling", {"scale": 1 / 127.5, "offset": -1.0}, 0.0, 1.0),
        ("Rescaling", {"scale": 2.0, "offset": -1.0}, 0.0, 255.0),
        ("Normalization", {"axis": [-1], "mean": [123.7, 116.3, 103.5], "variance": [3410, 3263, 3292]}, 0.0, 1.0),
        ("Normalization", {"axis": [-1], "mean": [0.48, 0.45, 0.4], "variance": [0.05, 0.05, 0.05]}, 0.0, 255.0),
    ],
)
def test_a_layer_that_scales_says_what_it_expects(
    tmp_path: Path, kind: str, config: dict[str, Any], mean: float, std: float
) -> None:
    found = layers_known(tmp_path, layer(kind, "scaled", "photo", **config))
    assert (found.scales_itself, found.mean, found.std) == (("scaled",), (mean,), (std,))
    assert found.origin == ("layer `scaled`",)


def test_a_layer_whose_numbers_are_weights_leaves_two_ranges(tmp_path: Path) -> None:
    found = layers_known(tmp_path, layer("Normalization", "norm", "photo", axis=[-1], mean=None, variance=None))
    assert (found.scales_itself, found.mean) == (("norm",), None)
    made = image.proposals(TensorSpec("photo", "float32", (1, 32, 24, 3)), found)
    scaled = [step.params for proposal in made for step in proposal.steps if step.name == "normalize"]
    assert {params["std"] for params in scaled if params} == {1, 255}


def test_a_layer_behind_weights_says_nothing(tmp_path: Path) -> None:
    conv = layer("Conv2D", "first", "photo", filters=3, kernel_size=[1, 1], activation="linear")
    found = layers_known(tmp_path, conv, layer("Rescaling", "late", "first", scale=0.1, offset=0.0))
    assert found == Known()


@pytest.mark.parametrize(
    ("kind", "config", "expected"),
    [
        ("Resizing", {"interpolation": "bilinear", "crop_to_aspect_ratio": False},
         {"size": (64, 48), "fit": "stretch", "method": "bilinear", "like": "tensorflow"}),
        ("Resizing", {"interpolation": "nearest", "crop_to_aspect_ratio": True},
         {"size": (64, 48), "fit": "crop", "method": "nearest", "like": "tensorflow"}),
        ("Resizing", {"interpolation": "bicubic", "crop_to_aspect_ratio": False},
         {"size": (64, 48), "fit": None, "method": None, "like": None}),
        ("CenterCrop", {}, {"size": (64, 48), "fit": None, "like": None}),
    ],
)  # fmt: skip
def test_a_layer_that_resizes_gives_the_free_sides(
    tmp_path: Path, kind: str, config: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = layers_known(tmp_path, layer(kind, "sized", "photo", height=64, width=48, **config), size=[None, None])
    assert {name: getattr(found, name) for name in expected} == expected
