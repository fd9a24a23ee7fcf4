"""Every wrong use of `init` gives one clear error, and writes nothing; a YAML file may stand for the model."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from PIL import Image
from test_init_draft import drafted, model

from packager.cli.app import run
from packager.drafting import Network, Wish
from packager.drafting.wish import asked_model
from packager.model.address import PackageFile
from packager.registry import Catalog

USAGE, MANIFEST, MODEL = 64, 2, 3
TRY = ["--labels", "labels.txt", "--try", "red.png", "--expect", "red"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A network of three scores, its labels, and a photo."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    model(project / "net.onnx", [1, 64, 48, 3])
    Image.new("RGB", (100, 90), (250, 10, 20)).save("red.png")
    Path("labels.txt").write_text("red\ngreen\nblue\n")
    Path("broken.png").write_text("no picture")
    Path("few.txt").write_text("red\ngreen\n")
    Path("blank.txt").write_text("\n \n")
    Path("latin.txt").write_bytes("gr\xfcn\n".encode("latin-1"))
    Path("net.pth").write_bytes(b"x")
    Path("none.yaml").write_text("source: net.onnx\n")
    Path("wrong.yaml").write_text("model:\n  source: net.onnx\n  shape: {x: [1]}\n")
    Path("whole.yaml").write_text("model: {source: net.onnx}\n")
    Image.new("RGB", (8, 8)).save(tmp_path / "elsewhere.png")
    (tmp_path / "elsewhere.yaml").write_text("model: {source: project/net.onnx}\n")
    return project


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        pytest.param(["gone.onnx"], MODEL, "there is no model at `gone.onnx`", id="no model"),
        pytest.param(["net.onnx", "--try", "red.png"], USAGE, "1 times --try, 0 times --expect", id="no answer"),
        pytest.param(["net.onnx", "--expect", "red"], USAGE, "0 times --try, 1 times --expect", id="no file"),
        pytest.param(
            ["net.onnx", *TRY[2:]], USAGE, "needs the labels of the model's classes, and none", id="no labels"
        ),
        pytest.param(["net.onnx", *TRY[:-1], "redd"], USAGE, "did you mean `red`?", id="a label that is none"),
        pytest.param(["net.onnx", *TRY[:-1], "Blue"], USAGE, "did you mean `blue`?", id="another case"),
        pytest.param(
            ["net.onnx", *TRY[:3], "gone.png", *TRY[4:]], USAGE, "no file `gone.png` to try", id="no such photo"
        ),
        pytest.param(
            ["net.onnx", *TRY[:3], "broken.png", *TRY[4:]], USAGE, "`broken.png` cannot be tried", id="no photo"
        ),
        pytest.param(
            ["net.onnx", *TRY[:3], "../elsewhere.png", *TRY[4:]],
            USAGE,
            "outside of the manifest's folder",
            id="a photo elsewhere",
        ),
        pytest.param(["net.onnx", "--labels", "gone.txt"], USAGE, "`gone.txt` cannot be read", id="no label file"),
        pytest.param(["net.onnx", "--labels", "latin.txt"], USAGE, "`latin.txt` cannot be read", id="no UTF-8"),
        pytest.param(["net.onnx", "--labels", "blank.txt"], USAGE, "`blank.txt` holds no labels", id="blank labels"),
        pytest.param(
            ["net.onnx", "--labels", "few.txt"],
            USAGE,
            "2 labels, which fit no output of the model: `y` float32",
            id="too few labels",
        ),
        pytest.param(
            ["net.onnx", *TRY[:-1], "green"], MANIFEST, "none of 60 usual contracts gives green", id="not right"
        ),
        pytest.param(["net.onnx", "--shape", "x=1,a"], USAGE, "`--shape x=1,a` cannot be read", id="no shape"),
        pytest.param(["net.onnx", "--shape", "z=1,64,48,3"], MODEL, "z", id="no such input"),
        pytest.param(["net.onnx", "--class", "nets:Net"], USAGE, "--trust with the reason", id="no trust"),
        pytest.param(
            ["net.onnx", "--class", "nets", "--trust", "ours"], USAGE, "`--class nets` cannot be read", id="no class"
        ),
        pytest.param(["net.onnx", "--code", "net.pth"], USAGE, "--code belongs to a class", id="code alone"),
        pytest.param(["net.onnx", "--argument", "a=1"], USAGE, "--argument belongs to a class", id="argument alone"),
        pytest.param(["net.onnx", "--argument", "a"], USAGE, "`--argument a` cannot be read", id="no argument"),
        pytest.param(
            ["net.onnx", "--class", "nets:Net", "--trust", "ours", "--code", "gone.py"],
            USAGE,
            "there is no code at `gone.py`",
            id="no code",
        ),
        pytest.param(
            ["net.onnx", "--class", "nets:Net", "--trust", "ours"],
            MODEL,
            "for which `class` has no meaning",
            id="a class for ONNX",
        ),
        pytest.param(["none.yaml"], MANIFEST, "there is no `model:`", id="a YAML without a model"),
        pytest.param(["wrong.yaml"], MANIFEST, "wrong.yaml:3:3", id="a wrong key, with its place"),
        pytest.param(["../elsewhere.yaml"], USAGE, "outside of the manifest's folder", id="a YAML elsewhere"),
        pytest.param(
            ["whole.yaml", "--class", "a:B", "--trust", "ours"], USAGE, "options say the same", id="said twice"
        ),
    ],
)
def test_one_error_and_nothing_written(
    arguments: list[str], code: int, says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = sorted(path.name for path in Path().iterdir())
    assert run(["init", *arguments]) == code
    told = capfd.readouterr().err
    assert says in " ".join(told.split())
    assert told.count("error: ") == 1
    assert "Traceback" not in told
    assert sorted(path.name for path in Path().iterdir()) == before


def test_a_manifest_is_replaced_only_when_asked(folder: Path) -> None:
    assert run(["init", "net.onnx"]) == 0
    first = (folder / "manifest.yaml").read_text()
    assert run(["init", "net.onnx", *TRY]) == USAGE
    assert (folder / "manifest.yaml").read_text() == first
    assert run(["init", "net.onnx", *TRY, "--force"]) == 0
    assert "expect" in (folder / "manifest.yaml").read_text()


def test_the_nearest_contract_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "net.onnx", *TRY[:-1], "green"]) == MANIFEST
    told = " ".join(capfd.readouterr().err.split())
    assert "no manifest was written" in told
    assert "the nearest:" in told
    assert "red (right labels" in told


def test_a_yaml_file_may_stand_for_the_model(folder: Path) -> None:
    (folder / "start.yaml").write_text(
        "name: ignored\nmodel:\n  source: net.onnx\n  license: MIT\n  shapes: {x: [1, 64, 48, 3]}\n"
    )
    made = yaml.safe_load(drafted(Wish(Path("start.yaml"), Path("manifest.yaml"))))
    assert (made["name"], made["license"]) == ("net", "MIT")
    assert made["model"] == {"source": "net.onnx", "license": "MIT", "shapes": {"x": [1, 64, 48, 3]}}


def test_package_files_in_a_yaml_are_written_out(folder: Path) -> None:
    from packager.manifest.draft import _model

    address = {"package": "pypi:a==1", "archive": "a.whl", "file": "a/net.pth", "sha256": "0" * 64}
    section = {
        "source": address, "class": "nets:Net.make", "arguments": {"width": 32, "name": "yes"},
        "code": [{**address, "file": "."}, "nets.py"], "trust": "read: it builds layers", "shapes": {"x": [1, 3, 8, 8]},
    }  # fmt: skip
    (folder / "nets.py").write_text("")
    (folder / "start.yaml").write_text(yaml.safe_dump({"model": section}))
    asked = asked_model(Wish(Path("start.yaml"), Path("manifest.yaml")), Catalog())
    assert isinstance(asked.source, PackageFile)
    assert yaml.safe_load("\n".join(_model(asked, guessed_shapes=False)))["model"] == section


def test_options_make_the_section_of_a_class(folder: Path) -> None:
    (folder / "nets.py").write_text("")
    network = Network("nets:Net", {"width": 32, "deep": True}, (Path("nets.py"),), "our own code", "python3")
    asked = asked_model(Wish(Path("net.pth"), Path("manifest.yaml"), shapes={"x": (1, 3)}, network=network), Catalog())
    assert (asked.class_, asked.arguments, asked.code) == ("nets:Net", {"width": 32, "deep": True}, ("nets.py",))
    assert (asked.source, asked.trust, asked.python, asked.shapes) == (
        "net.pth", "our own code", "python3", {"x": (1, 3)},
    )  # fmt: skip
