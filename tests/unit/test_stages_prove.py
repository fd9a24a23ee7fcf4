"""The harness of a target: what its commands print becomes a row of evidence, and green is earned."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from packager.core.process import SystemRunner
from packager.model.target import Harness, HarnessStep, Placement, TargetSpec
from packager.stages.prove import Row, prove

GOOD = "".join(f"3: packager-golden\\tred\\t{stage}\\tpassed\\n" for stage in ("input", "output", "result"))


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def python(name: str, code: str, proves: Any = "", **options: Any) -> HarnessStep:
    return HarnessStep(name, (sys.executable, "-c", code), proves, **options)


def prints(text: str, code: int = 0) -> str:
    return f"import sys; sys.stdout.write('{text}'); sys.exit({code})"


def run(tmp_path: Path, *steps: HarnessStep, problem: str = "", harness: bool = True) -> Row:
    root = tmp_path / "bundle" / "project"
    root.mkdir(parents=True)
    (root / "main.c").write_text("1")
    host = tmp_path / "target" / "host" / "overlay"
    host.mkdir(parents=True)
    (host / "pom.xml").write_text("2")
    known = Harness("", (), "real-runtime", ("input", "output", "result"), steps)
    spec = TargetSpec(
        "t", tmp_path / "target", "", "cpp", "project", "n", {}, {}, Placement("m", "c", "e", "g"), (),
        known if harness else None,
    )  # fmt: skip
    work = tmp_path / "work"
    work.mkdir()
    return prove(spec, tmp_path / "bundle", "project", None, work, SystemRunner(), problem)


COMPILE = python("compile", "pass", "compile")


def test_a_whole_run_passes(tmp_path: Path) -> None:
    row = run(tmp_path, COMPILE, python("golden", prints(GOOD), "run"))
    assert (row.result, row.why, row.compiled, row.ran) == ("passed", "", True, True)
    assert row.stages == ["input", "output", "result"]
    assert (row.language, row.evidence) == ("c++", "real-runtime")
    assert "log" not in row.to_json()


def test_the_harness_works_on_a_copy_with_its_overlay(tmp_path: Path) -> None:
    code = "import pathlib; assert pathlib.Path('pom.xml').read_text() == '2'; pathlib.Path('main.c').write_text('x')"
    assert run(tmp_path, python("touch", code, "compile"), python("g", prints(GOOD), "run")).result == "passed"
    assert (tmp_path / "bundle" / "project" / "main.c").read_text() == "1"
    assert not (tmp_path / "bundle" / "project" / "pom.xml").exists()


def test_a_failed_check_names_stage_sample_and_difference(tmp_path: Path) -> None:
    text = GOOD.replace("output\\tpassed", "output\\tfailed\\toff by 3")
    for code in (0, 8):  # whatever the exit code says
        row = run(tmp_path / str(code), COMPILE, python("golden", prints(text, code), "run"))
        assert (row.result, row.ran) == ("failed", True)
        assert row.why == "stage output, sample red: off by 3"
        assert row.stages == ["input", "result"]


def test_a_stage_without_any_check_is_no_pass(tmp_path: Path) -> None:
    row = run(tmp_path, COMPILE, python("golden", prints(GOOD.replace("result\\tpassed", "decode\\tpassed")), "run"))
    assert row.result == "failed"
    assert row.why == "no check of stage result"


def test_a_compiler_that_fails_ends_it(tmp_path: Path) -> None:
    row = run(
        tmp_path, python("compile", prints("main.c:1: error: no", 2), "compile"), python("g", prints(GOOD), "run")
    )
    assert (row.result, row.compiled, row.ran, row.stages) == ("failed", False, False, [])
    assert row.why == "compile: exit code 2: main.c:1: error: no"
    assert "error: no" in Path(row.log).read_text()


def test_nothing_compiled_or_nothing_run_is_no_pass(tmp_path: Path) -> None:
    assert run(tmp_path / "a", python("golden", prints(GOOD), "run")).result == "failed"
    assert run(tmp_path / "b", COMPILE, python("golden", prints(GOOD))).result == "failed"
    assert run(tmp_path / "c").result == "failed"


def test_a_command_that_hangs_is_stopped(tmp_path: Path) -> None:
    row = run(tmp_path, python("compile", "import time; time.sleep(60)", "compile", timeout=0.2))
    assert row.result == "failed"
    assert "did not end within 0.2 s" in row.why


def test_a_missing_program_is_a_failure_in_words(tmp_path: Path) -> None:
    row = run(tmp_path, HarnessStep("compile", ("no-such-compiler",), "compile"))
    assert row.result == "failed"
    assert "no-such-compiler cannot be started" in row.why


def test_what_cannot_run_here_is_skipped_with_its_reason(tmp_path: Path) -> None:
    row = run(tmp_path / "a", COMPILE, problem="missing here: cmake")
    assert (row.result, row.why, row.ran) == ("skipped", "missing here: cmake", False)
    assert run(tmp_path / "b", harness=False).result == "skipped"


def test_equal_lines_count_once_and_a_later_failure_still_counts(tmp_path: Path) -> None:
    again = python("sanitized", prints(GOOD.replace("input\\tpassed", "input\\tfailed\\tbit 7")), "run")
    row = run(tmp_path, COMPILE, python("golden", prints(GOOD), "run"), again)
    assert row.result == "failed"
    assert row.why.startswith("stage input")
    assert "input" not in row.stages
    assert len(row.checks) == 4


def test_a_cut_line_is_a_failed_check(tmp_path: Path) -> None:
    row = run(tmp_path, COMPILE, python("golden", prints(GOOD + "packager-golden\\tred"), "run"))
    assert row.result == "failed"
    assert "sample red" in row.why
