"""The root manifest's bundle: what it holds, that every change is found, and what a second build does with it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from project_tools import ROOT, packager, root_manifest, write_manifest

from packager import pipeline
from packager.core.errors import BundleChangedError, BundleError
from packager.core.hashing import sha256_file
from packager.session import Session
from packager.stages import bundle
from packager.stages.bundle.evidence import evidence_hash
from packager.stages.bundle.receipt import content_hash, json_text

pytestmark = pytest.mark.heavy
OUTSIDE = {"bundle.json", "evidence.json", "report.html"}


@pytest.fixture
def copied(built: Path, tmp_path: Path) -> Path:
    """A bundle that a test may change."""
    return Path(shutil.copytree(built, tmp_path / "dist" / built.name, symlinks=True))


def receipt_of(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((path / "bundle.json").read_bytes())
    return data


def evidence_of(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((path / "evidence.json").read_bytes())
    return data


def every_file(path: Path) -> list[Path]:
    return [file for file in sorted(path.rglob("*")) if file.is_file()]


def test_nothing_but_the_bundle_stands_in_the_output_folder(built: Path) -> None:
    manifest = root_manifest()
    assert [path.name for path in built.parent.iterdir()] == [f"{manifest['name']}-{manifest['version']}"]
    parts = {"bundle.json", "evidence.json", "report.html", "NOTICE", "models", "golden", "zips"}
    projects = {target["root"].split("/")[0] for target in receipt_of(built)["targets"].values()}
    assert {path.name for path in built.iterdir()} == parts | projects


def test_the_receipt_holds_what_is_promised(built: Path) -> None:
    receipt, manifest = receipt_of(built), root_manifest()
    assert (receipt["name"], receipt["version"]) == (manifest["name"], manifest["version"])
    assert set(receipt["files"]) == {file.relative_to(built).as_posix() for file in every_file(built)} - OUTSIDE
    assert {entry["owner"] for entry in receipt["files"].values()} == {"generated", "yours"}
    addresses = {f"{a['package']}!{a['file']}": a["sha256"] for a in _addresses(manifest)}
    assert receipt["inputs"] == addresses
    for artifact in receipt["artifacts"]:
        assert {"runtime", "precision", "path", "sha256", "bytes"} <= set(artifact)
        path = built / artifact["path"]
        assert path.exists()
        if path.is_file():
            assert artifact["sha256"] == sha256_file(path)
            assert artifact["bytes"] == path.stat().st_size
    assert set(manifest["formats"]) <= {f"{a['runtime']}/{a['precision']}" for a in receipt["artifacts"]}
    assert content_hash(receipt) == receipt["content_hash"]


def _addresses(data: Any) -> list[dict[str, str]]:
    if isinstance(data, dict):
        inner = [found for value in data.values() for found in _addresses(value)]
        return [data, *inner] if "package" in data else inner
    return [found for item in data for found in _addresses(item)] if isinstance(data, list) else []


def test_what_depends_on_the_processor_is_listed_and_nothing_else(built: Path) -> None:
    receipt = receipt_of(built)
    dependent = receipt["cpu_dependent"]
    assert set(dependent) < set(receipt["files"])
    assert all(dependent.values())
    models = {name for name in receipt["files"] if name.startswith("models/")}
    assert models <= set(dependent)
    assert not [name for name in dependent if name.endswith((".hpp", ".kt", ".swift")) and "step" in name]
    hashes = [artifact["sha256"].encode() for artifact in receipt["artifacts"]]
    for name in set(receipt["files"]) - set(dependent):
        data = (built / name).read_bytes()
        assert not [h for h in hashes if h in data], f"{name} states a model's hash, but is not listed"


def test_the_evidence_holds_a_row_for_each_artefact_and_kernel_set(built: Path, session: Session) -> None:
    receipt, evidence = receipt_of(built), evidence_of(built)
    rows = {(r["runtime"], r["precision"], r["kernel_set"]): r for r in evidence["artifacts"]}
    wanted = {
        (a["runtime"], a["precision"], kernel_set)
        for a in receipt["artifacts"]
        for kernel_set in session.catalog.runtimes[a["runtime"]].kernel_sets(a["precision"])
    }
    assert set(rows) == wanted
    for row in rows.values():
        assert row["gate"]["passed"] is True
        figures = row["gate"]["figures"]
        assert {"max_abs", "mean_abs", "cosine", "decisions_kept", "decisions"} <= set(figures)
        assert figures["decisions"] == figures["samples"] == len(root_manifest()["samples"])
        assert 0 < figures["mean_abs"] <= figures["max_abs"] < 0.1
    assert evidence["tests"] == []
    assert evidence["content_hash"] == receipt["content_hash"]


def test_float32_is_closer_than_int8(built: Path) -> None:
    error = {
        (r["precision"], r["kernel_set"]): r["gate"]["figures"]["max_abs"] for r in evidence_of(built)["artifacts"]
    }
    assert max(v for (precision, _), v in error.items() if precision == "float32") < 1e-5
    assert min(v for (precision, _), v in error.items() if precision == "int8") > 1e-4


def test_verify_passes_and_its_json_is_alone(built: Path) -> None:
    done = packager("verify", built, "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["artifacts"]
    assert {row["artifact"] for row in rows} == {
        f"{a['runtime']}/{a['precision']}" for a in receipt_of(built)["artifacts"]
    }
    assert all(row["passed"] and row["worst"] == 0 for row in rows)


def test_one_changed_byte_in_any_file_is_found(copied: Path) -> None:
    listed = receipt_of(copied)["files"]
    for name in listed:
        data = bytearray((copied / name).read_bytes())
        if not data:
            (copied / name).write_bytes(b"\0")
            continue
        data[len(data) // 2] ^= 1
        (copied / name).write_bytes(data)
    found = bundle.check_files(bundle.open_bundle(copied))
    assert {finding.what for finding in found} == {f"{name} was changed" for name in listed}


@pytest.mark.parametrize("name", sorted(OUTSIDE))
def test_one_changed_byte_beside_the_receipt_is_found(copied: Path, name: str) -> None:
    whole = (copied / name).read_bytes()
    for place in (0, len(whole) // 3, len(whole) - 1):
        (copied / name).write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            found = [finding.what for finding in bundle.check_files(bundle.open_bundle(copied))]
        except BundleChangedError as fault:
            found = [str(fault)]
        assert any(name in text for text in found), (place, found)


CHANGES: dict[str, Callable[[Path], Any]] = {
    "added": lambda path: (path / "models" / "new").touch(),
    "removed": lambda path: (path / "NOTICE").unlink(),
    "linked": lambda path: ((path / "NOTICE").rename(path.parent / "N"), (path / "NOTICE").symlink_to("../N")),
    "mode": lambda path: (path / "NOTICE").chmod(0o755),
    "byte": lambda path: (path / "report.html").write_bytes((path / "report.html").read_bytes() + b" "),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_command_finds_every_kind_of_change(copied: Path, change: str) -> None:
    CHANGES[change](copied)
    done = packager("verify", copied)
    assert done.returncode == 13, done.stderr
    assert "error:" in done.stderr
    assert done.stdout == ""


def sign_again(path: Path, changed: str) -> None:
    """Make receipt and evidence fit a changed file, as somebody would who knows how."""
    receipt, evidence = receipt_of(path), evidence_of(path)
    receipt["files"][changed]["sha256"] = sha256_file(path / changed)
    receipt["content_hash"] = content_hash(receipt)
    evidence["content_hash"] = receipt["content_hash"]
    evidence["evidence_hash"] = evidence_hash(evidence)
    (path / "bundle.json").write_bytes(json_text(receipt))
    (path / "evidence.json").write_bytes(json_text(evidence))


def test_a_golden_vector_that_does_not_fit_its_model_is_found(copied: Path, session: Session) -> None:
    artifact = next(a for a in receipt_of(copied)["artifacts"] if a["precision"] == "float32")
    index = json.loads((copied / artifact["golden"] / "index.json").read_bytes())
    record = next(r for r in index["records"] if r["stage"] == "output")
    name = f"{artifact['golden']}/{record['file']}"
    values = np.frombuffer((copied / name).read_bytes(), "<f4").copy()
    values[0] += 0.01
    (copied / name).write_bytes(values.tobytes())
    sign_again(copied, name)
    assert bundle.check_files(bundle.open_bundle(copied)) == []
    with pytest.raises(BundleChangedError) as caught:
        pipeline.verify_bundle(session, copied)
    assert f"{artifact['runtime']}/{artifact['precision']}" in str(caught.value)
    assert f"sample {record['sample']}" in str(caught.value)
    assert "0.01" in str(caught.value)


@pytest.mark.parametrize("damage", ["no json", "no file", "other shape", "no records", "leaves the bundle"])
def test_golden_vectors_of_another_form_are_refused_in_words(copied: Path, session: Session, damage: str) -> None:
    artifact = receipt_of(copied)["artifacts"][0]
    name = f"{artifact['golden']}/index.json"
    index = json.loads((copied / name).read_bytes())
    record = next(r for r in index["records"] if r["stage"] == "output")
    if damage == "other shape":
        record["shape"] = [7, 7]
    elif damage == "no records":
        del index["records"]
    elif damage in ("no file", "leaves the bundle"):
        record["file"] = "gone.bin" if damage == "no file" else "../../../../etc/hostname"
    (copied / name).write_text("{" if damage == "no json" else json.dumps(index))
    sign_again(copied, name)
    with pytest.raises(BundleChangedError):
        pipeline.verify_bundle(session, copied)


ROW = {"target": "embedded.linux", "language": "c++", "compiled": True, "ran": True, "stages": ["input"],
       "evidence": "real-runtime", "result": "passed", "why": "", "checks": []}  # fmt: skip


def test_a_rebuild_starts_no_worker_and_keeps_the_test_results(copied: Path, session: Session) -> None:
    opened = bundle.open_bundle(copied)
    bundle.write_evidence(copied, opened.receipt, {**opened.evidence, "tests": [ROW]})
    again = pipeline.build(session, ROOT / "manifest.yaml", copied.parent)
    assert again == copied
    assert session.pool.started == 0
    assert receipt_of(copied)["content_hash"] == opened.receipt["content_hash"]
    assert evidence_of(copied)["tests"] == [ROW]
    assert "real-runtime" in (copied / "report.html").read_text()
    assert bundle.check_files(bundle.open_bundle(copied)) == []


def test_other_content_drops_the_test_results(copied: Path, session: Session, tmp_path: Path) -> None:
    opened = bundle.open_bundle(copied)
    bundle.write_evidence(copied, opened.receipt, {**opened.evidence, "tests": [ROW]})
    changed = root_manifest()
    changed["targets"]["android"]["application_id"] = "org.example.other"
    pipeline.build(session, write_manifest(tmp_path / "other", changed), copied.parent)
    assert evidence_of(copied)["tests"] == []
    assert session.pool.started == 0, "neither conversion nor reference depends on a target's options"


def test_an_edited_bundle_is_not_replaced_unless_forced(copied: Path) -> None:
    edited = next(copied.rglob("*.cpp"))
    edited.write_text("// mine\n")
    done = packager("build", ROOT / "manifest.yaml", "--out", copied.parent)
    assert done.returncode == 9, done.stderr
    assert edited.relative_to(copied).as_posix() in done.stderr
    assert "--force" in done.stderr
    assert edited.read_text() == "// mine\n"
    assert [path.name for path in copied.parent.iterdir()] == [copied.name]
    assert packager("build", ROOT / "manifest.yaml", "--out", copied.parent, "--force").returncode == 0
    assert edited.read_text() != "// mine\n"


def test_a_build_of_one_target_holds_only_that(built: Path, session: Session, tmp_path: Path) -> None:
    target = "embedded.linux"
    made = pipeline.build(session, ROOT / "manifest.yaml", tmp_path, [target])
    assert list(receipt_of(made)["targets"]) == [target]
    assert len(list((made / "zips").iterdir())) == 1
    root = receipt_of(made)["targets"][target]["root"]
    for file in every_file(made / root):
        assert file.read_bytes() == (built / file.relative_to(made)).read_bytes()


def test_a_target_that_the_bundle_does_not_hold_is_a_usage_error(built: Path) -> None:
    done = packager("test", built, "--target", "embedded.linus")
    assert (done.returncode, done.stdout) == (64, "")
    assert "`embedded.linux`" in done.stderr


def test_tests_recorded_on_a_bundle_that_was_rebuilt_meanwhile_are_refused(copied: Path) -> None:
    from packager import assembly

    opened = bundle.open_bundle(copied)
    sign_again_with_other_name(copied)
    with pytest.raises(BundleError, match="rebuilt while its tests ran"):
        assembly.record_tests(opened, [ROW])


def sign_again_with_other_name(path: Path) -> None:
    receipt, evidence = receipt_of(path), evidence_of(path)
    receipt["version"] = "9.9.9"
    receipt["content_hash"] = content_hash(receipt)
    (path / "bundle.json").write_bytes(json_text(receipt))
    bundle.write_evidence(path, receipt, {**evidence, "content_hash": receipt["content_hash"]})


def test_rows_of_other_targets_are_kept(copied: Path) -> None:
    from packager import assembly

    opened = bundle.open_bundle(copied)
    assembly.record_tests(opened, [{**ROW, "target": "ios", "result": "failed"}])
    assembly.record_tests(opened, [ROW])
    assembly.record_tests(opened, [{**ROW, "target": "ios"}])
    tests = evidence_of(copied)["tests"]
    assert [(row["target"], row["result"]) for row in tests] == [("embedded.linux", "passed"), ("ios", "passed")]


def test_the_notice_names_every_origin_and_licence(built: Path) -> None:
    text = (built / "NOTICE").read_text()
    for address in _addresses(root_manifest()):
        assert f"{address['package']}!{address['file']}" in text
        assert address["license"] in text
