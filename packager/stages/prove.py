"""Stage prove (`packager test`): the target's harness over a copy of the project; what it shows becomes evidence."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packager.core.errors import PackagerError
from packager.core.languages import LANGUAGES
from packager.core.paths import log_root
from packager.core.process import Command, Runner
from packager.model.target import Harness, HarnessStep, TargetSpec

MARK = "packager-golden\t"
TAIL = 400
STAGES = ("decode", "input", "output", "result")
"""In the order of the data."""


@dataclass
class Row:
    """One native test of one target, as `evidence.json` lists it."""

    target: str
    language: str
    evidence: str
    compiled: bool = False
    ran: bool = False
    stages: list[str] = field(default_factory=list)
    result: str = "skipped"
    why: str = ""
    checks: list[dict[str, str]] = field(default_factory=list)
    log: str = ""

    def to_json(self) -> dict[str, Any]:
        """Without the log, which is of this machine."""
        return {key: value for key, value in vars(self).items() if key != "log"}


def prove(
    spec: TargetSpec, bundle: Path, root: str, toolset: Path | None, work: Path, runner: Runner, problem: str
) -> Row:
    """Run the harness of `spec` on a copy of `bundle/root` inside `work`.

    `problem` is why it cannot run here (a missing tool or set), empty where it can. Nothing is downloaded.
    """
    language = LANGUAGES[spec.language].evidence_name
    harness = spec.harness
    if harness is None:
        return Row(spec.id, language, "none", why="the target has no harness")
    row = Row(spec.id, language, harness.evidence)
    if problem:
        row.why = problem
        return row
    project = work / "project"
    shutil.copytree(bundle / root, project)
    host = spec.folder / "host"
    if (host / "overlay").is_dir():
        shutil.copytree(host / "overlay", project, dirs_exist_ok=True)
    words = {
        "project": str(project),
        "host": str(host),
        "work": str(work),
        "toolset": str(toolset or ""),
        "bundle": str(bundle.absolute()),
        "python": sys.executable,
    }
    log = log_root() / f"test-{spec.id}.log"
    log.unlink(missing_ok=True)
    row.log = str(log)
    _run_steps(row, harness, words, runner, log)
    return row


def _run_steps(row: Row, harness: Harness, words: Mapping[str, str], runner: Runner, log: Path) -> None:
    for step in harness.steps:
        problem = _run_step(row, step, words, runner, log)
        failed = [check for check in row.checks if check["result"] != "passed"]
        if failed:
            first = failed[0]
            row.result, row.why = "failed", f"stage {first['stage']}, sample {first['sample']}: {first['detail']}"
            row.ran = True
            break
        if problem:
            row.result, row.why = "failed", f"{step.name}: {problem}"
            break
        row.compiled = row.compiled or step.proves == "compile"
        row.ran = row.ran or step.proves == "run"
    else:
        _conclude(row, harness)
    failed_stages = {check["stage"] for check in row.checks if check["result"] != "passed"}
    seen = dict.fromkeys(check["stage"] for check in row.checks)
    row.stages = [stage for stage in STAGES if stage in seen and stage not in failed_stages]


def _conclude(row: Row, harness: Harness) -> None:
    seen = {check["stage"] for check in row.checks}
    missing = [stage for stage in harness.stages if stage not in seen]
    if not row.compiled or not row.ran or missing:
        row.result = "failed"
        row.why = "no check of stage " + ", ".join(missing) if missing else "the harness did not compile and run"
        return
    row.result = "passed"


def _run_step(row: Row, step: HarnessStep, words: Mapping[str, str], runner: Runner, log: Path) -> str:
    """Run one command; returns what is wrong, or nothing."""
    argv = tuple(word.format(**words) for word in step.argv)
    env = {key: value.format(**words) for key, value in step.env.items()}
    try:
        done = runner.run(Command(argv, Path(words["project"]), env, step.timeout, step.name), log=log)
    except PackagerError as fault:
        return fault.findings[0].what
    for line in done.stdout.splitlines():
        position = line.find(MARK)
        if position >= 0:
            fields = line[position + len(MARK) :].split("\t")
            fields += ["?"] * (3 - len(fields))  # a cut line is a failed check
            sample, stage, result, *detail = fields
            check = {"sample": sample, "stage": stage, "result": result, "detail": " ".join(detail)}
            if check not in row.checks:
                row.checks.append(check)
    if done.returncode == 0:
        return ""
    text = (done.stderr.strip() or done.stdout.strip())[-TAIL:]
    return f"exit code {done.returncode}: {text}"
