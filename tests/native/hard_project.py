"""A project with what hurts: three inputs, two outputs, int32 in and out, 10,000 labels, all kinds of characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from project_tools import write_manifest

from packager import pipeline
from packager.core.console import NullConsole
from packager.core.process import SystemRunner
from packager.registry import Catalog
from packager.session import open_session
from packager.stages.prove import Row, prove

LABELS = (
    'double "quotes"',
    "it's",
    "$dollar ${name} $$",
    "back\\slash \\n \\u0041",
    "tab\there",
    "emoji \U0001f9ea\U0001f469\u200d\U0001f52c",
    "\u05e2\u05d1\u05e8\u05d9\u05ea \u202e\u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "/* comment */ // {{ braces }} <tag> & %s",
    "  spaces  ",
    "null",
)


def run_harness(target: str, bundle: Path, tools: Path, work: Path) -> Row:
    """The target's harness over the bundle's project, in a folder that is made."""
    work.mkdir()
    spec = Catalog().targets[target]
    return prove(spec, bundle, spec.root, tools, work, SystemRunner(), "")


def build_hard(folder: Path, labels: Sequence[str], **changes: Any) -> Path:
    """The bundle. `labels` are those of output `few`; `changes` are top-level keys, `targets` among them."""
    write_hard_model(folder / "hard.onnx")
    rng = np.random.default_rng(3)
    Image.fromarray(rng.integers(0, 256, (23, 37, 3), np.uint8)).save(folder / "photo.png")
    np.save(folder / "extra.npy", rng.standard_normal((1, 4)).astype(np.float32))
    np.save(folder / "codes.npy", np.array([[-(2**24), 0, 2**24]], np.int32))
    (folder / "many.txt").write_text("".join(f"{LABELS[i % len(LABELS)]} {i}\n" for i in range(10_000)), "utf-8")
    with open_session(NullConsole()) as session:
        manifest = write_manifest(folder, {**hard_manifest(labels), **changes})
        return pipeline.build(session, manifest, folder / "dist")


def hard_manifest(labels: Sequence[str]) -> Mapping[str, Any]:
    """The manifest without targets."""
    resize = {"width": 9, "height": 7, "fit": "letterbox", "like": "pillow", "method": "lanczos", "fill": 7}
    photo = [{"resize": resize}, {"channels": {"order": "bgr"}}, {"normalize": {"mean": [1, 2, 3.5], "std": 255}}]
    extra = {"accepts": {"tensor": "raw"}, "steps": [{"normalize": {"mean": 0.5, "std": 2}}]}
    return {
        "packager": 1,
        "name": "new",
        "version": "0.1.0",
        "license": "CC0-1.0",
        "model": {"source": "hard.onnx"},
        "inputs": {
            "a_photo": {"tensor": "image", "accepts": {"image": {"max": "1 MP"}}, "steps": photo},
            "extra": {"tensor": "extra", **extra},
            "codes": {"tensor": "codes", "accepts": {"tensor": "raw"}},
        },
        "outputs": {
            "many": {"tensor": "many", "steps": ["softmax", {"labels": {"file": "many.txt", "top": 7}}]},
            "few": {"tensor": "few", "steps": [{"labels": {"names": list(labels), "top": len(labels)}}]},
        },
        "samples": [{"a_photo": "photo.png", "extra": "extra.npy", "codes": "codes.npy"}],
    }


def write_hard_model(file: Path) -> None:
    """image [1,7,9,3], extra [1,4] -> many [1,10000], few [1,10]: flattened, joined, one matrix for each output.

    Beside them int32: codes [1,3] -> next [1,3], one more than each.
    """
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(5)
    sizes = {"many": 10_000, "few": len(LABELS)}
    weights = {
        f"{n}_weights": rng.standard_normal((7 * 9 * 3 + 4, size)).astype(np.float32) for n, size in sizes.items()
    }
    weights["one"] = np.array([1], np.int32)
    nodes = [
        helper.make_node("Add", ["codes", "one"], ["next"], "count"),
        helper.make_node("Flatten", ["image"], ["flat"], "flatten", axis=1),
        helper.make_node("Concat", ["flat", "extra"], ["joined"], "join", axis=1),
        *(helper.make_node("MatMul", ["joined", f"{name}_weights"], [name], name) for name in sizes),
    ]
    graph = helper.make_graph(
        nodes,
        "hard",
        [
            helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 7, 9, 3]),
            helper.make_tensor_value_info("extra", TensorProto.FLOAT, [1, 4]),
            helper.make_tensor_value_info("codes", TensorProto.INT32, [1, 3]),
        ],
        [
            *(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size]) for name, size in sizes.items()),
            helper.make_tensor_value_info("next", TensorProto.INT32, [1, 3]),
        ],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    file.write_bytes(model.SerializeToString(deterministic=True))
