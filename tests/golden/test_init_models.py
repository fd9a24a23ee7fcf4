"""`init` on real models: with `--try` it finds the contract that they were trained with; what files say is taken."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from torch_tools import ANY, EXPORTS, NEW, make_models

from packager.cli.app import run
from packager.core.cache import Cache
from packager.core.errors import ManifestError
from packager.core.fetch import Resolver
from packager.core.paths import cache_root
from packager.manifest import load
from packager.model.address import PackageFile
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
    assert "ios" in made["targets"], "its engine takes int32"
    assert run(["check"]) == 0


def resolver(base: Path) -> Resolver:
    return Resolver(Cache(cache_root()), Catalog().package_registries, base)


@ANY
def test_the_image_classifier_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights, the class that they belong to, and its code, all by address, as its sample app names them."""
    app = ROOT / "sample_apps" / "image_classifier"
    given = yaml.safe_load((app / "manifest.yaml").read_text("utf-8"))
    monkeypatch.chdir(tmp_path)
    Path("start.yaml").write_text(yaml.safe_dump({"model": given["model"]}))
    labels = PackageFile(**given["outputs"]["verdict"]["steps"][1]["labels"]["file"])
    shutil.copyfile(resolver(app).resolve(labels, ManifestError), "labels.txt")
    tries: list[str] = []
    for index, sample in enumerate(load(app / "manifest.yaml", Catalog()).samples):
        shutil.copyfile(resolver(app).resolve(sample.files["photo"], ManifestError), f"{index}.png")
        tries += ["--try", f"{index}.png", "--expect", sample.expect["verdict"].label or ""]
    assert run(["init", "start.yaml", "--labels", "labels.txt", *tries]) == 0
    text = Path("manifest.yaml").read_text("utf-8")
    made = yaml.safe_load(text)
    assert made["license"] == "Apache-2.0"
    assert made["model"] == {**given["model"], "code": given["model"]["code"]}
    resize, normalize, layout = made["inputs"]["photo"]["steps"]
    assert (resize["resize"]["width"], resize["resize"]["height"]) == (224, 224)
    assert (normalize, layout) == ({"normalize": {"mean": 127.5, "std": 127.5}}, {"layout": {"order": "nchw"}})
    assert [list(step) if isinstance(step, dict) else step for step in made["outputs"]["verdict"]["steps"]] == [
        "softmax", ["labels"]
    ]  # fmt: skip
    assert "# Its rivals" in text
    marked = [line.strip(" -").split(":")[0] for line in text.splitlines() if "# GUESS" in line]
    assert marked == ["resize", "normalize"], "its rivals by other ways are as good on these two photos"
    assert run(["check"]) == 0


@pytest.fixture(scope="module")
def nets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that tells red from blue in every form of PyTorch, and two photos."""
    folder = make_models(tmp_path_factory.mktemp("nets") / "models", NEW[0])
    (folder / "labels.txt").write_text("red\nblue\n")
    for name, colour in (("red", (250, 10, 20)), ("blue", (20, 10, 250))):
        Image.new("RGB", (12, 10), colour).save(folder / f"{name}.png")
    return folder


@EXPORTS
@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("traced.pt", ["--shape", "image=1,8,8,3"]),
        ("net.pt2", []),
        ("net.pth", ["--shape", "image=1,8,8,3", "--class", "nets:Colours", "--argument", "sharp=6.0",
                     "--code", "nets.py", "--trust", "written in this test"]),
    ],
)  # fmt: skip
def test_every_form_of_pytorch_is_tried(
    nets: Path, monkeypatch: pytest.MonkeyPatch, name: str, more: list[str]
) -> None:
    monkeypatch.chdir(nets)
    tries = ["--try", "red.png", "--expect", "red", "--try", "blue.png", "--expect", "blue"]
    assert run(["init", name, *more, "--labels", "labels.txt", *tries, "--force"]) == 0
    made = yaml.safe_load(Path("manifest.yaml").read_text("utf-8"))
    assert made["model"]["source"] == name
    assert made["outputs"]["verdict"]["steps"] == [{"labels": {"file": "labels.txt", "top": 2}}], "it ends in softmax"
    assert run(["check"]) == 0


def test_an_integer_model_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quantised keyword model: of three ranges one alone is right, and the targets get the file's own precision."""
    app = ROOT / "sample_apps" / "keyword"
    given = yaml.safe_load((app / "manifest.yaml").read_text("utf-8"))
    monkeypatch.chdir(tmp_path)
    source = dict(given["model"]["source"])
    source["file"] = source["file"].replace("speech.h5", "speech.tflite")
    source["sha256"] = "eab6d4775d4f1b1051742434fcde376d6a4d6128dfa4c20f4b84cdb5e8147c46"
    Path("start.yaml").write_text(yaml.safe_dump({"model": {"source": source}}))
    Path("labels.txt").write_text("yes\nno\nunknown\nsilence\n")
    for word in ("yes", "no"):
        shutil.copyfile(app / f"{word}.wav", f"{word}.wav")
    tries = ["--try", "yes.wav", "--expect", "yes", "--try", "no.wav", "--expect", "no"]
    assert run(["init", "start.yaml", "--labels", "labels.txt", *tries]) == 0
    made = yaml.safe_load(Path("manifest.yaml").read_text("utf-8"))
    wanted = given["inputs"]["sound"]["steps"]
    assert made["inputs"]["sound"]["steps"] == [*wanted, {"quantize": {"scale": 1, "zero_point": 0}}]
    assert [sample["expect"]["verdict"]["score"][0] > 0.9 for sample in made["samples"]] == [True, True]
    assert made["targets"]["android"]["precision"] == "int8"
    assert run(["check"]) == 0


MEDIAPIPE = "mediapipe-0.10.14-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"


SHORT_RANGE = "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8"
PALM = "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54"
MESH = "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814"
SELFIE = "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c"
BOXES = {"objects": ["ssd_boxes", "nms", "detections"]}


@pytest.mark.parametrize(
    ("file", "sha256", "normalize", "ends"),
    [
        ("face_detection/face_detection_short_range", SHORT_RANGE, {"mean": 127.5, "std": 127.5}, BOXES),
        ("palm_detection/palm_detection_full", PALM, {"mean": 0, "std": 255}, BOXES),
        ("face_landmark/face_landmark", MESH, {"mean": 0, "std": 255}, {"points": ["landmarks"]}),
        ("selfie_segmentation/selfie_segmentation", SELFIE, {"mean": 0, "std": 255}, {"segmentation_masks": ["mask"]}),
    ],
)
def test_metadata_of_a_third_party_leaves_few_guesses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, sha256: str, normalize: Any, ends: dict[str, list[str]]
) -> None:
    address = PackageFile(
        package="pypi:mediapipe==0.10.14", archive=MEDIAPIPE, file=f"mediapipe/modules/{file}.tflite", sha256=sha256
    )
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(resolver(tmp_path).resolve(address, ManifestError), "model.tflite")
    assert run(["init", "model.tflite"]) == 0
    text = Path("manifest.yaml").read_text("utf-8")
    made = yaml.safe_load(text)
    assert made["inputs"]["image"]["steps"][1] == {"normalize": normalize}
    assert "GUESS" not in next(line for line in text.splitlines() if "normalize" in line)
    assert {name: [next(iter(s)) for s in output["steps"]] for name, output in made["outputs"].items()} == ends
    Image.new("RGB", (90, 70), (90, 120, 60)).save("sample.png")
    assert run(["check"]) == 0, "but for the sample nothing is missing"


KERAS = """
import keras, numpy as np
layers = keras.layers
numbers = np.random.default_rng(1).uniform(0, 255, (64, 1, 1, 3)).astype("float32")
adapted = layers.Normalization(name="adapted")
adapted.adapt(numbers)
fronts = {
    "rescaled": [layers.Resizing(24, 32, name="sized"), layers.Rescaling(1 / 127.5, offset=-1, name="scaled")],
    "normalized": [layers.CenterCrop(24, 32, name="cut"),
                   layers.Normalization(mean=[0.48, 0.45, 0.4], variance=[0.05, 0.05, 0.05], name="given")],
    "adapted": [adapted],
    "augmented": [keras.Sequential([layers.RandomFlip("horizontal"), layers.Rescaling(1 / 255, name="inner")],
                                   name="front")],
    "late": [layers.Conv2D(3, 1, name="first"), layers.Rescaling(0.5, name="late")],
}
for name, front in fronts.items():
    free = name in ("rescaled", "normalized")
    x = image = keras.Input((None, None, 3) if free else (24, 32, 3), name="photo")
    for layer in front:
        x = layer(x)
    x = layers.Dense(2, activation="softmax", name="end")(layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(x)))
    keras.Model(image, x).save(name + ".keras")
"""


@pytest.fixture(scope="module")
def keras_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models with preprocessing inside, made and saved by Keras itself."""
    folder = tmp_path_factory.mktemp("keras")
    done = subprocess.run([sys.executable, "-c", KERAS], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (folder / "labels.txt").write_text("a\nb\n")
    noise = np.random.default_rng(2).integers(0, 256, (40, 50, 3), np.uint8)
    Image.fromarray(noise).save(folder / "sample.png")
    return folder


SIZED = {"width": 32, "height": 24, "fit": "stretch", "like": "tensorflow", "method": "bilinear"}


@pytest.mark.parametrize(
    ("name", "resize", "normalize", "guessed"),
    [
        ("rescaled", SIZED, {"mean": 0, "std": 1}, set()),
        ("normalized", {**SIZED, "fit": "crop", "like": "pillow"}, {"mean": 0, "std": 255}, {"resize"}),
        ("adapted", {**SIZED, "fit": "crop", "like": "pillow"}, {"mean": 0, "std": 1}, {"resize", "normalize"}),
        ("augmented", {**SIZED, "fit": "crop", "like": "pillow"}, {"mean": 0, "std": 1}, {"resize"}),
        ("late", {**SIZED, "fit": "crop", "like": "pillow"}, {"mean": 127.5, "std": 127.5}, {"resize", "normalize"}),
    ],
)
def test_layers_of_keras_are_not_done_twice(
    keras_models: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    resize: dict[str, Any],
    normalize: dict[str, Any],
    guessed: set[str],
) -> None:
    monkeypatch.chdir(keras_models)
    assert run(["init", f"{name}.keras", "--labels", "labels.txt", "--force"]) == 0
    text = Path("manifest.yaml").read_text("utf-8")
    made = yaml.safe_load(text)
    assert made["inputs"]["photo"]["steps"] == [{"resize": resize}, {"normalize": normalize}]
    assert made["model"].get("shapes", {}) == ({"photo": [1, 24, 32, 3]} if name in ("rescaled", "normalized") else {})
    marked = [line.split("#")[0] for line in text.splitlines() if "# GUESS" in line]
    assert {word for word in ("resize", "normalize", "shapes") if any(word in line for line in marked)} == guessed
    assert run(["check"]) == 0
