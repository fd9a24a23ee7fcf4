"""What the step tests saw, for docs/steps.json: cases and worst differences by step, library, language and build.

Tests call `seen` (the reference against a library or a formula) and `proved` (native code against the vectors). With
`UPDATE_STEPS=1` in the environment both end in docs/steps.json, from which docs/steps.md is written; without it nothing
is written. Nothing in it tells time or place, so an unchanged run leaves the file as it is.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from step_cases import CATALOG, GROUPS, Case, cases
from step_vectors import Row, input_bytes

FILE = Path(__file__).resolve().parents[3] / "docs" / "steps.json"
FORMULA = "formula"
"""In the place of a library: the test has the step's formula written out, exactly or in a wider type."""
PART = "a part of all"
"""The group of what a microcontroller runs."""
SMALL = 8192
EACH = 30
_seen: dict[str, dict[str, list[float]]] = {}


def seen(step: str, like: str, found: Any, reference: Any) -> None:
    """One case of a step's Python reference beside what `like` (a library with its version, or `FORMULA`) says.

    Only notes the largest absolute difference: the caller asserts.
    """
    one, other = (np.asarray(value, np.float64).reshape(-1) for value in (found, reference))
    finite = np.isfinite(one) & np.isfinite(other)
    worst = float(np.abs(one[finite] - other[finite]).max(initial=0.0))
    row = _seen.setdefault(step, {}).setdefault(like, [0, 0, 0.0])
    row[0] += 1
    row[1] += one.size
    row[2] = max(row[2], worst)


def equal(step: str, like: str, same: bool) -> None:
    """One case whose numbers are known by a digest, or whose value is no array: equal or not."""
    seen(step, like, 0.0, 0.0 if same else np.inf)
    assert same, f"{step} is not as {like}"


def _short(number: float) -> float:
    return float(f"{number:.2g}")


def begin() -> None:
    """Forget what an earlier test file saw."""
    _seen.clear()


def end(name: str) -> None:
    """Store what one test file saw."""
    _store(
        ["python", name],
        {
            step: {
                like: {"cases": int(count), "numbers": int(size), "worst": _short(worst)}
                for like, (count, size, worst) in rows.items()
            }
            for step, rows in _seen.items()
        },
    )


def steps_of(case: Case) -> tuple[str, ...]:
    """The steps that a case proves: one, or all that a fused call does."""
    name = case.id.split("/")[0]
    return (name,) if name in CATALOG.steps else case.steps


def counts(chosen: Sequence[Case]) -> dict[str, int]:
    """Cases by step."""
    found: dict[str, int] = {}
    for case in chosen:
        for step in steps_of(case):
            found[step] = found.get(step, 0) + 1
    return dict(sorted(found.items()))


def digest(chosen: Sequence[Case]) -> str:
    """Identity of a list of cases, the same on every processor.

    Names, calls, shapes and refusals; whole numbers and words with their content, floats only with their number, since
    a processor's own exponential may have made them: `sums` stands for those that are expected.
    """
    total = hashlib.sha256()
    for case in chosen:
        call = case.call
        arguments = [(name, _identity(value)) for name, value in call.arguments]
        refused = isinstance(case.expected, str)
        types = (_form(case.start), _form(call.output))
        exact = [part for part in parts(case.expected) if not isinstance(part, float)]
        facts = (case.id, call.function, arguments, types, case.stride, case.photo, refused, exact)
        total.update(repr((facts, case.tolerance)).encode())
        content = input_bytes(case)
        total.update(str(len(content)).encode() if _has_floats(case.input) else content)
    return total.hexdigest()


def sums(chosen: Sequence[Case]) -> dict[str, float]:
    """Absolute sums of the floats that each step is expected to give, where they are finite."""
    found: dict[str, float] = {}
    for case in chosen:
        total = sum(part for part in parts(case.expected) if isinstance(part, float))
        for step in steps_of(case):
            found[step] = found.get(step, 0.0) + total
    return {step: float(f"{total:.6g}") for step, total in sorted(found.items())}


def parts(value: Any) -> list[Any]:
    """What a case expects: whole numbers and words as they are, arrays of them as a hash, floats as absolute sums."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind != "f":
            return [value.shape, hashlib.sha256(value.tobytes()).hexdigest()]
        return [value.shape, float(np.abs(value[np.isfinite(value)].astype(np.float64)).sum())]
    if isinstance(value, float):
        return [abs(value) if np.isfinite(value) else repr(value)]
    if dataclasses.is_dataclass(value):
        return [part for field in dataclasses.fields(value) for part in parts(getattr(value, field.name))]
    if isinstance(value, tuple | list):
        return [len(value), *(part for one in value for part in parts(one))]
    return [value]


def _identity(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_identity(one) for one in value] if value and not isinstance(value[0], float) else len(value)
    return value if isinstance(value, bool | int | str) else str(type(value).__name__)


def _form(kind: Any) -> Any:
    """A type without the words that people read: its class, and a tensor's numbers."""
    if hasattr(kind, "tensors"):
        return [_form(one) for one in kind.tensors]
    return type(kind).__name__, getattr(kind, "dtype", ""), getattr(kind, "shape", ())


def _has_floats(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "f"
    return not hasattr(value, "data")  # several tensors and candidates; a placed camera frame has bytes


def part() -> list[Case]:
    """Up to `EACH` cases of each group that fit a microcontroller, evenly spread."""
    found: list[Case] = []
    for group in GROUPS:
        fitting = [one for one in cases(group) if len(input_bytes(one)) <= SMALL and one.call.workspace <= 8 * SMALL]
        found += fitting[:: max(1, len(fitting) // EACH)]
    return found


def proved(language: str, build: str, group: str, chosen: Sequence[Case], rows: Sequence[Row]) -> None:
    """Native code that passed: `rows` are those of `chosen`, all of a group or a part of them."""
    assert len(rows) == len(chosen) and all(row.passed for row in rows)
    totals = sums(chosen)
    steps: dict[str, dict[str, float]] = {
        step: {"cases": count, "worst": 0.0, "sum": totals[step]} for step, count in counts(chosen).items()
    }
    for case, row in zip(chosen, rows, strict=True):
        for step in steps_of(case):
            steps[step]["worst"] = max(steps[step]["worst"], _short(row.worst))
    _store(["native", language, build, group], {"vectors": digest(chosen), "steps": steps})


def _store(place: Sequence[str], value: Any) -> None:
    """Put `value` into the file, which several test processes write."""
    if not os.environ.get("UPDATE_STEPS"):
        return
    with FILE.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        data = json.loads(text) if text else {}
        at = data
        for name in place[:-1]:
            at = at.setdefault(name, {})
        at[place[-1]] = value
        file.truncate(0)
        file.write(json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
