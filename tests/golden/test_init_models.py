"""`init --try` on the real person detector finds the contract that its authors trained with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from packager.cli.app import run
from packager.core.cache import Cache
from packager.core.errors import ManifestError
from packager.core.fetch import Resolver
from packager.core.paths import cache_root
from packager.manifest import load
from packager.registry import Catalog

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.heavy


def fetched(folder: Path) -> list[str]:
    """The root manifest's model and first two photos, in `folder`; their labels."""
    catalog = Catalog()
    manifest = load(ROOT / "manifest.yaml", catalog)
    resolver = Resolver(Cache(cache_root()), catalog.package_registries, ROOT)
    shutil.copyfile(resolver.resolve(manifest.model.source, ManifestError), folder / "person.h5")
    labels = []
    for index, sample in enumerate(manifest.samples[:2]):
        shutil.copyfile(resolver.resolve(sample.files["photo"], ManifestError), folder / f"{index}.png")
        labels.append(sample.expect["verdict"].label or "")
    return labels


def test_the_person_detector_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = fetched(tmp_path)
    (tmp_path / "labels.txt").write_text("person\nnon_person\n")
    monkeypatch.chdir(tmp_path)
    tries = ["--try", "0.png", "--expect", first, "--try", "1.png", "--expect", second]
    assert run(["init", "person.h5", "--labels", "labels.txt", *tries]) == 0
    text = Path("manifest.yaml").read_text("utf-8")
    made = yaml.safe_load(text)
    steps = made["inputs"]["photo"]["steps"]
    assert steps[0]["resize"] == {"width": 96, "height": 96, "fit": "crop", "like": "pillow", "method": "bilinear"}
    assert steps[1:] == [{"normalize": {"mean": 0, "std": 1}}]
    assert list(made["outputs"]["verdict"]["steps"]) == [{"labels": {"file": "labels.txt", "top": 2}}]
    assert sum("# GUESS" in line for line in text.splitlines()) <= 3
    assert run(["check"]) == 0


def test_the_file_type_model_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = ROOT / "sample_apps" / "file_type"
    catalog = Catalog()
    manifest = load(app / "manifest.yaml", catalog)
    resolver = Resolver(Cache(cache_root()), catalog.package_registries, app)
    shutil.copyfile(resolver.resolve(manifest.model.source, ManifestError), tmp_path / "model.onnx")
    shutil.copyfile(app / "labels.txt", tmp_path / "labels.txt")
    monkeypatch.chdir(tmp_path)
    Path("short.txt").write_text("   \n\n" + "import os\n\n\ndef size(path):\n    return os.stat(path).st_size\n" * 3)
    tries: list[str] = ["--try", "short.txt", "--expect", "python"]
    for index, sample in enumerate(manifest.samples):
        shutil.copyfile(resolver.resolve(sample.files["content"], ManifestError), f"{index}.bin")
        tries += ["--try", f"{index}.bin", "--expect", sample.expect["type"].label or ""]
    assert run(["init", "model.onnx", "--labels", "labels.txt", *tries]) == 0
    made = yaml.safe_load(Path("manifest.yaml").read_text("utf-8"))
    (step,) = made["inputs"]["content"]["steps"]
    assert (step["head_tail"]["head"], step["head_tail"]["tail"]) == (1024, 1024)
    assert (step["head_tail"]["strip"], step["head_tail"]["pad"]) == (True, 256)
    assert [list(last) for last in made["outputs"]["verdict"]["steps"]] == [["labels"]], "it gives probabilities"
    assert "ios" not in made["targets"], "its engine takes no int32"
    assert run(["check"]) == 0
