"""A new step, runtime and target in one folder are seen everywhere without another change."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from project_tools import packager, tiny_project

pytestmark = pytest.mark.heavy

STEP = '''
"""A throw-away step: the negative of an image."""

import numpy as np
from pydantic import Field

from packager.model.contract import Call, ImageType, StepMismatchError, StepParams

SUMMARY = "the negative of an image"


class Params(StepParams):
    """What white becomes black at."""

    top: int = Field(default=255, ge=1, le=255, description="Value that becomes 0.")


def result_type(bound, value):
    """Image -> the same type."""
    if not isinstance(value, ImageType):
        raise StepMismatchError(f"`negative` works on an image, not on {value}", "an image")
    return value


def apply(bound, value):
    """uint8 [h, w, c] -> the same."""
    return np.maximum(bound.top - value.astype(np.int32), 0).astype(np.uint8)


def call(bound, value):
    """`negative(top)`: image -> image."""
    size = (value.width or 0) * (value.height or 0) * value.channels
    return Call("negative", (("top", bound.top),), value, -(-size // 16) * 16)
'''

STEP_CPP = """\
#ifndef PACKAGER_CONTRACT_NEGATIVE_HPP
#define PACKAGER_CONTRACT_NEGATIVE_HPP

#include "contract_types.hpp"

namespace packager_contract {

static inline Status negative(const Image& in, int32_t top, Arena& arena, Image* out) {
  uint8_t* to = take_image(in.width, in.height, in.channels, arena, out);
  if (to == nullptr) return Status::kWorkspaceTooSmall;
  for (int32_t y = 0; y < in.height; ++y) {
    const uint8_t* from = row_of(in, y);
    for (int32_t x = 0; x < in.width * in.channels; ++x) {
      const int32_t value = top - from[x];
      *to++ = static_cast<uint8_t>(value < 0 ? 0 : value);
    }
  }
  return Status::kOk;
}

}  // namespace packager_contract

#endif
"""

RUNTIME = '''
"""A throw-away runtime, a double for tests: an ONNX file in a container of its own, run by ONNX Runtime."""

SUMMARY = "a test double: ONNX in a box"
SUFFIX = ".box"
LICENSE = "MIT"
CONVERT = "packager.runtimes.box.work:convert"
RUN = "packager.runtimes.box.work:run"
STAMP = "packager.runtimes.box.work:stamp"
RUN_WORKER = "light"
TOOLS = ("onnxruntime", "numpy")
CODE = ("packager.runtimes.box",)


def precisions():
    """One."""
    return ("float32",)


def kernel_sets(precision):
    """One."""
    return ("box-double",)


def quantized_interface(precision):
    """No."""
    return False


def calibrated(precision, source):
    """No."""
    return False


def takes_original(source, precision):
    """It boxes the file as it is."""
    return True


def check(source, precision):
    """Only ONNX can be boxed."""
    return () if source.format == "onnx" else ("only ONNX files can be boxed",)
'''

RUNTIME_WORK = '''
"""The worker side: `BOX1`, a line of JSON, then the ONNX file."""

import json

import onnx
import onnxruntime

from packager.core.samples import read_sample, sample_paths, write_sample


def _write(path, head, body):
    path.write_bytes(b"BOX1" + json.dumps(head, sort_keys=True).encode() + b"\\n" + body)


def _read(path):
    mark, _, rest = path.read_bytes().partition(b"BOX1")
    assert mark == b""
    head, _, body = rest.partition(b"\\n")
    return json.loads(head), body


def convert(request, inputs, out):
    """Box the file."""
    body = inputs["model"].read_bytes()
    print("boxing", len(body), "bytes")
    _write(out / "model.box", {"name": request["name"]}, body)
    graph = onnx.load_from_string(body).graph
    return {
        "path": "model.box",
        "inputs": [_port(value) for value in graph.input],
        "outputs": [_port(value) for value in graph.output],
    }


def _port(value):
    shape = [size.dim_value for size in value.type.tensor_type.shape.dim]
    return {"source": value.name, "name": value.name, "dtype": "float32", "shape": shape, "quantization": None}


def stamp(request, inputs, out):
    """Put contract and labels into the head."""
    head, body = _read(inputs["model"])
    _write(out / "model.box", {**head, **request}, body)
    return {"path": "model.box"}


def run(request, inputs, out):
    """Unbox and run."""
    _, body = _read(inputs["model"])
    session = onnxruntime.InferenceSession(body, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    for path in sample_paths(inputs["feeds"]):
        got = session.run(names, read_sample(path))
        write_sample(out / "box-double", int(path.stem), dict(zip(names, got)))
'''

ENGINE = """\
summary = "a test double in C++"
kernel_set = "box-double"
files = ["box.hpp"]
"""

TARGET = """\
summary = "A throw-away target"
language = "cpp"
root = "board/demo"
namespace = "{{ name | snake }}_board"

[options.clock]
type = "integer"
default = 80
description = "MHz."

[minimum]
board = "1"

[place]
model = "model{{ artifact.path.suffix }}"
contract = "contract"
engine = "engine"
golden = "golden"

[ownership]
yours = ["README.md"]
"""

README = "{{ class_name }} at {{ options.clock }} MHz, contract {{ contract_hash }}\n"

STEPS = [
    {"resize": {"width": 8, "height": 8, "fit": "crop", "like": "pillow", "method": "bilinear"}},
    {"negative": {"top": 255}},
    {"normalize": {"mean": 0, "std": 255}},
]
CHANGES: dict[str, Any] = {
    "inputs": {"photo": {"accepts": {"image": {"max": "1 MP"}}, "steps": STEPS}},
    "samples": [
        {"photo": "red.png", "expect": {"colour": {"label": "blue"}}},
        {"photo": "blue.png", "expect": {"colour": {"label": "red"}}},
    ],
    "formats": ["box/float32"],
    "targets": {"board": {"demo": {"runtime": "box", "precision": "float32", "clock": 120}}},
}


@pytest.fixture
def plugins(tmp_path: Path) -> dict[str, str]:
    """An environment with the folder of plug-ins, and a cold cache."""
    files = {
        "steps/negative/__init__.py": STEP,
        "steps/negative/negative.hpp": STEP_CPP,
        "runtimes/box/__init__.py": RUNTIME,
        "runtimes/box/work.py": RUNTIME_WORK,
        "runtimes/box/engine/cpp/engine.toml": ENGINE,
        "runtimes/box/engine/cpp/box.hpp": "namespace packager_contract {}\n",
        "templates/board/demo/target.toml": TARGET,
        "templates/board/demo/tree/README.md.jinja": README,
    }
    for name, text in files.items():
        file = tmp_path / "plugins" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.lstrip("\n"), "utf-8")
    return {"PACKAGER_PLUGINS": str(tmp_path / "plugins"), "XDG_CACHE_HOME": str(tmp_path / "cache")}


def test_they_are_unknown_without_the_folder(plugins: dict[str, str], tmp_path: Path) -> None:
    done = packager("check", tiny_project(tmp_path / "p", **CHANGES), env={**plugins, "PACKAGER_PLUGINS": None})
    assert done.returncode == 2
    for name in ("negative", "box", "board"):
        assert name in done.stderr


def test_they_are_in_schema_and_reference(plugins: dict[str, str]) -> None:
    schema = packager("schema", env=plugins).stdout
    for word in ('"negative"', '"box"', '"box/float32"', '"demo"', '"clock"'):
        assert word in schema, word
    page = packager("schema", "--reference", env=plugins).stdout
    for word in ("The negative of an image", "est double: ONNX in a box", "A throw-away target"):
        assert word in page, word


def test_plan_build_verify_and_test(plugins: dict[str, str], tmp_path: Path) -> None:
    file = tiny_project(tmp_path / "project", **CHANGES)
    planned = json.loads(packager("plan", file, "--json", env=plugins).stdout)
    jobs = [job["id"] for job in planned["jobs"]]
    assert {"convert:box/float32", "verify:box/float32", "render:board.demo"} <= set(jobs)
    assert [use["step"] for use in planned["inputs"][0]["steps"]] == ["resize", "negative", "normalize"]

    done = packager("build", file, "--out", tmp_path / "dist", "-v", env=plugins)
    assert done.returncode == 0, done.stderr
    assert "boxing" in done.stderr, "-v shows the converter's own words"
    made = tmp_path / "dist" / "tiny-1.0.0"
    receipt = json.loads((made / "bundle.json").read_bytes())
    assert receipt["targets"]["board.demo"]["options"] == {"clock": 120}
    assert (made / "models/box/float32/tiny.box").read_bytes().startswith(b"BOX1")
    project = made / "board" / "demo"
    assert (project / "README.md").read_text() == f"Tiny at 120 MHz, contract {receipt['contract']}\n"
    assert receipt["files"]["board/demo/README.md"]["owner"] == "yours"
    chain = (project / "contract" / "chain.cpp").read_text()
    assert "negative(step1, 255, arena" in chain
    assert "namespace tiny_board" in (project / "contract" / "negative.hpp").read_text()
    compiled(project / "contract")

    assert packager("verify", made, env=plugins).returncode == 0
    tested = packager("test", made, "--json", env=plugins)
    assert tested.returncode == 0, tested.stderr
    (row,) = json.loads(tested.stdout)["tests"]
    assert (row["result"], row["why"]) == ("skipped", "the target has no harness")


def compiled(folder: Path) -> None:
    """Where there is a compiler, the rendered contract with the new step is C++ without a warning."""
    compiler = shutil.which("g++")
    if compiler is not None:
        flags = ["-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-ffp-contract=off"]
        subprocess.run([compiler, *flags, "-fsyntax-only", "chain.cpp"], cwd=folder, check=True)


def test_verbose_only_shows_logs_and_a_failure_names_its_log(plugins: dict[str, str], tmp_path: Path) -> None:
    file = tiny_project(tmp_path / "project", **CHANGES)
    work = Path(plugins["PACKAGER_PLUGINS"]) / "runtimes" / "box" / "work.py"
    fault = "raise ZeroDivisionError('the box is broken')\n    graph = onnx"
    work.write_text(work.read_text().replace("graph = onnx", fault))
    done = packager("build", file, "--out", tmp_path / "dist", env=plugins)
    assert done.returncode == 6, done.stderr
    assert "ZeroDivisionError: the box is broken" in done.stderr
    assert "boxing" not in done.stderr
    assert "Traceback" not in done.stderr
    log = next(word for word in done.stderr.split() if word.endswith(".log"))
    assert "boxing" in Path(log).read_text()
    assert "Traceback" in Path(log).read_text()
    assert not (tmp_path / "dist").exists()


def test_a_worker_that_dies_is_named(plugins: dict[str, str], tmp_path: Path) -> None:
    file = tiny_project(tmp_path / "project", **CHANGES)
    work = Path(plugins["PACKAGER_PLUGINS"]) / "runtimes" / "box" / "work.py"
    work.write_text(work.read_text().replace("    graph = onnx", "    import os; os.abort()\n    graph = onnx"))
    done = packager("build", file, "--out", tmp_path / "dist", env=plugins)
    assert done.returncode == 11, done.stderr
    assert "convert to box/float32 ended its worker by signal SIGABRT" in done.stderr


@pytest.mark.parametrize("output", ["nan", "inf"])
def test_an_artefact_that_is_not_finite_fails_its_gate_even_where_it_is_waived(
    plugins: dict[str, str], tmp_path: Path, output: str
) -> None:
    work = Path(plugins["PACKAGER_PLUGINS"]) / "runtimes" / "box" / "work.py"
    broken = f"        got[0][0, 0] = float('{output}')\n        write_sample"
    work.write_text(work.read_text().replace("        write_sample", broken))
    for gate in ({}, {"float32": {"waive": "we ship it all the same"}}):
        file = tiny_project(tmp_path / "project", **{**CHANGES, "gate": gate})
        done = packager("build", file, "--out", tmp_path / "dist", env=plugins)
        assert done.returncode == 7, done.stderr
        assert "2 output values are not finite" in done.stderr
        assert not (tmp_path / "dist").exists()


@pytest.mark.parametrize(
    ("name", "text", "code", "said"),
    [
        ("templates/board/demo/target.toml", "summary = ", 8, "board.demo/target.toml cannot be read"),
        ("templates/board/demo/target.toml", 'summary = "x"\n', 8, "board.demo/target.toml cannot be read"),
        ("templates/board/demo/tree/README.md.jinja", "{{ nothing.here }}", 8, "README.md.jinja"),
        ("templates/board/demo/tree/README.md.jinja", "\n{% if %}", 8, "README.md.jinja:2"),
        ("runtimes/box/engine/cpp/engine.toml", "files = 5", 8, "engine.toml cannot be read"),
    ],
)
def test_a_fault_of_a_plugin_is_named_with_its_file(
    plugins: dict[str, str], tmp_path: Path, name: str, text: str, code: int, said: str
) -> None:
    (Path(plugins["PACKAGER_PLUGINS"]) / name).write_text(text)
    done = packager("build", tiny_project(tmp_path / "project", **CHANGES), "--out", tmp_path / "dist", env=plugins)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert not (tmp_path / "dist").exists()
