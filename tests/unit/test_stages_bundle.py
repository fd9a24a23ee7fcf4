"""Publishing, and opening again: the old bundle or the new one, and every change is found."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from packager.core.errors import BundleChangedError, BundleError
from packager.core.locks import lock, open_for_lock
from packager.model.artifact import Figures
from packager.model.project import RenderedFile
from packager.stages import bundle
from packager.stages.bundle.evidence import evidence_hash
from packager.stages.bundle.receipt import content_hash, json_text

NAME = "demo-1.0.0"
publishing = importlib.import_module("packager.stages.bundle.publish")


def files(text: str = "one") -> list[RenderedFile]:
    return [
        RenderedFile("README.md", text.encode()),
        RenderedFile("linux/build.sh", b"#!/bin/sh\n", executable=True),
        RenderedFile("linux/src/main.c", b"int main(void) { return 0; }\n", "yours"),
        RenderedFile("models/m.bin", bytes(range(256)), cpu_dependent="floats"),
    ]


def figures(**changes: Any) -> Figures:
    values: dict[str, Any] = {
        "max_abs": 0.0, "mean_abs": 0.0, "relative": 0.0, "cosine": 1.0, "decisions_kept": 1, "decisions": 1,
        "undecided": 0, "non_finite": 0, "samples": 1,
    }  # fmt: skip
    return Figures(**(values | changes))


def publish(out: Path, made: list[RenderedFile] | None = None, tests: list[Any] | None = None) -> Path:
    made = files() if made is None else made
    receipt = bundle.build_receipt({"name": "demo", "version": "1.0.0"}, {}, [], {}, "c" * 64, made)
    evidence = {"format": 1, "samples": 1, "artifacts": [], "tests": tests or [], "machine": {"cpu": "x"}, "tools": {}}

    def before_swap(staged: Path) -> None:
        bundle.write_evidence(staged, receipt.data, {**evidence, "content_hash": receipt.content_hash})

    return bundle.publish(out, NAME, [*made, RenderedFile("bundle.json", receipt.text())], before_swap)


def problems(path: Path) -> list[str]:
    try:
        return [finding.what for finding in bundle.check_files(bundle.open_bundle(path))]
    except BundleChangedError as fault:
        return [finding.what for finding in fault.findings]


def sign_again(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the receipt as somebody would who knows how it is signed."""
    data = json.loads((path / "bundle.json").read_bytes())
    change(data)
    with contextlib.suppress(ValueError):  # what no JSON can hold has no hash
        data["content_hash"] = content_hash(data)
    (path / "bundle.json").write_bytes(json_text(data))
    evidence = json.loads((path / "evidence.json").read_bytes())
    evidence["content_hash"] = data["content_hash"]
    evidence["evidence_hash"] = evidence_hash(evidence)
    (path / "evidence.json").write_bytes(json_text(evidence))


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return publish(tmp_path / "dist")


def test_a_published_bundle_is_whole(published: Path) -> None:
    assert problems(published) == []
    assert os.access(published / "linux" / "build.sh", os.X_OK)
    assert not os.access(published / "README.md", os.X_OK)
    receipt = json.loads((published / "bundle.json").read_bytes())
    assert set(receipt["files"]) == {file.path for file in files()}
    assert receipt["files"]["linux/src/main.c"]["owner"] == "yours"
    assert receipt["cpu_dependent"] == {"models/m.bin": "floats"}
    assert [path.name for path in published.parent.iterdir()] == [NAME]


def every_file(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def test_one_changed_byte_in_any_file_is_found(published: Path) -> None:
    for file in every_file(published):
        whole = file.read_bytes()
        for place in {0, len(whole) // 2, len(whole) - 1}:
            changed = bytearray(whole)
            changed[place] ^= 1
            file.write_bytes(changed)
            found = problems(published)
            assert found, f"{file.name}: byte {place}"
            if file.name not in ("bundle.json", "evidence.json"):
                assert found[0].startswith(file.relative_to(published).as_posix())
        file.write_bytes(whole)
    assert problems(published) == []


@pytest.mark.parametrize("name", ["bundle.json", "evidence.json"])
def test_any_changed_byte_of_receipt_and_evidence_is_found(published: Path, name: str) -> None:
    whole = (published / name).read_bytes()
    for place in range(len(whole)):
        for other in (whole[place] ^ 1, whole[place] ^ 0x80):
            (published / name).write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
            assert problems(published), f"byte {place} of {name}: {whole[max(0, place - 20) : place + 20]!r}"


def test_other_white_space_or_order_in_the_receipt_is_a_change(published: Path) -> None:
    file = published / "bundle.json"
    data = json.loads(file.read_bytes())
    file.write_text(json.dumps(data, indent=2, sort_keys=True), "utf-8")  # no newline at the end
    assert problems(published)
    file.write_bytes(json_text(data))
    assert problems(published) == []


def test_added_removed_linked_and_other_modes_are_found(published: Path) -> None:
    def check(what: str) -> None:
        assert any(what in text for text in problems(published)), problems(published)

    added = published / "linux" / "new.txt"
    added.touch()
    check("linux/new.txt is not in the receipt")
    added.unlink()
    (published / "linux" / "hidden").symlink_to("/")
    check("linux/hidden is not in the receipt")
    (published / "linux" / "hidden").unlink()
    readme = published / "README.md"
    readme.rename(published.parent / "away")
    check("README.md is missing")
    readme.symlink_to(published.parent / "away")
    check("README.md leaves the bundle")
    readme.unlink()
    (published / "linux" / "copy.md").write_bytes(files()[0].read())
    readme.symlink_to("linux/copy.md")
    check("README.md is a link")
    readme.unlink()
    (published / "linux" / "copy.md").rename(readme)
    readme.chmod(0o755)
    check("README.md has another mode")
    readme.chmod(0o644)
    (published / "linux" / "build.sh").chmod(0o644)
    check("linux/build.sh has another mode")
    (published / "linux" / "build.sh").chmod(0o755)
    os.mkfifo(published / "pipe")
    check("pipe is not in the receipt")
    (published / "pipe").unlink()
    assert problems(published) == []


@pytest.mark.parametrize("name", ["bundle.json", "evidence.json", "report.html"])
def test_a_link_in_place_of_a_file_beside_the_receipt_is_found(published: Path, name: str) -> None:
    (published / name).rename(published.parent / name)
    (published / name).symlink_to(published.parent / name)
    assert problems(published) == [f"{name} is a link, not a file"]


def test_a_folder_that_is_a_link_is_found(published: Path) -> None:
    (published / "models").rename(published.parent / "models")
    (published / "models").symlink_to(published.parent / "models")
    assert "models/m.bin leaves the bundle" in problems(published)


def _drop(*keys: str) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        for key in keys[:-1]:
            data = data[key]
        del data[keys[-1]]

    return change


ARTIFACT = {
    "runtime": "r", "precision": "p", "path": "models/m.bin", "golden": "golden/r-p", "kernel_set": "k", "bytes": 1,
    "inputs": [], "outputs": [],
}  # fmt: skip
HOSTILE: dict[str, Callable[[dict[str, Any]], None]] = {
    "no artefacts": _drop("artifacts"),
    "no hash": _drop("files", "README.md", "sha256"),
    "files as a list": lambda data: data.update(files=[]),
    "a path that leaves": lambda data: data["files"].update({"../x": data["files"]["README.md"]}),
    "an absolute path": lambda data: data["files"].update({"/etc/passwd": data["files"]["README.md"]}),
    "a path with NUL": lambda data: data["files"].update({"a\0b": data["files"]["README.md"]}),
    "a very long path": lambda data: data["files"].update({"a" * 5000: data["files"]["README.md"]}),
    "a root that leaves": lambda data: data.update(
        targets={"t": {"root": "../..", "runtime": "r", "precision": "p", "language": "cpp"}}
    ),
    "a golden folder elsewhere": lambda data: data.update(artifacts=[{**ARTIFACT, "golden": "/etc"}]),
    "a number that is none": lambda data: data.update(more=float("nan")),
    "another format": lambda data: data.update(format=2),
    "a number as name": lambda data: data.update(name=5),
}


def test_an_artefact_of_the_expected_form_is_taken(published: Path) -> None:
    sign_again(published, lambda data: data.update(artifacts=[ARTIFACT]))
    assert problems(published) == []


@pytest.mark.parametrize("case", HOSTILE)
def test_a_signed_receipt_of_another_form_is_refused_in_words(published: Path, case: str) -> None:
    sign_again(published, HOSTILE[case])
    assert problems(published)


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"5", b"{", b"\xff\xfe", b'{"a": NaN}', b"[" * 200_000, b"9" * 10_000, b'{"a": "\\ud800"}'],
    ids=["empty", "list", "number", "cut", "binary", "nan", "deep", "long", "surrogate"],
)
@pytest.mark.parametrize("name", ["bundle.json", "evidence.json"])
def test_what_is_no_receipt_is_refused_in_words(published: Path, name: str, text: bytes) -> None:
    (published / name).write_bytes(text)
    with pytest.raises(BundleChangedError, match=name):
        bundle.open_bundle(published)


def test_an_edited_old_bundle_is_named_file_by_file(published: Path) -> None:
    assert bundle.edited(published) == ()
    (published / "linux" / "src" / "main.c").write_text("mine")
    (finding,) = bundle.edited(published)
    assert finding.what == f"{NAME}: linux/src/main.c was changed"
    assert "--force" in finding.hint
    (published / "bundle.json").unlink()
    assert bundle.edited(published)


def test_a_refused_build_leaves_the_old_bundle_and_nothing_else(published: Path) -> None:
    def refuse(_: Path) -> None:
        raise BundleError("edited")

    with pytest.raises(BundleError):
        bundle.publish(published.parent, NAME, files("two"), refuse)
    assert problems(published) == []
    assert [path.name for path in published.parent.iterdir()] == [NAME]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interrupted_build_leaves_the_old_bundle_and_nothing_else(
    published: Path, monkeypatch: pytest.MonkeyPatch, stop: Any
) -> None:
    def fail(*_: Any) -> None:
        raise stop

    monkeypatch.setattr(publishing, "_swap", fail)
    with pytest.raises(KeyboardInterrupt if stop is KeyboardInterrupt else BundleError) as caught:
        publish(published.parent, files("two"))
    if stop is not KeyboardInterrupt:
        assert "No space left" in str(caught.value)
    assert problems(published) == []
    assert [path.name for path in published.parent.iterdir()] == [NAME]


def test_the_next_bundle_replaces_the_old_one_whole(published: Path) -> None:
    publish(published.parent, files("two")[:1])
    assert (published / "README.md").read_text() == "two"
    assert not (published / "linux").exists()
    assert problems(published) == []


@pytest.mark.parametrize("moment", ["before", "between", "after"])
def test_where_names_cannot_be_exchanged_a_kill_is_repaired(
    published: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The same steps as in a real kill: the process ends between two system calls."""
    monkeypatch.setattr(publishing, "_exchange", lambda *_: False)
    renames: list[Path] = []
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if len(renames) == ["before", "between", "after"].index(moment):
            raise SystemExit
        renames.append(self)
        return real(self, target)

    monkeypatch.setattr(publishing, "_remove", lambda *_: None)
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(Path, "rename", rename)
        publish(published.parent, files("two"))
        raise SystemExit
    monkeypatch.undo()
    bundle.tidy(published.parent)
    assert problems(published) == []
    assert (published / "README.md").read_text() == ("two" if moment == "after" else "one")
    assert [path.name for path in published.parent.iterdir()] == [NAME]


def test_tidy_leaves_a_running_build_alone(tmp_path: Path) -> None:
    left = tmp_path / ".other-1.0.0.staging"
    left.mkdir()
    handle = open_for_lock(tmp_path)
    lock(handle, exclusive=True, wait=True)
    bundle.tidy(tmp_path)
    assert left.is_dir()
    os.close(handle)
    bundle.tidy(tmp_path)
    assert not left.exists()
    bundle.tidy(tmp_path / "missing")
    assert not (tmp_path / "missing").exists()


def test_a_build_that_will_fail_later_tidies_all_the_same(tmp_path: Path) -> None:
    (tmp_path / ".demo-1.0.0.staging").mkdir()
    bundle.prepare(tmp_path)
    assert list(tmp_path.iterdir()) == []
    bundle.prepare(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == [], "a folder is made when there is something to put into it"


def test_builds_into_one_folder_wait_for_each_other(tmp_path: Path) -> None:
    threads = [threading.Thread(target=publish, args=(tmp_path, files(f"text {n}"))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems(tmp_path / NAME) == []
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize("force_over", ["file", "link"])
def test_what_stands_in_the_place_is_replaced_but_not_followed(tmp_path: Path, force_over: str) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "precious").touch()
    out = tmp_path / "dist"
    out.mkdir()
    if force_over == "file":
        (out / NAME).write_text("not a bundle")
    else:
        (out / NAME).symlink_to(other)
    publish(out)
    assert problems(out / NAME) == []
    assert (other / "precious").exists()
    assert [path.name for path in out.iterdir()] == [NAME]


def test_an_output_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BundleError, match="cannot be written") as caught:
        publish(tmp_path / "file" / "dist")
    assert "--out" in caught.value.findings[0].hint


def test_test_results_are_kept_for_equal_content_only(published: Path) -> None:
    row = {"target": "t", "language": "c++", "result": "passed"}
    publish(published.parent, tests=[row])
    receipt = json.loads((published / "bundle.json").read_bytes())
    assert bundle.kept_tests(published, receipt["content_hash"]) == [row]
    assert bundle.kept_tests(published, "0" * 64) == []
    assert bundle.kept_tests(published.parent / "missing", receipt["content_hash"]) == []
    text = (published / "evidence.json").read_text().replace('"passed"', '"failed"')
    (published / "evidence.json").write_text(text)
    assert bundle.kept_tests(published, receipt["content_hash"]) == []
