"""A small project with an input of every kind and a result of every kind, and a model of its own."""

from __future__ import annotations

import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from project_tools import write_manifest

SSD = {
    "width": 12,
    "height": 8,
    "strides": [4],
    "min_scale": 0.5,
    "max_scale": 0.5,
    "aspect_ratios": [1.0],
    "x_scale": 12,
    "y_scale": 8,
    "w_scale": 12,
    "h_scale": 8,
    "sigmoid_score": True,
    "threshold": 0.4,
}
"""6 cells of 2 anchors."""

RESIZE = {"height": 8, "like": "pillow", "method": "bilinear"}
INPUTS: Mapping[str, Any] = {
    "photo": {
        "tensor": "photo",
        "accepts": {"image": {"max": "1 MP"}},
        "steps": [
            {"orient": {"orientation": 6}},
            {"resize": {**RESIZE, "width": 12, "fit": "letterbox"}},
            {"normalize": {"mean": 0, "std": 255}},
            {"layout": {"order": "nchw"}},
        ],
    },
    "scene": {
        "tensor": "scene",
        "accepts": {"frame": {"max": "1 MP"}},
        "steps": [
            {"yuv": {"range": "limited", "rotation": 90}},
            {"resize": {**RESIZE, "width": 8, "fit": "crop"}},
            {"normalize": {"mean": 0, "std": 255}},
        ],
    },
    "sound": {
        "tensor": "sound",
        "accepts": {"audio": {"rate": 8000, "channels": 2, "max": "1 s"}},
        "steps": [{"waveform": {"samples": 64}}],
    },
    "motion": {
        "tensor": "motion",
        "accepts": {"series": {"channels": 3, "max": 50}},
        "steps": [{"window": {"length": 4, "at": "last"}}],
    },
    "data": {
        "tensor": "data",
        "accepts": {"bytes": {"max": "1 kB"}},
        "steps": [
            {"head_tail": {"head": 6, "tail": 2, "block": 64, "strip": True, "pad": 256, "dtype": "float32"}},
            {"scale": {"factor": 0.00390625}},
        ],
    },
    "extra": {"tensor": "extra", "accepts": {"tensor": "raw"}},
}
OUTPUTS: Mapping[str, Any] = {
    "faces": {
        "tensors": ["boxes", "scores"],
        "steps": [
            {"ssd_boxes": SSD},
            {"nms": {"iou_threshold": 0.3, "max_results": 5}},
            {"detections": {"names": ['né\t"x"'], "input": "photo"}},
        ],
    },
    "mesh": {
        "tensors": ["points", "presence"],
        "steps": [{"landmarks": {"dimensions": 3, "unit": "ratio", "score": "sigmoid", "input": "scene"}}],
    },
    "region": {"tensor": "grid", "steps": [{"mask": {"layout": "nchw", "names": ["a", "b", "c"], "input": "photo"}}]},
    "edge": {
        "tensor": "grid",
        "steps": [{"mask": {"layout": "nchw", "threshold": 0.1, "channel": 1, "input": "photo"}}],
    },
    "vector": {"tensor": "vector", "steps": ["embedding"]},
    "reading": {"tensor": "reading", "steps": [{"values": {"unit": "m/s"}}]},
    "oddity": {
        "tensors": ["echo", "extra"],
        "steps": [
            {"reconstruction_error": {"metric": "mse"}},
            {"threshold": {"limit": 0.5, "below": "usual", "above": "odd"}},
        ],
    },
    "verdict": {"tensor": "reading", "steps": [{"labels": {"names": ["left", "right"], "top": 1}}]},
}


def kinds_manifest(**changes: Any) -> dict[str, Any]:
    """The manifest; `changes` replace top-level keys."""
    names = {name: f"{name}.{suffix}" for name, suffix in SUFFIXES.items()}
    expect = {
        "faces": {"label": 'né\t"x"', "count": [1, 5], "score": [0.4, 1.0]},
        "mesh": {"score": [0.0, 1.0]},
        "reading": {"values": [-10.0, 10.0]},
    }
    return {
        "packager": 1,
        "name": "all-kinds",
        "version": "1.0.0",
        "license": "CC0-1.0",
        "model": {"source": "kinds.onnx"},
        "inputs": dict(INPUTS),
        "outputs": dict(OUTPUTS),
        "samples": [{**names, "expect": expect}],
        "formats": ["onnx/float32"],
        **changes,
    }


SUFFIXES = {"photo": "png", "scene": "y4m", "sound": "wav", "motion": "csv", "data": "txt", "extra": "npy"}


def kinds_project(folder: Path, **changes: Any) -> Path:
    """Write manifest, model and a sample of each kind."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    write_model(folder / "kinds.onnx", rng)
    Image.fromarray(rng.integers(0, 256, (31, 45, 3), np.uint8)).save(folder / "photo.png")
    write_y4m(folder / "scene.y4m", 21, 15, rng)
    with wave.open(str(folder / "sound.wav"), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(rng.integers(-20000, 20000, (90, 2), np.int16).tobytes())
    rows = "\n".join(",".join(f"{n:.3f}" for n in row) for row in rng.normal(size=(9, 3)))
    (folder / "motion.csv").write_text(f"x,y,z\n{rows}\n", "utf-8")
    (folder / "data.txt").write_text("  some bytes \n", "utf-8")
    np.save(folder / "extra.npy", rng.normal(size=(1, 4)).astype(np.float32))
    return write_manifest(folder, kinds_manifest(**changes))


def write_y4m(file: Path, width: int, height: int, rng: np.random.Generator) -> None:
    """One frame of noise, 4:2:0."""
    chroma = (width + 1) // 2 * ((height + 1) // 2)
    planes = rng.integers(0, 256, width * height + 2 * chroma, np.uint8).tobytes()
    file.write_bytes(f"YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C420jpeg\nFRAME\n".encode() + planes)


def write_model(file: Path, rng: np.random.Generator) -> None:
    """Six inputs, a convolution for the grid, half of `extra` as `echo`, a dense layer for each other output."""
    from onnx import TensorProto, helper, numpy_helper

    shapes = {
        "photo": [1, 3, 8, 12],
        "scene": [1, 8, 8, 3],
        "sound": [1, 64],
        "motion": [1, 4, 3],
        "data": [1, 8],
        "extra": [1, 4],
    }
    outputs = {
        "grid": [1, 3, 4, 6],
        "boxes": [1, 12, 8],
        "scores": [1, 12, 1],
        "points": [1, 15],
        "presence": [1, 1],
        "vector": [1, 6],
        "reading": [1, 2],
    }
    weights: dict[str, NDArray[Any]] = {"kernel": rng.normal(0, 0.3, (3, 3, 2, 2)).astype(np.float32)}
    nodes = [helper.make_node("Conv", ["photo", "kernel"], ["grid"], "conv", strides=[2, 2], kernel_shape=[2, 2])]
    nodes += [helper.make_node("Flatten", [name], [f"{name}_flat"], f"flatten_{name}", axis=1) for name in shapes]
    nodes.append(helper.make_node("Concat", [f"{name}_flat" for name in shapes], ["all"], "concat", axis=1))
    size = sum(int(np.prod(shape)) for shape in shapes.values())
    for name, shape in list(outputs.items())[1:]:
        count = int(np.prod(shape))
        spread = 2.0 if name in ("boxes", "scores") else 0.5
        weights[f"{name}_weights"] = (rng.normal(0, spread, (size, count)) / np.sqrt(size)).astype(np.float32)
        made = f"{name}_rows" if len(shape) > 2 else name
        nodes.append(helper.make_node("MatMul", ["all", f"{name}_weights"], [made], f"dense_{name}"))
        if len(shape) > 2:
            weights[f"{name}_shape"] = np.array(shape, np.int64)
            nodes.append(helper.make_node("Reshape", [made, f"{name}_shape"], [name], f"reshape_{name}"))
    outputs["echo"] = [1, 4]
    weights["echo_weights"] = np.float32(0.5) * np.eye(4, dtype=np.float32)
    nodes.append(helper.make_node("MatMul", ["extra", "echo_weights"], ["echo"], "dense_echo"))
    graph = helper.make_graph(
        nodes,
        "kinds",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    file.write_bytes(model.SerializeToString(deterministic=True))
