"""Runs the parts of a tier one after the other, prints the time of each, and one closing line with all counts.

    python tests/parts.py check|test|matrix|bench [part ...]

A part that only skips says why: pytest prints the reason of each skip, and they are repeated at the end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
# Tests run twice as fast in two processes, and the machine of the frame has two cores.
JOBS = ("-n", "2", "--dist", "loadfile")


@dataclass
class Outcome:
    """What one part did."""

    name: str
    seconds: float = 0.0
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    reasons: list[str] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)


def tool(name: str, *arguments: str) -> Callable[[Outcome], None]:
    """A command that passes or fails as a whole."""

    def run(outcome: Outcome) -> None:
        done = subprocess.run([BIN / name, *arguments], cwd=ROOT, check=False)
        outcome.passed, outcome.failed = (1, 0) if done.returncode == 0 else (0, 1)

    return run


def tests(*arguments: str) -> Callable[[Outcome], None]:
    """A pytest run, counted from its JUnit file."""

    def run(outcome: Outcome) -> None:
        with TemporaryDirectory() as folder:
            report = Path(folder) / "report.xml"
            command = [BIN / "python", "-m", "pytest", "-q", f"--junitxml={report}", *arguments]
            code = subprocess.run(command, cwd=ROOT, check=False).returncode
            count(outcome, report, code)

    return run


def count(outcome: Outcome, report: Path, code: int) -> None:
    """Add up a JUnit file; a run that broke or found no test is a failure."""
    if not report.is_file() or code not in (0, 1):
        outcome.failed += 1
        return
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        outcome.counted += [f"{held.get('name')}: {held.get('value')}" for held in case.iter("property")]
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.failed += 1
        elif skip is not None:
            outcome.skipped += 1
            outcome.reasons.append(f"{case.get('classname')}.{case.get('name')}: {skip.get('message')}")
        else:
            outcome.passed += 1


def toolsets(outcome: Outcome) -> None:
    """Install every pinned toolset where the user may; a missing one is a skip with its reason."""
    from packager.registry import Catalog
    from packager.stages.toolset import toolsets as known

    for name in known(Catalog()):
        command = [BIN / "packager", "doctor", "--install", name]
        done = subprocess.run(command, cwd=ROOT, check=False, stderr=subprocess.PIPE, text=True)
        if done.returncode == 0:
            outcome.passed += 1
        else:
            outcome.skipped += 1
            sys.stderr.write(done.stderr)
            outcome.reasons.append(f"toolset {name}: {done.stderr.strip().splitlines()[-3:]}")


def bench(outcome: Outcome) -> None:
    """Every bench under tests/bench; one that is skipped says why in its row."""
    done = subprocess.run([BIN / "python", "tests/bench/run.py"], cwd=ROOT, check=False)
    outcome.passed, outcome.failed = (1, 0) if done.returncode == 0 else (0, 1)
    for rows in json.loads((ROOT / "docs/bench.json").read_text("utf-8"))["benches"].values():
        outcome.reasons += [f"{row['what']}: {row['skipped']}" for row in rows if "skipped" in row]
    outcome.skipped = len(outcome.reasons)


CHECK: dict[str, Callable[[Outcome], None]] = {
    "lint": tool("ruff", "check", "."),
    "format": tool("ruff", "format", "--check", "."),
    "types": tool("mypy"),
    "imports": tool("lint-imports", "--no-cache"),
    "unit": tests("-m", "not heavy and not native", *JOBS, "tests"),
}
TEST: dict[str, Callable[[Outcome], None]] = {
    **CHECK,
    "toolsets": toolsets,
    "heavy": tests("-m", "heavy and not native", *JOBS, "tests"),
    "native": tests("-m", "native", *JOBS, "tests"),
}


def matrix(outcome: Outcome) -> None:
    """Every model x runtime x precision; a cell that passed or is refused by name is a pass."""
    code = subprocess.run([BIN / "python", ROOT / "tests" / "matrix" / "run.py"], cwd=ROOT, check=False).returncode
    table = json.loads((ROOT / "docs" / "matrix.json").read_text("utf-8"))["counts"] if code in (0, 1) else {}
    outcome.passed = table.get("passed", 0) + table.get("refused", 0)
    outcome.failed = table.get("failed", 0) + table.get("missing", 0) if table else 1
    outcome.counted.append(", ".join(f"{count} {name}" for name, count in table.items()))


def apps(outcome: Outcome) -> None:
    """Every sample app built, and its projects compiled and run in each language."""
    code = subprocess.run([BIN / "python", ROOT / "tests" / "matrix" / "apps.py"], cwd=ROOT, check=False).returncode
    rows = json.loads((ROOT / "docs" / "apps.json").read_text("utf-8"))["apps"] if code in (0, 1) else []
    outcome.passed = sum(row["result"] == "passed" for row in rows)
    outcome.failed = len(rows) - outcome.passed if rows else 1


def every_build(outcome: Outcome) -> None:
    """The C++ steps by both compilers at all levels, for all groups of vectors; updates docs/steps.json."""
    os.environ |= {"PACKAGER_EVERY_BUILD": "1", "UPDATE_STEPS": "1"}
    tests("tests/native/test_steps_cpp.py")(outcome)


TIERS = {
    "check": CHECK,
    "test": TEST,
    "matrix": {"matrix": matrix, "apps": apps, "builds": every_build},
    "bench": {"bench": bench},
}


def main(arguments: Sequence[str]) -> int:
    """Run a tier, or the named parts of it."""
    tier, *names = arguments
    parts = TIERS[tier]
    outcomes = []
    for name in names or parts:
        sys.stdout.write(f"\n=== {name}\n")
        sys.stdout.flush()
        outcome, started = Outcome(name), time.monotonic()
        parts[name](outcome)
        outcome.seconds = time.monotonic() - started
        outcomes.append(outcome)
    return summary(outcomes)


def summary(outcomes: Sequence[Outcome]) -> int:
    """Print times, reasons of skips, and the closing line."""
    out = sys.stdout
    out.write("\n=== time of each part\n")
    for o in outcomes:
        out.write(f"{o.name:10} {o.seconds:7.1f} s  {o.passed} passed, {o.failed} failed, {o.skipped} skipped\n")
    out.write(f"{'all':10} {sum(o.seconds for o in outcomes):7.1f} s\n")
    counted = [line for o in outcomes for line in o.counted]
    if counted:
        out.write("\n=== counted by tests\n" + "".join(f"- {line}\n" for line in counted))
    reasons = [reason for o in outcomes for reason in o.reasons]
    if reasons:
        out.write("\n=== SKIPPED, not proven in this run\n" + "".join(f"- {reason}\n" for reason in reasons))
    failed = sum(o.failed for o in outcomes)
    passed, skipped = sum(o.passed for o in outcomes), sum(o.skipped for o in outcomes)
    out.write(f"\n{passed} passed, {failed} failed, {skipped} skipped\n")
    return 1 if failed else 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    sys.exit(main(sys.argv[1:]))
