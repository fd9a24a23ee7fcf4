"""`evaluation:` as the manifest has it, and the labelled data that it names: every fault at its line."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from project_tools import tiny_project

from packager import pipeline
from packager.core.errors import ManifestError, PlanError
from packager.session import Session

HEAD = "photo,label\n"
GOOD = HEAD + "a.png,red\nb.png,blue\n"


def project(folder: Path, text: str = GOOD, name: str = "eval.csv", **changes: Any) -> Path:
    asked = {"data": name, "metric": "top1", "max_drop": 0.01, **changes.pop("evaluation", {})}
    file = tiny_project(folder, evaluation=asked, **changes)
    for image, colour in (("a", (240, 0, 10)), ("b", (3, 0, 240))):
        Image.new("RGB", (9, 9), colour).save(folder / f"{image}.png")
    (folder / name).write_text(text, "utf-8")
    return file


def faults(session: Session, file: Path) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        pipeline.check(session, file)
    for finding in caught.value.findings:
        assert finding.where is not None
    return [f"{f.where.line}: {f.what}" for f in caught.value.findings if f.where is not None]


def test_good_data_is_told_by_the_plan(session: Session, tmp_path: Path) -> None:
    _, made = pipeline.plan(session, project(tmp_path))
    about = dict(made.evaluation or {})
    assert len(about.pop("sha256")) == 64
    assert about == {"data": "eval.csv", "samples": 2, "output": "colour", "metric": "top1", "max_drop": 0.01}
    assert session.pool.started == 0


def test_faults_of_rows_are_named_all_at_once(session: Session, tmp_path: Path) -> None:
    text = HEAD + "a.png,red\nmissing.png,red\na.png,green\n../a.png,red\n,red\na.png\n"
    assert faults(session, project(tmp_path, text)) == [
        "3: no such file: `missing.png`",
        "4: the model has no label `green`",
        "5: the path `../a.png` leaves the folder of the data file",
        "6: no file for input `photo`",
        "7: the row has not as many fields as the first line",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("image,label\na.png,red\n", "1: the first line lacks the column `photo`; it has image, label"),
        ("photo,class\na.png,red\n", "1: the first line lacks the column `label`; it has photo, class"),
        ("", "1: the first line lacks the column `photo`, `label`; it has nothing"),
        (HEAD, "1: the data has no samples"),
        (HEAD + '"a.png,red\n', "1: this is not CSV: unexpected end of data"),
    ],
)
def test_faults_of_the_whole_file(session: Session, tmp_path: Path, text: str, expected: str) -> None:
    assert faults(session, project(tmp_path, text)) == [expected]


def test_text_that_is_not_utf8_is_refused(session: Session, tmp_path: Path) -> None:
    file = project(tmp_path)
    (tmp_path / "eval.csv").write_bytes(b"photo,label\na.png,r\xe9d\n")
    (text,) = faults(session, file)
    assert "eval.csv: it is not UTF-8" in text


def test_labels_with_commas_quotes_and_other_scripts_are_taken_as_written(session: Session, tmp_path: Path) -> None:
    names = ["rot, hell", "青"]
    outputs = {"colour": {"steps": [{"labels": {"names": names, "top": 2}}]}}
    samples = [{"photo": "red.png"}]
    file = project(tmp_path, HEAD + 'a.png,"rot, hell"\nb.png,青\n', outputs=outputs, samples=samples)
    _, made = pipeline.plan(session, file)
    assert dict(made.evaluation or {})["samples"] == 2


def test_calibration_and_evaluation_are_disjoint_by_content(session: Session, tmp_path: Path) -> None:
    file = project(tmp_path, calibration={"photo": ["copy.png", "red.png"]}, formats=["onnx/float32"])
    (tmp_path / "copy.png").write_bytes((tmp_path / "b.png").read_bytes())
    (text,) = faults(session, file)
    assert text == "3: this sample is calibration data as well: its content is that of copy.png"


def test_a_zip_archive_of_the_table_and_its_files(session: Session, tmp_path: Path) -> None:
    file = project(tmp_path, evaluation={"data": "eval.zip"})
    (tmp_path / "eval.zip").touch()
    with zipfile.ZipFile(tmp_path / "eval.zip", "w") as archive:
        archive.writestr("set/labels.csv", "photo,label\nimages/a.png,red\n")
        archive.write(tmp_path / "a.png", "set/images/a.png")
        archive.writestr("set/images/notes.csv", "deeper tables are no data files")
    _, made = pipeline.plan(session, file)
    assert dict(made.evaluation or {})["samples"] == 1


def test_faults_of_an_archive(session: Session, tmp_path: Path) -> None:
    file = project(tmp_path, evaluation={"data": "eval.zip"})
    with zipfile.ZipFile(tmp_path / "eval.zip", "w") as archive:
        archive.writestr("labels.csv", "photo,label\ngone.png,red\n../a.png,red\n")
    texts = faults(session, file)
    assert texts[0] == "2: the archive has no file `gone.png`"
    assert "leaves the archive" in texts[1]
    with zipfile.ZipFile(tmp_path / "eval.zip", "a") as archive:
        archive.writestr("more.csv", "")
    (text,) = faults(session, file)
    assert "the archive has 2 .csv files where one is expected" in text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"metric": "auc"}, "unknown value `auc` for `metric`"),
        ({"max_drop": -0.1}, "`max_drop` is out of range: `-0.1`"),
        ({"max_drop": None}, "`max_drop` has no value"),
        ({"data": "gone.csv"}, "no such file: `gone.csv`"),
        ({"output": "verdict"}, "unknown output `verdict`"),
        ({"limit": 1}, "unknown key `limit`"),
    ],
)
def test_faults_of_the_section(session: Session, tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ManifestError) as caught:
        pipeline.check(session, project(tmp_path, evaluation=changes))
    assert expected in [finding.what for finding in caught.value.findings]


def test_a_metric_for_another_kind_of_result_is_a_plan_error(session: Session, tmp_path: Path) -> None:
    file = project(tmp_path, evaluation={"metric": "mae"})
    with pytest.raises(PlanError) as caught:
        pipeline.check(session, file)
    (finding,) = caught.value.findings
    assert finding.what == "0 outputs give Values or Embedding, which metric `mae` judges"
    file = project(tmp_path, evaluation={"metric": "map50", "output": "colour"})
    with pytest.raises(PlanError) as caught:
        pipeline.check(session, file)
    (finding,) = caught.value.findings
    assert finding.what == "metric `map50` judges Detections, output `colour` gives Classification"


def one_box(**changes: str) -> str:
    entries = {"label": '"face"', "left": "0", "top": "0", "right": "1", "bottom": "1", **changes}
    return '{"photo": "a.png", "boxes": [{' + ", ".join(f'"{key}": {text}' for key, text in entries.items()) + "}]}"


class TestBoxes:
    """JSON lines of map50, read without a model."""

    @staticmethod
    def read(folder: Path, *lines: str) -> Any:
        from packager.manifest import load
        from packager.plan import read_labelled
        from packager.registry import Catalog

        text = "\n".join(lines) + "\n"
        asked = {"metric": "map50"}
        file = project(folder, text, name="eval.jsonl", evaluation=asked)
        return read_labelled(
            load(file, Catalog()), "colour", {"colour": ("face",)}, lambda a: folder / str(a), folder / "scratch"
        )

    def test_boxes_are_read(self, tmp_path: Path) -> None:
        box = {"label": "face", "left": 1, "top": 2, "right": 3.5, "bottom": 4}
        data = self.read(
            tmp_path, json.dumps({"photo": "a.png", "boxes": [box]}), "", json.dumps({"photo": "b.png", "boxes": []})
        )
        assert [sample.line for sample in data.samples] == [1, 3]
        (known,) = data.samples[0].truth
        assert (known.label, known.box.right) == ("face", 3.5)
        assert data.samples[1].truth == ()

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("{", "this line is not JSON"),
            ("[]", "this line is no JSON object"),
            ('{"photo": "a.png"}', "no list `boxes`"),
            ('{"photo": "a.png", "boxes": [3]}', "`3` is no box"),
            (one_box(label='"cat"'), "no label `cat`"),
            (one_box(left="2"), "is no box"),
            (one_box(left="NaN"), "is no box"),
        ],
    )
    def test_faults(self, tmp_path: Path, line: str, expected: str) -> None:
        with pytest.raises(ManifestError) as caught:
            self.read(tmp_path, line)
        assert expected in caught.value.findings[0].what
