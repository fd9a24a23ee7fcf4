"""Exit codes and texts of the command: each fault has its code, and no fault of the user shows a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from project_tools import packager, tiny_project

from packager import __version__
from packager.cli.app import run

Outcome = tuple[int, str, str]


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run the command in this process; gives exit code, standard output and standard error."""

    def call(*arguments: object) -> Outcome:
        code = run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return call


Command = Callable[..., Outcome]


def test_check_of_a_sound_project(command: Command, tiny: Path) -> None:
    code, out, err = command("check", tiny)
    assert (code, err) == (0, "")
    assert "no problem found" in out


@pytest.mark.parametrize("verb", ["check", "plan", "build"])
def test_a_missing_manifest(command: Command, tmp_path: Path, verb: str) -> None:
    code, out, err = command(verb, tmp_path / "nothing.yaml")
    assert (code, out) == (2, "")
    assert "nothing.yaml" in err


def test_a_manifest_that_is_no_yaml(command: Command, tmp_path: Path) -> None:
    (tmp_path / "manifest.yaml").write_bytes(b"\xff\xfe\x00\x01")
    assert command("check", tmp_path / "manifest.yaml")[0] == 2
    assert command("check", tmp_path)[0] == 2


def test_manifest_errors_come_with_file_line_column_and_hint(command: Command, tmp_path: Path) -> None:
    file = tiny_project(tmp_path, format=["onnx/float32"], versions="1.0.0")
    code, _, err = command("check", file)
    assert code == 2
    assert err.count("error:") == 2
    assert f"{file}:" in err
    assert "did you mean `formats`?" in err


def test_a_missing_sample(command: Command, tiny: Path) -> None:
    (tiny.parent / "red.png").unlink()
    code, _, err = command("check", tiny)
    assert code == 2
    assert "red.png" in err


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "cut"])
def test_the_models_faults_have_their_own_code(command: Command, tiny: Path, damage: str) -> None:
    model = tiny.parent / "tiny.onnx"
    whole = model.read_bytes()
    model.unlink()
    if damage != "missing":
        model.write_bytes({"empty": b"", "text": b"hello", "cut": whole[: len(whole) // 2]}[damage])
    for verb in ("check", "plan"):
        code, _, err = command(verb, tiny)
        assert code == 3, err
        assert "tiny.onnx" in err


def test_a_second_softmax_is_found_by_check_with_its_node_and_line(command: Command, tmp_path: Path) -> None:
    outputs = {"colour": {"steps": ["softmax", {"labels": {"names": ["red", "blue"]}}]}}
    file = tiny_project(tmp_path, outputs=outputs)
    code, _, err = command("check", file)
    assert code == 4
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if text.strip() == "- softmax")
    assert f"{file}:{line}:" in err
    assert "(node `softmax`)" in err
    assert "remove the `softmax` step" in err


def test_all_plan_errors_at_once(command: Command, tmp_path: Path) -> None:
    outputs = {"colour": {"steps": ["softmax", {"labels": {"names": ["red", "blue"]}}]}}
    targets = {"embedded": {"linux": {"runtime": "coreml", "precision": "float32"}}}
    code, _, err = command("check", tiny_project(tmp_path, outputs=outputs, targets=targets, formats=["tflite/int8"]))
    assert code == 4
    assert err.count("error:") == 3, err


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-verb"],
        ["check", "--no-such-option"],
        ["verify"],
        ["build", "a", "b"],
        ["cache"],
        ["cache", "prune", "--days", "soon"],
        ["cache", "prune", "--days", "-1"],
        ["doctor", "--install", "no-such-set"],
    ],
)
def test_usage_errors(command: Command, arguments: list[str]) -> None:
    code, out, err = command(*arguments)
    assert code == 64
    assert out == "" or arguments == ["cache"]
    assert err or arguments == ["cache"]


@pytest.mark.parametrize("verb", ["plan", "build"])
def test_an_unknown_target_is_a_usage_error_that_names_the_known_ones(
    command: Command, tmp_path: Path, verb: str
) -> None:
    targets = {"embedded": {"linux": {"runtime": "tflite", "precision": "float32"}}}
    file = tiny_project(tmp_path, targets=targets)
    code, _, err = command(verb, file, "--target", "embedded.linus")
    assert code == 64
    assert "`embedded.linus`" in err
    assert "`embedded.linux`" in err
    assert command(verb, tiny_project(tmp_path / "none"), "--target", "android")[0] == 64


def test_an_output_folder_that_cannot_be_written_is_said_before_the_work(command: Command, tiny: Path) -> None:
    for out in (tiny, tiny / "dist"):
        code, _, err = command("build", tiny, "--out", out)
        assert code == 9
        assert str(out) in err
        assert "--out" in err
        assert "[contract]" not in err


@pytest.mark.parametrize("verb", ["verify", "test"])
def test_what_is_no_bundle(command: Command, tmp_path: Path, verb: str) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "nothing", tmp_path / "file"):
        code, out, err = command(verb, path)
        assert (code, out) == (13, "")
        assert "bundle.json cannot be read" in err


def test_help_and_version(command: Command) -> None:
    for arguments in (["--help"], ["plan", "--help"], ["cache", "--help"]):
        code, out, err = command(*arguments)
        assert (code, err) == (0, "")
        assert "Usage" in out
    assert command("--version")[:2] == (0, f"packager {__version__}\n")
    code, out, err = command()
    assert code in (0, 64)
    assert "Usage" in out + err


def test_json_is_alone_on_standard_output(command: Command, tiny: Path) -> None:
    code, out, err = command("plan", tiny, "--json")
    assert code == 0
    made = json.loads(out)
    assert made["jobs"][0]["id"] == "contract"
    assert "[check] done" in err
    code, out, _ = command("doctor", "--json")
    assert code == 0
    assert {row["state"] for row in json.loads(out)} <= {"ready", "skipped", "installed", "not installed"}


def test_json_of_a_failure_is_nothing_on_standard_output(command: Command, tmp_path: Path) -> None:
    code, out, err = command("plan", tmp_path / "nothing.yaml", "--json")
    assert (code, out) == (2, "")
    assert err


def test_the_schema_takes_the_projects_of_the_tests(command: Command, tiny: Path) -> None:
    code, out, _ = command("schema")
    assert code == 0
    schema = json.loads(out)
    assert schema["$schema"].startswith("http")
    assert {"model", "inputs", "outputs", "targets"} <= set(schema["properties"])
    code, page, _ = command("schema", "--reference")
    assert code == 0
    assert page.startswith("# Manifest reference")


def test_check_writes_nothing_and_starts_nothing(
    command: Command, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("packager.core.worker.WorkerPool.run", _never)
    monkeypatch.setattr("socket.socket.connect", _never)
    assert command("check", tiny)[0] == 0
    assert not (tmp_path / "cache" / "packager" / "entries").exists()


def _never(*_: Any, **__: Any) -> None:
    raise AssertionError("check starts no worker and opens no network")


PACKAGE = {"package": "pypi:no-such-package-of-ours==1.0", "file": "x", "sha256": "0" * 64}


def test_check_says_what_it_could_not_see_and_still_finds_the_rest(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("socket.socket.connect", _never)
    file = tiny_project(tmp_path / "a", model={"source": PACKAGE})
    code, out, _ = command("check", file)
    assert code == 0
    assert "not seen: pypi:no-such-package-of-ours==1.0!x" in out
    assert "in what could be seen" in out
    linux = {"embedded": {"linux": {"runtime": "coreml", "precision": "float16"}}}
    file = tiny_project(tmp_path / "b", model={"source": PACKAGE}, targets=linux)
    code, _, err = command("check", file)
    assert code == 4
    assert "has no cpp engine for runtime `coreml`" in err
    file = tiny_project(tmp_path / "c", samples=[{"photo": PACKAGE}])
    code, out, _ = command("check", file)
    assert code == 0
    assert "not seen: pypi:no-such-package-of-ours==1.0!x is not in the cache" in out


def test_the_cache_is_where_the_environment_says(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "here"))
    assert str(tmp_path / "here" / "packager") in command("cache", "show")[1]
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # the XDG specification: to be ignored
    assert str(tmp_path / "home" / ".cache" / "packager") in command("cache", "show")[1]


def test_the_cache_is_pruned_and_cleared(tmp_path: Path) -> None:
    env = {"XDG_CACHE_HOME": str(tmp_path)}
    blob = tmp_path / "packager" / "blobs" / ("a" * 64) / "old.bin"
    blob.parent.mkdir(parents=True)
    blob.touch()
    assert "1 entries" in packager("cache", "show", env=env).stdout
    assert packager("cache", "prune", "--days", "1", env=env).returncode == 0
    assert blob.exists()
    assert packager("cache", "clear", env=env).returncode == 0
    assert not blob.exists()


def test_a_folder_of_plugins_that_is_missing(
    command: Command, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACKAGER_PLUGINS", str(tmp_path / "gone"))
    code, _, err = command("check", tiny)
    assert code == 64
    assert "PACKAGER_PLUGINS" in err


def test_a_bug_asks_for_a_report_and_keeps_the_traceback_in_a_file(
    command: Command, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("of ours")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("packager.pipeline.load", broken)
    code, _, err = command("check", tiny)
    assert code == 70
    log = tmp_path / "cache" / "packager" / "logs" / "bug.log"
    assert str(log) in err
    assert "report" in err
    assert "ZeroDivisionError: of ours" in log.read_text()
    assert "Traceback" in log.read_text()


def test_an_interruption_is_said_in_words(command: Command, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("packager.pipeline.load", interrupted)
    code, _, err = command("check", tiny)
    assert code == 130
    assert "interrupted" in err


def test_the_command_itself_gives_these_codes(tmp_path: Path) -> None:
    tiny = tiny_project(tmp_path)
    assert packager("check", cwd=tmp_path).returncode == 0  # manifest.yaml is the default
    assert packager("check", "nothing.yaml", cwd=tmp_path).returncode == 2
    assert packager("nonsense").returncode == 64
    done = packager("plan", tiny, "--json")
    assert json.loads(done.stdout)["source"]["format"] == "onnx"
