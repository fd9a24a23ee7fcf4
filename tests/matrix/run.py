"""Every model of the list x runtime x precision through the pipeline, into `docs/matrix.json` and `docs/matrix.md`.

    python tests/matrix/run.py [model ...]

A cell is kept by content (its manifest, the model, the code and the tools that made it): a re-run does only what is
missing. Naming models runs only these; the others keep what they have.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from page import OUTCOMES, write_page
from project import WORK, Project, models

from packager import pipeline
from packager.core.console import NullConsole
from packager.core.errors import GateError, ModelError, PackagerError, PlanError
from packager.core.hashing import code_hash, content_hash, json_hash, sha256_file, tool_versions
from packager.core.jsonable import to_json
from packager.core.locks import lock, open_for_lock
from packager.core.resources import cpu_class
from packager.session import Session, open_session
from packager.stages.verify import Verified

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CELLS = WORK / "cells"
TABLE = ROOT / "docs" / "matrix.json"
CODE = ("packager.stages.contract", "packager.stages.convert", "packager.stages.verify", "packager.plan")
TOOLS = ("tensorflow", "tf-keras", "keras", "coremltools", "onnx", "onnxruntime", "ai-edge-litert", "tf2onnx", "numpy")
FORMATS = ("tflite", "coreml", "onnx")
TRANSPOSES = ("TRANSPOSE", "Transpose", "transpose")
RENEWED = 6
"""Models after which the workers are started anew: converters leave memory behind."""


def pairs(session: Session) -> list[tuple[str, str]]:
    """Every format with every precision of its own."""
    return [(name, p) for name in FORMATS for p in session.catalog.runtimes[name].precisions()]


def measured(made: Verified) -> dict[str, Any]:
    """What a converted cell is reported with: figures by kernel set, names, bytes, transposes that are left."""
    artifact = made.artifact
    return {
        "bytes": artifact.bytes,
        "transposes": sum(artifact.ops.get(name, 0) for name in TRANSPOSES),
        "inputs": {port.source: port.name for port in artifact.inputs},
        "outputs": {port.source: port.name for port in artifact.outputs},
        "kernel_sets": {v.kernel_set: to_json(v.figures) for v in made.verdicts},
        "thresholds": dict(made.verdicts[0].thresholds),
    }


def answer(result: str, why: str = "", at: str = "", figures: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"result": result, "at": at, "why": why, "figures": figures or {}}


def cell(session: Session, manifest: Path) -> dict[str, Any]:
    """Run one cell: passed, refused (by the reader or the plan, by a converter by name, or by the gate), or failed."""
    try:
        project, plan = pipeline.plan(session, manifest)
    except (ModelError, PlanError) as refused:
        return answer("refused", reasons(refused), "plan")
    except PackagerError as fault:
        return answer("failed", reasons(fault), "plan")
    try:
        (made,) = pipeline.measure(session, project, plan)
    except PlanError as refused:
        return answer("refused", reasons(refused), "convert")
    except GateError as refused:
        return answer("refused", reasons(refused), "gate")
    except PackagerError as fault:
        return answer("failed", f"{type(fault).__name__}: {reasons(fault)}", "convert")
    if made.passed:
        return answer("passed", figures=measured(made))
    why = "; ".join(f"{v.kernel_set}: {', '.join(v.reasons)}" for v in made.verdicts if not v.passed)
    finite = not any(v.figures.non_finite for v in made.verdicts)
    return answer("refused" if finite else "failed", why, "gate", measured(made))


def reasons(fault: PackagerError) -> str:
    return "; ".join(dict.fromkeys(finding.what for finding in fault.findings))


def key_of(session: Session, project: Project, manifest: Path, runtime: str) -> str:
    """Everything that decides a cell, by content."""
    module = session.catalog.runtimes[runtime]
    source = session.catalog.sources[project.source.format] if project.source else None
    code = code_hash((*CODE, *module.CODE, module.__name__, *((*source.CODE, source.__name__) if source else ())))
    drawn = {file.name: sha256_file(file) for file in sorted(project.folder.glob("*.npy"))}
    asked = manifest.read_text("utf-8")
    return json_hash([asked, content_hash(project.model), drawn, code, tool_versions(TOOLS), cpu_class()])


def rows(session: Session, entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    project = Project(session, entry)
    kind = project.source.format if project.source else project.model.suffix.lstrip(".")
    for runtime, precision in pairs(session):
        manifest = project.manifest(f"{runtime}/{precision}")
        kept = CELLS / f"{key_of(session, project, manifest, runtime)}.json"
        started = time.monotonic()
        if not kept.is_file():
            found = cell(session, manifest)
            kept.write_text(json.dumps(found), "utf-8")
        found = json.loads(kept.read_text("utf-8"))
        note = f"{found['result']:8} {found['at']:8} {time.monotonic() - started:6.1f} s  {found['why'][:160]}"
        sys.stdout.write(f"{entry['id']:34} {runtime}/{precision:14} {note}\n")
        sys.stdout.flush()
        about = {"model": entry["id"], "row": entry["row"], "source": kind, "runtime": runtime, "precision": precision}
        yield {**about, **found}


def store(listed: Sequence[dict[str, Any]], model: str, made: Sequence[dict[str, Any]], cells: int) -> dict[str, int]:
    """Put a model's rows in the place of older ones and write both files; returns the counts."""
    handle = open_for_lock(WORK / "table.lock", create=True)
    lock(handle, exclusive=True, wait=True)
    try:
        old = json.loads(TABLE.read_text("utf-8"))["cells"] if TABLE.is_file() else []
        held = {entry["id"]: [row for row in old if row["model"] == entry["id"]] for entry in listed}
        held[model] = list(made)
        rows = [row for entry in listed for row in held[entry["id"]]]
        counts = {name: sum(row["result"] == name for row in rows) for name in OUTCOMES}
        counts["missing"] = len(listed) * cells - len(rows)
        table = {"format": 1, "tools": tool_versions(TOOLS), "counts": counts, "cells": rows}
        TABLE.write_text(json.dumps(table, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
        write_page(table, ROOT / "docs" / "matrix.md")
        return counts
    finally:
        os.close(handle)


def main(names: Sequence[str]) -> int:
    """Run the cells, write both files after each model; 1 where a cell failed or is missing."""
    os.environ["PACKAGER_PLUGINS"] = str(HERE / "plugins")
    CELLS.mkdir(parents=True, exist_ok=True)
    listed = models()
    counts: dict[str, int] = {}
    wanted = [entry for entry in listed if not names or entry["id"] in names]
    for start in range(0, len(wanted), RENEWED):
        with open_session(NullConsole()) as session:
            for entry in wanted[start : start + RENEWED]:
                counts = store(listed, entry["id"], list(rows(session, entry)), len(pairs(session)))
    sys.stdout.write(f"matrix: {json.dumps(counts)}\n")
    return 1 if counts["failed"] or counts["missing"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
