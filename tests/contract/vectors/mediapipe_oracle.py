"""Writes mediapipe_ssd.json: how MediaPipe's own calculators decode a face detector's output.

Arguments: image.npy (uint8 [h, w, 3]), file. Run by an interpreter that has mediapipe 0.10.14, numpy and protobuf; only
the framework's bindings are loaded. The graph is that of face_detection_short_range, with four settings of the decoder;
it runs the model twice, because a calculator that splits tensors must own them. `raw` holds the rows of the model's
output whose logit is not negative: anchor, logit, 16 numbers. The rest is what TensorsToDetectionsCalculator makes of
them: xmin, ymin, width, height, score, x and y of six points, as fractions of the input. skimage's astronaut gives 8.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np

VARIANTS = {
    "xywh": ("true", "true", "false"),
    "yxhw": ("false", "true", "false"),
    "exponential": ("true", "true", "true"),
    "anchors": ("true", "false", "true"),
}
"""reverse_output_order, fixed_anchor_size, apply_exponential_on_box_size."""
MODEL = "mediapipe/modules/face_detection/face_detection_short_range.tflite"
OPTIONS = ("tensor.image_to_tensor", "tensor.inference", "tensor.tensors_to_detections", "tflite.ssd_anchors")
GRAPH = """
input_stream: "image"
output_stream: "detections"
output_stream: "boxes"
output_stream: "scores"
node {
  calculator: "ImageToTensorCalculator"
  input_stream: "IMAGE:image"
  output_stream: "TENSORS:input"
  options { [mediapipe.ImageToTensorCalculatorOptions.ext] {
    output_tensor_width: 128 output_tensor_height: 128 keep_aspect_ratio: true border_mode: BORDER_ZERO
    output_tensor_float_range { min: -1.0 max: 1.0 }
  } }
}
node {
  calculator: "InferenceCalculatorCpu"
  input_stream: "TENSORS:input"
  output_stream: "TENSORS:output"
  options { [mediapipe.InferenceCalculatorOptions.ext] { model_path: "%(model)s" delegate { xnnpack {} } } }
}
node {
  calculator: "InferenceCalculatorCpu"
  input_stream: "TENSORS:input"
  output_stream: "TENSORS:again"
  options { [mediapipe.InferenceCalculatorOptions.ext] { model_path: "%(model)s" delegate { xnnpack {} } } }
}
node {
  calculator: "SsdAnchorsCalculator"
  output_side_packet: "anchors"
  options { [mediapipe.SsdAnchorsCalculatorOptions.ext] {
    num_layers: 4 min_scale: 0.1484375 max_scale: 0.75 input_size_height: 128 input_size_width: 128
    anchor_offset_x: 0.5 anchor_offset_y: 0.5 strides: [8, 16, 16, 16] aspect_ratios: 1.0 fixed_anchor_size: %(fixed)s
  } }
}
node {
  calculator: "TensorsToDetectionsCalculator"
  input_stream: "TENSORS:output"
  input_side_packet: "ANCHORS:anchors"
  output_stream: "DETECTIONS:detections"
  options { [mediapipe.TensorsToDetectionsCalculatorOptions.ext] {
    num_classes: 1 num_boxes: 896 num_coords: 16 box_coord_offset: 0 keypoint_coord_offset: 4 num_keypoints: 6
    num_values_per_keypoint: 2 sigmoid_score: true score_clipping_thresh: 100.0 min_score_thresh: 0.5
    x_scale: 128.0 y_scale: 128.0 w_scale: 128.0 h_scale: 128.0 reverse_output_order: %(reverse)s
    apply_exponential_on_box_size: %(exponential)s
  } }
}
node {
  calculator: "SplitTensorVectorCalculator"
  input_stream: "again"
  output_stream: "first"
  output_stream: "second"
  options { [mediapipe.SplitVectorCalculatorOptions.ext] { ranges { begin: 0 end: 1 } ranges { begin: 1 end: 2 } } }
}
node { calculator: "TensorsToFloatsCalculator" input_stream: "TENSORS:first" output_stream: "FLOATS:boxes" }
node { calculator: "TensorsToFloatsCalculator" input_stream: "TENSORS:second" output_stream: "FLOATS:scores" }
"""


def load() -> None:
    """Makes the framework importable without the package's own imports, which need OpenCV and JAX."""
    spec = importlib.util.find_spec("mediapipe")
    assert spec is not None and spec.origin is not None
    folder = Path(spec.origin).parent
    for name, place in (("mediapipe", folder), ("mediapipe.python", folder / "python")):
        module = types.ModuleType(name)
        module.__path__ = [str(place)]
        sys.modules[name] = module
    bindings = importlib.import_module("mediapipe.python._framework_bindings")
    bindings.resource_util.set_resource_dir(str(folder.parent))
    for option in (*OPTIONS, "core.split_vector"):
        importlib.import_module(f"mediapipe.calculators.{option}_calculator_pb2")
    importlib.import_module("mediapipe.framework.formats.detection_pb2")


def run(image: Any, variant: tuple[str, str, str]) -> tuple[Any, Any, list[Any]]:
    """Raw boxes [896, 16], logits [896] and detections."""
    bindings = sys.modules["mediapipe.python._framework_bindings"]
    create = importlib.import_module("mediapipe.python.packet_creator")
    get = importlib.import_module("mediapipe.python.packet_getter")
    text_format = importlib.import_module("google.protobuf.text_format")
    config = importlib.import_module("mediapipe.framework.calculator_pb2").CalculatorGraphConfig()
    reverse, fixed, exponential = variant
    text_format.Parse(GRAPH % {"model": MODEL, "reverse": reverse, "fixed": fixed, "exponential": exponential}, config)
    graph = bindings.calculator_graph.CalculatorGraph(graph_config=config)
    seen: dict[str, Any] = {}
    for stream, read in (
        ("boxes", get.get_float_list),
        ("scores", get.get_float_list),
        ("detections", get.get_proto_list),
    ):
        graph.observe_output_stream(stream, lambda name, packet, read=read: seen.__setitem__(name, read(packet)))
    graph.start_run()
    frame = bindings.image_frame.ImageFrame(image_format=bindings.image_frame.ImageFormat.SRGB, data=image)
    graph.add_packet_to_input_stream("image", create.create_image_frame(frame).at(1))
    graph.close_all_packet_sources()
    graph.wait_until_done()
    boxes, scores = (np.array(seen[name], np.float32) for name in ("boxes", "scores"))
    return boxes.reshape(896, 16), scores, seen["detections"]


def row(detection: Any) -> list[float]:
    """The numbers of one detection."""
    place = detection.location_data.relative_bounding_box
    points = [value for point in detection.location_data.relative_keypoints for value in (point.x, point.y)]
    return [place.xmin, place.ymin, place.width, place.height, detection.score[0], *points]


def main(image: str, file: str) -> None:
    """float32 numbers, each in the fewest digits that read back the same."""
    load()
    pixels = np.ascontiguousarray(np.load(image))
    raw: list[Any] = []
    found = {}
    for name, variant in VARIANTS.items():
        boxes, scores, detections = run(pixels, variant)
        kept = np.flatnonzero(scores >= 0)
        assert len(kept) == len(detections)
        found[name] = [shortest(row(detection)) for detection in detections]
        raw = [[int(index), *shortest([scores[index], *boxes[index]])] for index in kept]
    parts = [f' "raw": {json.dumps(raw)}', *(f' "{name}": {json.dumps(rows)}' for name, rows in found.items())]
    Path(file).write_text('{"mediapipe": "0.10.14",\n' + ",\n".join(parts) + "\n}\n", "utf-8")


def shortest(values: Any) -> list[float]:
    """Each float32 as the float64 with the same shortest decimal text."""
    return [float(str(np.float32(value))) for value in values]


if __name__ == "__main__":
    main(*sys.argv[1:])
