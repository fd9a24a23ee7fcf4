"""docs/steps.md from docs/steps.json (`contract/vectors/proof.py`), and what is missing or old in it."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "contract" / "vectors"))

import proof
from step_cases import GROUPS, Case, cases

from packager.core.languages import LANGUAGES
from packager.registry import Catalog

TITLES = {"cpp": "C++", "kotlin": "Kotlin", "swift": "Swift"}
HEAD = """# Steps

Written by `tests/unit/test_docs_generated.py` from `docs/steps.json`; do not edit. What the tests of the steps saw is
stored by `UPDATE_STEPS=1 python -m pytest tests/contract tests/native/test_steps_cpp.py
tests/native/test_steps_processors.py tests/native/test_android_steps.py tests/native/test_ios_steps.py`, and for all
builds of C++ by `make matrix`. A run without it changes nothing.

- The Python reference is the definition. It is held against the library that it names, or against the step's formula
  written out in the test; the number is the largest absolute difference.
- C++, Kotlin and Swift run the vectors of `tests/contract/vectors`, which the reference made. A step without a
  tolerance is equal to the bit: each case must be. With one, |error| <= absolute + relative * |reference| must hold,
  and the largest absolute error is shown.
- A target whose language lacks a step is refused by `packager check`, naming the step.

"""
BUILDS = """
## Builds of C++

The same vectors in each build, warnings as errors, contraction off. Other processors are emulated (qemu-user and QEMU);
a microcontroller runs what fits it.

"""


@cache
def data() -> dict[str, Any]:
    """The stored results."""
    found: dict[str, Any] = json.loads(proof.FILE.read_text("utf-8"))
    return found


@cache
def vectors(group: str) -> list[Case]:
    """The cases of a group, or of the part that fits a microcontroller."""
    return proof.part() if group == proof.PART else cases(group)


def page() -> str:
    """docs/steps.md."""
    catalog = Catalog()
    titles = " | ".join(TITLES[name] for name in LANGUAGES)
    rows = [
        f"| step | does | Python against | between languages | {titles} |",
        "|---|---|---|---|" + "---|" * len(LANGUAGES),
    ]
    for step, module in catalog.steps.items():
        cells = [references(step), tolerance(module), *(native(step, language) for language in LANGUAGES)]
        rows.append(f"| `{step}` | {module.SUMMARY} | {' | '.join(cells)} |")
    return HEAD + "\n".join(rows) + "\n" + BUILDS + "\n".join(builds()) + "\n"


def tolerance(module: Any) -> str:
    """What native code may differ by."""
    allowed = getattr(module, "TOLERANCE", None)
    return "to the bit" if allowed is None else f"{allowed[0]:g} + {allowed[1]:g} * abs(x)"


def worst(number: float) -> str:
    """The largest difference, in words where there is none."""
    return "equal" if number == 0 else f"worst {number:g}"


def references(step: str) -> str:
    """Libraries or formula, with cases and the largest difference."""
    found: dict[str, tuple[int, int, float]] = {}
    for rows in data()["python"].values():
        for like, row in rows.get(step, {}).items():
            count, size, most = found.get(like, (0, 0, 0.0))
            found[like] = count + row["cases"], size + row["numbers"], max(most, row["worst"])
    ordered = sorted(found.items(), key=lambda one: (one[0] == proof.FORMULA, one[0]))
    texts = [
        f"{'our formula' if like == proof.FORMULA else like}: {count:,} cases of {size:,} numbers, {worst(most)}"
        for like, (count, size, most) in ordered
    ]
    return "; ".join(texts).replace(": 1 cases", ": 1 case") or "-"


def native(step: str, language: str) -> str:
    """Cases, builds where there are several, and the largest difference."""
    found = [rows[step] for _, rows in results(language) if step in rows]
    if not found:
        return "-"
    count, most = max(row["cases"] for row in found), max(row["worst"] for row in found)
    times = f" in {len(found)} builds" if len(found) > 1 else ""
    return f"{count:,}{times}, {worst(most)}"


def results(language: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each build with the steps of all its groups; a step may have cases in several groups."""
    for build, groups in data()["native"].get(language, {}).items():
        steps: dict[str, Any] = {}
        for group, stored in groups.items():
            for step, row in stored["steps"].items() if group != proof.PART else ():
                before = steps.get(step, {"cases": 0, "worst": 0.0})
                total = before["cases"] + row["cases"]
                steps[step] = {"cases": total, "worst": max(before["worst"], row["worst"])}
        yield build, steps


def builds() -> Iterator[str]:
    """The second table."""
    yield "| build | " + " | ".join((*GROUPS, proof.PART)) + " | worst |"
    yield "|---|" + "---|" * (len(GROUPS) + 2)
    for build, groups in data()["native"]["cpp"].items():
        found = [len(vectors(group)) if group in groups else 0 for group in (*GROUPS, proof.PART)]
        most = max(row["worst"] for stored in groups.values() for row in stored["steps"].values())
        yield f"| {build} | " + " | ".join(f"{count:,}" if count else "-" for count in found) + f" | {worst(most)} |"


def problems() -> Iterator[str]:
    """What is missing or old."""
    catalog = Catalog()
    for step in catalog.steps:
        if references(step) == "-":
            yield f"{step}: no test of the reference notes what it saw"
        for name, language in LANGUAGES.items():
            if catalog.native_files(step, language) and native(step, name) == "-":
                yield f"{step}: {TITLES[name]} has code and no vectors"
    for name in LANGUAGES:
        for build, groups in data()["native"].get(name, {}).items():
            yield from (f"{TITLES[name]}, {build}, {why}" for why in old(groups))
    for name in ("cpp", "kotlin", "swift"):
        missing = set(GROUPS) - {group for groups in data()["native"].get(name, {}).values() for group in groups}
        yield from (f"{TITLES[name]}: group {group} was not run" for group in sorted(missing))


def old(groups: dict[str, Any]) -> Iterator[str]:
    """Groups of one build whose vectors or counts are others than those of today."""
    for group, stored in groups.items():
        if group not in (*GROUPS, proof.PART):
            yield f"group {group}: there is none"
        elif stored["vectors"] != proof.digest(vectors(group)):
            yield f"group {group}: the vectors have changed since"
        elif {step: row["cases"] for step, row in stored["steps"].items()} != proof.counts(vectors(group)):
            yield f"group {group}: not all cases were run"
        else:
            now = proof.sums(vectors(group))
            for step, row in stored["steps"].items():
                # Far above what another processor's exponential changes, far below what another formula does.
                if not math.isclose(row.get("sum", math.nan), now[step], rel_tol=1e-4, abs_tol=1e-6):
                    yield f"group {group}: {step} is expected to give other numbers now"
