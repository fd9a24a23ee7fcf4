"""PyTorch models through the whole build: every artefact is compared with what torch itself answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from project_tools import ROOT, packager, write_manifest
from torch_tools import ANY, CLASS, EXPORTS, HERE, NEW, OLD, SHAPES, make_models, project, run

from packager import pipeline
from packager.core.console import NullConsole
from packager.core.errors import ModelError
from packager.core.samples import read_samples, write_samples
from packager.session import Session, open_session
from packager.sources.onnx.run import run as run_onnx

pytestmark = pytest.mark.heavy
ALL = ["onnx/float32", "tflite/float32", "tflite/float16", "coreml/float32"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small net in every form, made by the oldest torch."""
    assert OLD is not None
    return make_models(tmp_path_factory.mktemp("torch") / "models", OLD)


def figures(bundle: Path) -> dict[str, float]:
    """Largest error against torch by artefact."""
    rows = json.loads((bundle / "evidence.json").read_bytes())["artifacts"]
    return {f"{row['runtime']}/{row['precision']}": row["gate"]["figures"]["max_abs"] for row in rows}


def source_outputs(bundle: Path) -> list[Any]:
    """The reference's stored answers."""
    folder = bundle / "golden" / "source"
    records = json.loads((folder / "index.json").read_bytes())["records"]
    return [np.fromfile(folder / each["file"], "<f4") for each in records if each["stage"] == "output"]


@ANY
def test_weights_with_their_class(session: Session, models: Path, tmp_path: Path) -> None:
    file = project(tmp_path / "p", models, "net.pth", formats=ALL, **CLASS)
    assert OLD is not None
    bundle = pipeline.build(session, file, tmp_path / "d")
    errors = figures(bundle)
    assert sorted(errors) == sorted(ALL)
    assert max(error for name, error in errors.items() if name.endswith("float32")) < 1e-6
    assert json.loads((bundle / "evidence.json").read_bytes())["tools"]["torch"] == OLD.torch
    expect_torch(models, tmp_path, bundle)


@ANY
def test_a_script_by_the_torch_that_is_found(session: Session, models: Path, tmp_path: Path) -> None:
    file = project(tmp_path / "p", models, "scripted.pt", python=None, shapes=SHAPES)
    bundle = pipeline.build(session, file, tmp_path / "d")
    assert max(figures(bundle).values()) < 1e-6
    assert json.loads((bundle / "evidence.json").read_bytes())["tools"]["torch"] == HERE[0].torch
    expect_torch(models, tmp_path, bundle)


@ANY
@pytest.mark.parametrize(("source", "model"), [("net.ckpt", CLASS), ("traced.pt", {"shapes": SHAPES})])
def test_other_forms_are_exported(
    session: Session, models: Path, tmp_path: Path, source: str, model: dict[str, Any]
) -> None:
    _, made = pipeline.plan(session, project(tmp_path / "p", models, source, **model))
    assert [(spec.name, spec.shape) for spec in made.source.inputs] == [("image", (1, 8, 8, 3))]
    assert [(spec.name, spec.shape) for spec in made.source.outputs] == [("output", (1, 2))]


def expect_torch(models: Path, folder: Path, bundle: Path) -> None:
    """The reference's answers are those that torch gives to the same pixels, computed here on its own."""
    assert OLD is not None
    script = """
import json, sys
sys.path.insert(0, sys.argv[1])
import nets, torch
net = nets.trained()
answers = [net(torch.tensor(rgb, dtype=torch.float32).expand(1, 8, 8, 3) / 255).tolist()[0]
           for rgb in ([250, 10, 20], [20, 10, 250])]
open(sys.argv[2], "w").write(json.dumps(answers))
"""
    run(OLD, script, models, folder / "answers.json")
    for expected, stored in zip(json.loads((folder / "answers.json").read_text()), source_outputs(bundle), strict=True):
        np.testing.assert_allclose(stored, expected, rtol=0, atol=1e-6)


@EXPORTS
def test_exported_programs_say_their_shapes_themselves(session: Session, models: Path, tmp_path: Path) -> None:
    folder = models if OLD in NEW else make_models(tmp_path / "models", NEW[0])
    bundle = pipeline.build(session, project(tmp_path / "p", folder, "net.pt2", python=None), tmp_path / "d")
    assert max(figures(bundle).values()) < 1e-6
    expect_torch(folder, tmp_path, bundle)


@ANY
def test_what_was_exported_is_found_again(models: Path, tmp_path: Path) -> None:
    first, other = (project(tmp_path / name, models, "net.pth", **CLASS) for name in ("one", "other"))
    bundles = []
    for file in (first, other):
        with open_session(NullConsole()) as session:
            bundles.append(pipeline.build(session, file, file.parent / "dist"))
            started = session.pool.started
    assert started == 0
    hashes = {json.loads((each / "bundle.json").read_bytes())["content_hash"] for each in bundles}
    assert len(hashes) == 1
    with open_session(NullConsole()) as session:
        checked = pipeline.check(session, first)
        assert checked.project is not None
        assert checked.project.original.source.format == "torch_class"
        assert checked.project.source.format == "onnx"
        assert session.pool.started == 0


@ANY
def test_check_starts_nothing(models: Path, tmp_path: Path) -> None:
    file = project(tmp_path / "p", models, "net.pth", **{**CLASS, "arguments": {"sharp": 5.5}})
    with open_session(NullConsole()) as session:
        checked = pipeline.check(session, file)
        assert (checked.project, session.pool.started) == (None, 0)
    assert "what net.pth is exported to" in checked.unseen[0]


@ANY
def test_equal_bytes_each_time(session: Session, models: Path, tmp_path: Path) -> None:
    from packager.sources._torch.work import export

    project_, _ = pipeline.plan(session, project(tmp_path / "p", models, "net.pth", **CLASS))
    original = project_.original
    out = tmp_path / "out"
    out.mkdir()
    probe = export(original.request, {"model": original.path, **original.prepared.inputs}, out)["probes"][0]
    assert 0 <= probe["output"]["max_abs"] < 1e-6
    assert (out / "model.onnx").read_bytes() == project_.opened.path.read_bytes()


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "weights of another class": ("deaf.pth", CLASS, r"the weights do not fit nets:Colours: .*Missing key"),
    "no such class": ("net.pth", {**CLASS, "class": "nets:Sounds"}, "nets:Sounds cannot be built: AttributeError"),
    "no such argument": ("net.pth", {**CLASS, "arguments": {"shrp": 1}}, "cannot be built: TypeError.*shrp"),
    "no such input": ("net.pth", {**CLASS, "shapes": {"photo": [1, 8, 8, 3]}}, "it has no input 'photo'"),
    "no ONNX operator": ("deaf.pth", {**CLASS, "class": "nets:Deaf", "arguments": {}}, "cannot export it: .*eigvals"),
    "a pickled module": ("whole.pth", CLASS, "pickles the Python object 'nets.Colours'"),
}


@ANY
@pytest.mark.parametrize("name", WRONG)
def test_faults_are_told_in_words(session: Session, models: Path, tmp_path: Path, name: str) -> None:
    source, model, words = WRONG[name]
    with pytest.raises(ModelError, match=words) as refused:
        pipeline.plan(session, project(tmp_path / "p", models, source, **model))
    assert all("Traceback" not in finding.what for finding in refused.value.findings)
    assert any(finding.hint for finding in refused.value.findings)


@ANY
def test_the_command_names_the_fault(models: Path, tmp_path: Path) -> None:
    file = project(tmp_path / "p", models, "net.pth", shapes=SHAPES)
    done = packager("check", file)
    assert done.returncode == 3, done.stderr
    assert "holds weights without an architecture" in done.stderr


REAL = ROOT / "sample_apps" / "image_classifier" / "manifest.yaml"
FORMS = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
from efficientnet_lite_pytorch import EfficientNet
net = EfficientNet.from_name("efficientnet-lite0").eval()
net.load_state_dict(torch.load(sys.argv[2], weights_only=True))
image = torch.zeros(1, 3, 224, 224)
torch.jit.save(torch.jit.trace(net, image), sys.argv[3] + "/lite0.pt")
if hasattr(torch, "export"):
    torch.export.save(torch.export.export(net, (image,)), sys.argv[3] + "/lite0.pt2")
"""


@ANY
def test_the_image_classifier(tmp_path: Path) -> None:
    """Weights and class from packages; the samples' expectations hold, and the other forms give the same answers."""
    data = yaml.safe_load(REAL.read_text("utf-8"))
    left_out = ("targets", "calibration")
    data = {**{key: value for key, value in data.items() if key not in left_out}, "formats": ["onnx/float32"]}
    assert OLD is not None
    file = write_manifest(tmp_path / "class", {**data, "model": {**data["model"], "python": str(OLD.path)}})
    with open_session(NullConsole()) as session:
        bundle = pipeline.build(session, file, tmp_path / "dist")
        project_, _ = pipeline.plan(session, file)
    assert max(figures(bundle).values()) < 1e-4
    expected = source_outputs(bundle)
    original = project_.original
    run(HERE[0], FORMS, original.prepared.inputs["code0"], original.path, tmp_path)
    forms = [path for path in (tmp_path / "lite0.pt", tmp_path / "lite0.pt2") if path.is_file()]
    assert len(forms) == (2 if HERE[0] in NEW else 1)
    for form in forms:
        folder = tmp_path / form.suffix[1:]
        folder.mkdir()
        form.rename(folder / form.name)
        model: dict[str, Any] = {"source": form.name, "shapes": data["model"]["shapes"]}
        with open_session(NullConsole()) as session:
            changed, _ = pipeline.plan(session, write_manifest(folder, {**data, "model": model}))
            feeds = write_feed(folder, bundle)
            run_onnx({}, {"model": changed.opened.path, "feeds": feeds}, folder / "out")
        for one, other in zip(expected, read_samples(folder / "out"), strict=True):
            np.testing.assert_allclose(one, other["output"].ravel(), rtol=0, atol=1e-4)


def write_feed(folder: Path, bundle: Path) -> Path:
    """The network's inputs as the bundle's goldens hold them."""
    golden = bundle / "golden" / "source"
    records = json.loads((golden / "index.json").read_bytes())["records"]
    stored = [np.fromfile(golden / each["file"], "<f4") for each in records if each["stage"] == "input"]
    return write_samples(folder / "feeds", [{"inputs": each.reshape(1, 3, 224, 224)} for each in stored])
