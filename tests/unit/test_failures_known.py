"""What converters say when they fail, as cause and fix: every text was captured, and every failure is provoked here.

No longer said by the pinned converters, and so without an entry: calibration that finds no range or another shape
(TensorFlow 2.21 resizes the input, and takes NaN), operators that cannot be quantised (a kernel without 8 bits is found
when the file is opened), and onnx versions without an adapter. Models above 2 GB stop in the plan.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from packager.importers.failures import KNOWN, dead, failed, first_line, known
from packager.importers.uncovered import REPLACEMENTS
from packager.registry import Catalog
from packager.stages.source import inspect

RECORDED = {
    "tflite-float64": "ConverterError: Could not translate MLIR to FlatBuffer./m.py:27:1: error: 'tf.MatMul' op is "
    'neither a custom op nor a flex op\n%1 = "tf.Transpose"(%arg0, %0) : (tensor<2x2xf64>, tensor<2xi32>)',
    "tflite-strings": "error: 'tf.AsString' op is neither a custom op nor a flex op\n (tensor<2x!tf_type.string>)",
    "tflite-select": "ConverterError: Could not translate MLIR to FlatBuffer./m.py:20:1: error: 'tf.Erfinv' op is "
    "neither a custom op nor a flex op\n/m.py:21:1: error: 'tf.Zeta' op is neither a custom op nor a flex op",
    "tflite-lists": "<unknown>:0: error: Lowering tensor list ops is failed. Please consider using Select TF ops",
    "coreml-rank": 'ValueError: Core ML only supports tensors with rank <= 5. Layer "graph_Reshape", with type '
    '"reshape", outputs a rank 6 tensor. ',
    "memory": "MemoryError: std::bad_alloc",
    "calibration-infinite": "error: scale out of expressed type range [1.401298e-45, 3.402823e+38]",
    "calibration-dtype": "ValueError: Cannot set tensor: Got value of type INT64 but expected type FLOAT32 for "
    "input 0, name: photo",
    "coreml-op": "NotImplementedError: Conversion for TF op 'Erfinv' not implemented.\n \nname: \"graph/Erfinv\"",
    "coreml-complex": "TypeError: Unsupported type None",
    "onnx-op": "[ONNXRuntimeError] : 10 : INVALID_GRAPH : In Node, (\"e\", Erfinv, \"\", -1) : , Error No Op "
    "registered for Erfinv with domain_version of 18",
    "onnx-complex": "ValueError: make_sure failure: Cannot find node with output 'graph/FFT:0' in graph 'tf2onnx__6'",
}  # fmt: skip


def test_every_known_failure_has_a_text() -> None:
    assert set(RECORDED) == {entry.name for entry in KNOWN}


@pytest.mark.parametrize("name", RECORDED)
def test_a_text_is_mapped_to_its_cause_and_fix(name: str) -> None:
    found = known(RECORDED[name])
    assert found is not None
    entry, cause, fix = found
    assert entry.name == name
    assert fix
    assert "{" not in cause + fix
    error = failed("TFLite int8", RuntimeError(RECORDED[name]))
    assert error.findings[0].what == f"TFLite int8: {cause}"
    assert error.findings[0].hint == fix


def test_all_operations_are_named_each_with_its_replacement() -> None:
    found = known(RECORDED["tflite-select"])
    assert found is not None
    assert found[1] == "TensorFlow Lite has no kernel for Erfinv, Zeta"
    assert found[2].startswith(f"Erfinv: {REPLACEMENTS['Erfinv']}; ")
    assert "without Zeta" in found[2]


def test_what_is_not_known_keeps_its_first_line() -> None:
    assert known("ValueError: something else") is None
    (finding,) = failed("ONNX", ValueError("\n  something else\nand more")).findings
    assert finding.what == "ONNX: the converter failed: ValueError:"
    assert first_line("\n\n a \nb") == "a"


PROVOKE = """
import json, sys
from pathlib import Path
import numpy as np
import tensorflow as tf
from packager.core.errors import PackagerError
from packager.core.samples import write_samples
from packager.importers.frozen import freeze
from packager.model.tensors import TensorSpec
from packager.runtimes.coreml.convert import convert as coreml
from packager.runtimes.onnx.convert import convert as onnx
from packager.runtimes.tflite.convert import convert as tflite

def frozen(function, shape=(2, 4), dtype="float32"):
    return freeze(lambda x: [function(x)], [TensorSpec("x", dtype, shape)], ["y"])

def growing(x):
    length = tf.cast(x[0, 0], tf.int32)
    lists = tf.TensorArray(tf.float32, 0, dynamic_size=True)
    loop = tf.while_loop(lambda i, _: i < length, lambda i, held: (i + 1, held.write(i, x[0])), (0, lists))
    return loop[1].stack()

folder = Path(sys.argv[1])
found = {}

def attempt(name, convert, source, precision="float32", feeds=None):
    out = folder / name
    out.mkdir()
    inputs = {} if feeds is None else {"calibration": write_samples(out / "feeds", feeds)}
    try:
        convert({"precision": precision, "name": name}, inputs, out, source)
        found[name] = None
    except PackagerError as error:
        found[name] = [error.findings[0].what, error.findings[0].hint]

erfinv = frozen(tf.math.erfinv)
attempt("tflite-select", tflite, erfinv)
attempt("tflite-float64", tflite, frozen(lambda x: tf.matmul(x, x), (2, 2), "float64"))
attempt("tflite-strings", tflite, frozen(lambda x: tf.strings.length(tf.strings.as_string(x)), (2,)))
attempt("tflite-lists", tflite, frozen(growing))
attempt("calibration-dtype", tflite, frozen(lambda x: tf.nn.relu(x * 2)), "int8", [{"x": np.zeros((2, 4), np.int64)}])
attempt("int8-kernel", tflite, frozen(lambda x: tf.reverse_sequence(x, tf.constant([2, 3]), 1)), "int8",
        [{"x": np.ones((2, 4), np.float32)}])
attempt("coreml-op", coreml, erfinv)
attempt("coreml-rank", coreml, frozen(lambda x: tf.transpose(tf.reshape(x, [2] * 6), (5, 3, 1, 0, 2, 4)) * 1.5, (8, 8)))
attempt("coreml-complex", coreml, frozen(lambda x: tf.abs(tf.signal.ifft(tf.cast(x, tf.complex64)))))
attempt("onnx-op", onnx, erfinv)
attempt("onnx-complex", onnx, frozen(lambda x: tf.abs(tf.signal.fft(tf.cast(x, tf.complex64)))))
gelu = frozen(lambda x: tf.nn.gelu(x))
for name, convert in (("tflite", tflite), ("onnx", onnx), ("coreml", coreml)):
    attempt(f"gelu-{name}", convert, gelu)
from coremltools.converters.mil.frontend.tensorflow.tf_op_registry import _TF_OPS_REGISTRY
from packager.runtimes.coreml.uncovered import UNCOVERED
class Saved(tf.Module):
    def __init__(self):
        self.weight = tf.Variable(tf.fill([4, 4], 0.25))

    @tf.function(input_signature=[tf.TensorSpec([1, 4, 4], tf.float32, name="x")])
    def run(self, x):
        return {"y": tf.linalg.eigh(x)[0] + tf.reduce_sum(tf.math.erfinv(self.weight))}

saved = Saved()
tf.saved_model.save(saved, str(folder / "saved"), signatures={"serving_default": saved.run})
import resource
heavy = frozen(lambda x: tf.matmul(x, tf.constant(np.ones((4, 12_000_000), np.float32))))
held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + (300 << 20), -1))
attempt("memory", onnx, heavy)
resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
found["registry"] = sorted(UNCOVERED & set(_TF_OPS_REGISTRY))
Path(sys.argv[2]).write_text(json.dumps(found))
"""


@pytest.mark.heavy
def test_real_converters_fail_with_these_causes(tmp_path: Path) -> None:
    """One process for all: importing the converters costs more than the conversions."""
    script, answers = tmp_path / "provoke.py", tmp_path / "answers.json"
    script.write_text(PROVOKE)
    work = tmp_path / "work"
    work.mkdir()
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    done = subprocess.run(
        [sys.executable, script, work, answers],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(answers.read_text())
    assert found.pop("registry") == []  # what is called uncovered by coremltools is in none of its tables
    source = inspect(work / "saved", {}, Catalog())
    reasons = Catalog().runtimes["tflite"].check(source, "float32")
    assert [reason.partition(" (")[0] for reason in reasons] == ["SelfAdjointEigV2"]  # not erfinv of a weight
    assert "Flex" in reasons[0]
    for name in [name for name in found if name.startswith("gelu-")]:
        assert found.pop(name) is None, name  # TensorFlow's exact gelu is made of erfc
    assert "has no kernel for Erfinv" in found["tflite-select"][0]
    assert "float64" in found["tflite-float64"][0]
    assert "works on text" in found["tflite-strings"][0]
    assert "a list whose length is not known" in found["tflite-lists"][0]
    assert "values of type INT64, the model takes FLOAT32" in found["calibration-dtype"][0]
    assert "Type 'INT8' is not supported by reverse_sequence" in found["int8-kernel"][0]
    assert "the tensor graph_Reshape has more than 5 axes" in found["coreml-rank"][0]
    assert "not enough memory" in found["memory"][0]
    assert "coremltools has no translation for Erfinv" in found["coreml-op"][0]
    assert "complex numbers" in found["coreml-complex"][0]
    assert "tf2onnx has no translation for Erfinv" in found["onnx-op"][0]
    assert "complex numbers" in found["onnx-complex"][0]
    assert all(answer[1] for answer in found.values())


INFINITE = """
import tensorflow as tf
import numpy as np
from pathlib import Path
from packager.core.samples import write_samples
from packager.importers.frozen import freeze
from packager.model.tensors import TensorSpec
from packager.runtimes.tflite.convert import convert
import sys
folder = Path(sys.argv[1])
source = freeze(lambda x: [tf.matmul(tf.exp(x), tf.ones((4, 3)))], [TensorSpec("x", "float32", (2, 4))], ["y"])
feeds = write_samples(folder / "feeds", [{"x": np.full((2, 4), 1e30, np.float32)}] * 2)
convert({"precision": "int8", "name": "m"}, {"calibration": feeds}, folder, source)
"""


@pytest.mark.heavy
def test_infinite_calibration_takes_the_process_and_its_log_tells_why(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        argv = [sys.executable, "-c", INFINITE, tmp_path]
        done = subprocess.run(argv, stdout=file, stderr=subprocess.STDOUT, check=False, timeout=300)
    assert done.returncode < 0  # by a signal
    found = dead("tflite/int8", log)
    assert found is not None
    assert found.findings[0].what.startswith("tflite/int8: calibration makes a number of the graph infinite")
    assert str(log) in found.findings[0].hint
    log.write_text("Segmentation fault")
    assert dead("tflite/int8", log) is None
