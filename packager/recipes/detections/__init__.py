"""Boxes of objects: SSD heads with MediaPipe's anchors, and YOLO heads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from packager.model.recipes import Known, Proposal, Step
from packager.model.tensors import TensorSpec

SUMMARY = "boxes of objects: [1, n, 4 + 2 points] and [1, n, classes], or a YOLO head"
SIDE: Literal["input", "output"] = "output"
ORDER = 6

STRIDES = ((8, 16, 16, 16), (16, 32, 32, 32), (8, 16, 32, 32, 32), (4,))
"""Layers of MediaPipe's detectors: face (short range) and palm, face (256 pixels), pose, face (full range)."""

CELLS = (8, 16, 32)
"""Strides of a YOLO head."""

FIT = "letterbox"
"""How pictures of any shape are fitted for detectors: nothing at their edges is lost."""

NAME = "objects"
FEWEST = 50
MOST_NAMED = 100
"""Classes for which names are made up where none are known."""


def proposals(tensor: TensorSpec, known: Known) -> Sequence[Proposal]:  # noqa: ARG001 - the protocol's form
    """None for a tensor alone: its boxes depend on the picture's size, see `together`."""
    return ()


def together(inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], known: Known) -> Sequence[Proposal]:
    """The head whose number of boxes follows from the picture's size; one picture is the only input."""
    size = _size(inputs)
    if size is None or any(spec.dtype != "float32" or len(spec.shape) != 3 for spec in outputs):
        return ()
    if len(outputs) == 2:
        return _ssd(size, outputs, known)
    return _yolo(size, outputs[0], known) if len(outputs) == 1 else ()


def _size(inputs: Sequence[TensorSpec]) -> tuple[int, int] | None:
    """Height and width of the only input, a picture."""
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        return None
    _, a, b, c = (size or 0 for size in inputs[0].shape)
    return (a, b) if c in (1, 3) else (b, c) if a in (1, 3) else None


def _ssd(size: tuple[int, int], outputs: Sequence[TensorSpec], known: Known) -> Sequence[Proposal]:
    for boxes, scores in (outputs, tuple(reversed(outputs))):
        count, numbers, classes = boxes.shape[1] or 0, boxes.shape[2] or 0, scores.shape[2] or 0
        if numbers < 4 or numbers % 2 or boxes.shape[1] != scores.shape[1] or count < FEWEST:
            continue
        strides = next((each for each in STRIDES if _anchors(size, each) == count), None)
        names = _names(classes, known)
        if strides is None or names is None:
            continue
        end = known.activations.get(scores.name)
        params = _ssd_options(size, strides, sigmoid=end is None or end.kind != "sigmoid")
        steps = (
            Step("ssd_boxes", params, "MediaPipe's usual options"),
            Step("nms", {"iou_threshold": 0.3, "max_results": 10, "per_class": classes > 1}, "limits"),
            Step("detections", names, "" if "file" in names or known.labels else "names"),
        )
        return (Proposal(NAME, steps, "an SSD head", tensors=(boxes.name, scores.name), usual_fit=FIT),)
    return ()


def _anchors(size: tuple[int, int], strides: tuple[int, ...]) -> int:
    """Two anchors for each layer's cell; one where there is a single layer."""
    each = 2 if len(strides) > 1 else 1
    return sum(each * -(-size[0] // stride) * -(-size[1] // stride) for stride in strides)


def _ssd_options(size: tuple[int, int], strides: tuple[int, ...], *, sigmoid: bool) -> dict[str, Any]:
    height, width = size
    scales = {"x_scale": width, "y_scale": height, "w_scale": width, "h_scale": height}
    params: dict[str, Any] = {"width": width, "height": height, "strides": list(strides)}
    params |= {"min_scale": 0.1484375, "max_scale": 0.75, "aspect_ratios": [1.0]}
    if len(strides) == 1:
        params["interpolated_scale_aspect_ratio"] = 0.0
    params |= {"fixed_anchor_size": True, **scales, "reverse_output_order": True}
    params |= {"sigmoid_score": True, "score_clipping_thresh": 100} if sigmoid else {}
    return params | {"threshold": 0.5}


def _yolo(size: tuple[int, int], tensor: TensorSpec, known: Known) -> Sequence[Proposal]:
    cells = sum((size[0] // stride) * (size[1] // stride) for stride in CELLS)
    rows, columns = (side or 0 for side in tensor.shape[1:])
    head = "yolo-v8" if columns == cells else "yolo-v5" if rows == 3 * cells else None
    classes = rows - 4 if head == "yolo-v8" else columns - 5
    names = _names(classes, known) if head is not None and classes > 0 else None
    if head is None or names is None or known.head not in (None, head):
        return ()  # also a file whose detections went through NMS inside it
    sure = "" if known.head else "a YOLO head"
    steps = (
        Step("yolo_boxes", {"layout": head.removeprefix("yolo-"), "threshold": 0.25}, sure),
        Step("nms", {"iou_threshold": 0.7 if head == "yolo-v8" else 0.45, "max_results": 300}, "limits"),
        Step("detections", names, "" if "file" in names or known.labels else "names"),
    )
    return (Proposal(NAME, steps, "a YOLO head", tensors=(tensor.name,), usual_fit=FIT),)


def _names(classes: int, known: Known) -> dict[str, Any] | None:
    """The known labels where they fit, else made-up names for a few classes; None where there is no way."""
    if known.labels:
        if len(known.labels) != classes:
            return None
        return known.naming
    if classes > MOST_NAMED:
        return None
    return {"names": ["object"] if classes == 1 else [f"class_{index}" for index in range(classes)]}
