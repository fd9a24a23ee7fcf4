"""A model of the matrix as a project of its own: a manifest for each cell, and drawn samples where no photo fits."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from packager.core.errors import ModelError
from packager.core.hashing import json_hash, sha256_file
from packager.core.paths import cache_root
from packager.model.address import PackageFile
from packager.model.source import ModelSource
from packager.model.tensors import TensorSpec
from packager.session import Session
from packager.stages import source

HERE = Path(__file__).parent
WORK = cache_root() / "matrix"
SAMPLES, CALIBRATION = 4, 24
PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
PROFILED = ("rocket", "page", "text")  # they carry another colour profile; their pixels are taken as they are
WORDS = ["def", "class", "return", "import", "from", "self", "for", "in", "if", "else", "value", "number", "text"]
TRAINED = {"keras": "digits.keras", "savedmodel": "digits", "gru": "digits_gru.keras"}
DIGITS = PackageFile(
    package="pypi:scikit-learn==1.9.1",
    file="sklearn/datasets/data/digits.csv.gz",
    sha256="09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
)


def models() -> list[dict[str, Any]]:
    """The list, with photos and calibration filled in."""
    listed = yaml.safe_load((HERE / "models.yaml").read_text("utf-8"))
    for entry in listed["models"]:
        names = entry.get("photos", PHOTOS)
        entry["photos"] = {name: listed["photos"][name] for name in names}
        entry["calibration"] = listed["calibration"]
    return list(listed["models"])


class Project:
    """One model's folder with its samples, and the manifests of its cells."""

    def __init__(self, session: Session, entry: Mapping[str, Any]) -> None:
        self.entry, self.session = entry, session
        self.folder = WORK / "projects" / entry["id"]
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.resolver = session.resolver(self.folder)
        self.model = self._model()
        self.refusal = ""
        self.source: ModelSource | None = None
        try:
            self.source = source.inspect(self.model, self.shapes, session.catalog)
        except ModelError as refused:
            self.refusal = str(refused)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        given = self.entry.get("model", {}).get("shapes", {})
        return {name: tuple(shape) for name, shape in given.items()}

    def _model(self) -> Path:
        kind = self.entry.get("trained")
        if kind is None:
            return self.resolver.resolve(PackageFile(**self.entry["source"]), ModelError)
        made = _trained(self.resolver.resolve(DIGITS, ModelError)) / TRAINED[kind]
        kept = self.folder / made.name
        shutil.copytree(made, kept) if made.is_dir() else shutil.copyfile(made, kept)
        return kept

    def manifest(self, wanted: str) -> Path:
        """Manifest of one cell, `runtime/precision`."""
        entry = self.entry
        data: dict[str, Any] = {
            "packager": 1,
            "name": entry["id"],
            "version": "1.0.0",
            "license": entry["license"],
            "model": {"source": entry.get("source", self.model.name), **entry.get("model", {})},
            **self._contract(),
            "formats": [wanted],
        }
        file = self.folder / f"{wanted.replace('/', '-')}.yaml"
        file.write_text(yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=4096, allow_unicode=True), "utf-8")
        return file

    def _contract(self) -> dict[str, Any]:
        made = {f"out{i}": self._output(spec) for i, spec in enumerate(self.source.outputs if self.source else ())}
        # What only its own framework opens shows its one output later.
        made = made or {"out0": {"steps": [self._result(TensorSpec("", "float32", (1, self._classes)))]}}
        if "image" in self.entry:
            given = {"photo": {"accepts": {"image": {"max": "12 MP"}}, "steps": self.entry["image"]}}
            return {"inputs": given, "outputs": made, **self._photos()}
        return {**self._drawn(), "outputs": made}

    @property
    def _classes(self) -> int:
        classes = self.entry.get("classes", ())
        return classes if isinstance(classes, int) else len(classes)

    def _output(self, spec: TensorSpec) -> dict[str, Any]:
        return {"tensor": spec.name, "steps": [self._result(spec)]}

    def _result(self, spec: TensorSpec) -> Any:
        """Labels where the entry has classes and the output as many scores, else the numbers."""
        classes = self.entry.get("classes", ())
        names = [f"class {index}" for index in range(self._classes)] if isinstance(classes, int) else list(classes)
        if not names or spec.dtype != "float32" or spec.shape[-1:] != (len(names),):
            return "numbers"
        return {"labels": {"names": names, "top": 2}}

    def _photos(self) -> dict[str, Any]:
        expect = self.entry.get("expect", {})
        samples = []
        for name, address in self.entry["photos"].items():
            sample = {"photo": address, "srgb": "ignore"} if name in PROFILED else {"photo": address}
            samples.append(sample | ({"expect": {"out0": expect[name]}} if name in expect else {}))
        return {"samples": samples, "calibration": {"photo": self.entry["calibration"]}}

    def _drawn(self) -> dict[str, Any]:
        """Samples and calibration written as `.npy` from the entry's own generator."""
        specs = self.source.inputs if self.source else ()
        generator = np.random.default_rng(int.from_bytes(hashlib.sha256(self.entry["id"].encode()).digest()[:4]))
        digits = _digits(self.resolver.resolve(DIGITS, ModelError)) if self.entry.get("digits") else None
        rows = []
        for index in range(SAMPLES + CALIBRATION):
            row = {}
            for number, spec in enumerate(specs):
                how = self.entry.get("seeded", {}).get(spec.name, {})
                array = digits[1500 + index][None] if digits is not None else _draw(spec, how, generator)
                row[f"in{number}"] = f"{index}-{number}.npy"
                np.save(self.folder / row[f"in{number}"], array)
            rows.append(row)
        return {
            "inputs": {f"in{n}": {"tensor": s.name, "accepts": {"tensor": "raw"}} for n, s in enumerate(specs)},
            "samples": rows[:SAMPLES],
            "calibration": {f"in{n}": [row[f"in{n}"] for row in rows[SAMPLES:]] for n in range(len(specs))},
        }


class _Dumper(yaml.SafeDumper):
    """Writes equal values out each time: the manifest takes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _draw(spec: TensorSpec, how: Mapping[str, Any], generator: np.random.Generator) -> np.ndarray:
    """Values in [low, high]: `smooth` waves as sensors give, `text` as bytes of a file, else uniform."""
    shape = tuple(size or 1 for size in spec.shape)
    low, high = how.get("low", -1.0), how.get("high", 1.0)
    if how.get("kind") == "text":
        array = _text(shape, high, generator)
    elif how.get("kind") == "smooth":
        array = _smooth(shape, low, high, generator)
    else:
        array = generator.uniform(low, high, shape)
    whole = np.dtype(spec.dtype).kind in "iu"
    if whole:
        limits = np.iinfo(spec.dtype)
        array = np.clip(np.rint(array), limits.min, limits.max)
    return array.astype(spec.dtype)


def _smooth(shape: tuple[int, ...], low: float, high: float, generator: np.random.Generator) -> np.ndarray:
    total = np.zeros(shape)
    for axis, size in enumerate(shape):
        place = np.arange(size).reshape([-1 if axis == a else 1 for a in range(len(shape))])
        for _ in range(4):
            phase = generator.uniform(0, 2 * np.pi, [1 if axis == a else n for a, n in enumerate(shape)])
            total = total + generator.normal() * np.sin(place * generator.uniform(0.02, 1.5) + phase[:1])
    total += 0.2 * generator.standard_normal(shape)
    spread = np.ptp(total) or 1.0
    return low + (high - low) * (total - total.min()) / spread


def _text(shape: tuple[int, ...], pad: float, generator: np.random.Generator) -> np.ndarray:
    array = np.full(shape, pad)
    words = " ".join(generator.choice(WORDS, 400)).replace("return", "return\n").encode()
    size = int(generator.integers(shape[-1] // 2, shape[-1]))
    kept = np.frombuffer((words * 4)[:size], np.uint8)
    array[..., : kept.size // 2] = kept[: kept.size // 2]
    array[..., -(kept.size // 2) :] = kept[-(kept.size // 2) :]
    return array


def _digits(table: Path) -> np.ndarray:
    with gzip.open(table) as file:
        return np.loadtxt(file, delimiter=",", dtype=np.float32)[:, :64].reshape(-1, 8, 8, 1) / 16


def _trained(table: Path) -> Path:
    """Folder of the trained models, made once for this trainer and its data."""
    key = json_hash([sha256_file(HERE / "train.py"), sha256_file(table)])[:16]
    folder = WORK / f"trained-{key}"
    if not folder.is_dir():
        scratch = WORK / f"training-{key}"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        subprocess.run([sys.executable, HERE / "train.py", table, scratch], check=True, capture_output=True)
        scratch.rename(folder)
    return folder
