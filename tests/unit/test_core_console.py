from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from packager.core.console import Console, NullConsole, printable
from packager.core.errors import Finding, Location, ManifestError, ModelError, PackagerError

ROOT = Path(__file__).parents[2]
TIME = re.compile(r"\d+\.\d s")


def shown(capsys) -> tuple[str, str]:
    out, err = capsys.readouterr()
    return TIME.sub("N s", out), TIME.sub("N s", err)


ONE = ManifestError(
    Finding(
        what="unknown key `lable`",
        where=Location("manifest.yaml", 12, 7),
        expected="one of: label, score",
        hint="did you mean `label`?",
        source_line="      lable: person",
    )
)
ONE_TEXT = """\
error: unknown key `lable`
   --> manifest.yaml:12:7
   |
12 |       lable: person
   |       ^
   = expected: one of: label, score
   = hint: did you mean `label`?
"""
PLAIN = ModelError("model.h5 is no Keras file", hint="Name the format.")
PLAIN_TEXT = "error: model.h5 is no Keras file\n = hint: Name the format.\n"
WIDE = ManifestError(Finding("bad value", Location("m.yaml", 3, 5), source_line="猫猫: x"))
WIDE_TEXT = "error: bad value\n  --> m.yaml:3:5\n  |\n3 | 猫猫: x\n  |       ^\n"
HOSTILE = ModelError("file \x1b[2J\x07[bold red]name[/] is missing")
HOSTILE_TEXT = "error: file �[2J�[bold red]name[/] is missing\n"
BOTH = ManifestError((*ONE.findings, *PLAIN.findings))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ONE, ONE_TEXT),
        (PLAIN, PLAIN_TEXT),
        (WIDE, WIDE_TEXT),
        (HOSTILE, HOSTILE_TEXT),
        (BOTH, f"{ONE_TEXT}\n{PLAIN_TEXT}"),
    ],
    ids=["one", "plain", "wide", "hostile", "both"],
)
@pytest.mark.parametrize("json_mode", [False, True])
def test_error_texts(capsys, error: PackagerError, text: str, json_mode: bool) -> None:
    Console(json_mode).error(error)
    assert shown(capsys) == ("", text)


def test_a_stage_is_plain_lines_without_a_terminal(capsys) -> None:
    console = Console()
    with console.stage("convert") as stage:
        stage.waiting("the worker")
        stage.waiting("tflite/int8")
        with console.task("coreml/float16"):
            pass
    out, err = shown(capsys)
    assert out == ""
    assert err.splitlines() == [
        "[convert] the worker (N s)",
        "[convert] coreml/float16 (N s)",
        "[convert] tflite/int8 (N s)",
        "[convert] done (N s)",
    ]


def test_a_stage_that_fails_says_so(capsys) -> None:
    console = Console()
    with pytest.raises(PackagerError), console.stage("convert") as stage:
        stage.waiting("tflite/int8")
        raise PLAIN
    assert shown(capsys)[1] == "[convert] tflite/int8: failed (N s)\n[convert] failed (N s)\n"


def test_results_go_to_standard_output(capsys) -> None:
    console = Console()
    console.line("a " * 200 + "[bold]x[/bold] \x1b[31m")
    console.table("Files", ["name", "bytes"], [["a" * 100, 12], ["b", None]])
    console.warn("careful")
    out, err = shown(capsys)
    lines = out.splitlines()
    assert lines[0] == "a " * 200 + "[bold]x[/bold] \\x1b[31m"
    assert any(line.split() == ["a" * 100, "12"] for line in lines)
    assert err == "warning: careful\n"


def test_in_json_mode_standard_output_is_json_alone(capsys) -> None:
    console = Console(json_mode=True)
    console.line("line")
    console.table("T", ["c"], [["cell"]])
    console.emit_json({"name": "Ü", "path": Path("a/b")})
    out, err = capsys.readouterr()
    assert json.loads(out) == {"name": "Ü", "path": "a/b"}
    assert "line" in err
    assert "cell" in err


def test_the_null_console_is_silent(capsys, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("log")
    console = NullConsole(verbose=True)
    with console.stage("s") as stage, console.task("t"):
        stage.waiting("w")
        console.line("l")
        console.warn("w")
        console.error(PLAIN)
        console.table("t", ["c"], [["x"]])
        console.log_file(tmp_path / "log")
        console.emit_json({"a": 1})
    assert capsys.readouterr() == ("", "")


def test_printable() -> None:
    assert printable("a\tb\nü猫\x00\x1b\x9b\u202e") == "a\tb\nü猫\\x00\\x1b\\x9b\\u202e"


SCRIPT = """
import time
from packager.core.console import Console
from packager.core.errors import ModelError
console = Console()
with console.stage("convert") as stage:
    stage.waiting("tflite/int8")
    time.sleep(0.6)
    console.line("a result")
console.error(ModelError("broken", hint="Mend it."))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("variable", ["", "NO_COLOR"])
def test_on_a_terminal_the_stage_is_live(variable: str) -> None:
    import pty

    main, side = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    if variable:
        environment[variable] = "1"
    child = subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=side, stderr=side, env=environment)
    os.close(side)
    data = b""
    while True:
        try:
            part = os.read(main, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        data += part
    os.close(main)
    assert child.wait(timeout=30) == 0
    text = data.decode()
    assert "\x1b[?25l" in text  # the cursor is hidden while the line lives
    assert text.endswith("\n")
    assert re.search(r"\[convert\] \d+ s  tflite/int8", text)
    assert "a result\r\n" in text
    assert "[convert] tflite/int8 (" in text
    coloured = re.search(r"\x1b\[(\d+;)*3\d(;\d+)*m", text)
    assert (coloured is None) is bool(variable)


HEAVY = ("rich", "numpy", "pydantic", "typer", "jinja2", "yaml", "tensorflow")


@pytest.mark.parametrize(
    "module", ["errors", "console", "fetch", "actions", "cache", "process", "hashing", "plugin_paths", "worker_child"]
)
def test_the_core_is_light(module: str) -> None:
    code = f"import sys, packager.core.{module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
