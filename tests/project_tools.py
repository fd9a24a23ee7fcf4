"""Runs the command, and makes projects: variants of the root manifest, and a small one with a model of its own."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
COMMAND = (sys.executable, "-P", "-c", "from packager.cli import main; main()")

TINY: Mapping[str, Any] = {
    "packager": 1,
    "name": "tiny",
    "version": "1.0.0",
    "license": "CC0-1.0",
    "model": {"source": "tiny.onnx"},
    "inputs": {
        "photo": {
            "accepts": {"image": {"max": "1 MP"}},
            "steps": [
                {"resize": {"width": 8, "height": 8, "fit": "crop", "like": "pillow", "method": "bilinear"}},
                {"normalize": {"mean": 0, "std": 255}},
            ],
        }
    },
    "outputs": {"colour": {"steps": [{"labels": {"names": ["red", "blue"], "top": 2}}]}},
    "samples": [
        {"photo": "red.png", "expect": {"colour": {"label": "red", "score": [0.9, 1.0]}}},
        {"photo": "blue.png", "expect": {"colour": {"label": "blue", "score": [0.9, 1.0]}}},
    ],
    "formats": ["onnx/float32"],
}


def packager(*arguments: object, env: Mapping[str, str | None] | None = None, **options: Any) -> Any:
    """Run the command to its end; `env` is added to the environment, None takes a variable away."""
    found = {**os.environ, **(env or {})}
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env={key: value for key, value in found.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
        timeout=options.pop("timeout", 300),
        **options,
    )


def root_manifest() -> dict[str, Any]:
    """The root manifest as data, to be changed and written elsewhere: all its files come from packages."""
    data: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yaml").read_text("utf-8"))
    return data


class _Dumper(yaml.SafeDumper):
    """Writes equal values out each time: the manifest takes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def write_manifest(folder: Path, data: Mapping[str, Any]) -> Path:
    """Write a manifest into a folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "manifest.yaml"
    file.write_text(yaml.dump(dict(data), Dumper=_Dumper, sort_keys=False, width=4096, allow_unicode=True), "utf-8")
    return file


def tiny_manifest(**changes: Any) -> dict[str, Any]:
    """The small project's manifest with other values of top-level keys; None takes a key away."""
    data = {**copy.deepcopy(dict(TINY)), **changes}
    return {key: value for key, value in data.items() if value is not None}


def tiny_project(folder: Path, **changes: Any) -> Path:
    """Write the small project: a model that tells red from blue, and two photos."""
    folder.mkdir(parents=True, exist_ok=True)
    write_model(folder / "tiny.onnx")
    for name, colour in (("red", (250, 10, 20)), ("blue", (20, 10, 250))):
        Image.new("RGB", (12, 10), colour).save(folder / f"{name}.png")
    return write_manifest(folder, tiny_manifest(**changes))


def write_model(file: Path) -> None:
    """Mean colour -> two scores by softmax: float32 [1,8,8,3] `image` -> float32 [1,2] `scores`."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.array([[6, -6], [0, 0], [-6, 6]], np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["colour"], "mean", axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["colour", "weights"], ["logits"], "dense"),
        helper.make_node("Softmax", ["logits"], ["scores"], "softmax", axis=-1),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 8, 8, 3])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 2])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    file.write_bytes(model.SerializeToString(deterministic=True))
