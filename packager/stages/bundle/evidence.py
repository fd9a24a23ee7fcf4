"""`evidence.json`: what was measured, where and with what; and writing it together with the report."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from packager.core.hashing import json_hash, sha256_bytes
from packager.core.replace import replace_file
from packager.model.artifact import Figures, Verdict
from packager.model.evaluation import Accuracy
from packager.stages.bundle.receipt import EVIDENCE, REPORT, json_text
from packager.stages.bundle.report import report_html


def evidence_hash(evidence: Mapping[str, Any]) -> str:
    """Hash of all evidence but itself."""
    return json_hash({key: value for key, value in evidence.items() if key != "evidence_hash"})


def artifact_rows(verdicts: Sequence[Verdict], sizes: Mapping[str, int]) -> list[dict[str, Any]]:
    """One row per artefact and kernel set; `gate.passed` is the artefact's verdict over all its kernel sets."""
    passed: dict[tuple[str, str], bool] = {}
    for verdict in verdicts:
        key = (verdict.runtime, verdict.precision)
        passed[key] = passed.get(key, True) and verdict.passed
    rows = []
    for v in verdicts:
        figures = _finite(v.figures)
        gate = {
            "passed": passed[v.runtime, v.precision],
            "kernel_set_passed": v.passed,
            "figures": figures,
            "thresholds": dict(v.thresholds),
            "reasons": list(v.reasons),
        }
        if v.waived is not None:
            gate["waived"] = v.waived
        if v.batch is not None:
            gate["batch"] = {"size": v.batch.size, "figures": _finite(v.batch.figures)}
        if v.accuracy is not None:
            gate["accuracy"] = _accuracy(v.accuracy)
        size = sizes[f"{v.runtime}/{v.precision}"]
        rows.append(
            {"runtime": v.runtime, "precision": v.precision, "kernel_set": v.kernel_set, "bytes": size, "gate": gate}
        )
    return rows


def _finite(figures: Figures) -> dict[str, Any]:
    """JSON form; what is not finite is null."""
    return {name: value if math.isfinite(value) else None for name, value in asdict(figures).items()}


def _accuracy(found: Accuracy) -> dict[str, Any]:
    """JSON form; a bound that the samples do not give is null."""
    data = asdict(found)
    for name in ("source", "artifact", "drop"):
        data[name] = {key: value if math.isfinite(value) else None for key, value in data[name].items()}
    return data


def kept_tests(old: Path, content_hash: str) -> list[Any]:
    """Test results of the bundle at `old`, if it has the same content and its evidence is whole."""
    try:
        evidence = json.loads((old / EVIDENCE).read_bytes())
    except (OSError, ValueError):
        return []
    if not isinstance(evidence, dict) or evidence.get("content_hash") != content_hash:
        return []
    if evidence.get("evidence_hash") != evidence_hash(evidence):
        return []
    tests = evidence.get("tests", [])
    return tests if isinstance(tests, list) else []


def write_evidence(folder: Path, receipt: Mapping[str, Any], evidence: Mapping[str, Any]) -> None:
    """Write report and evidence of the bundle in `folder`; the report first, each by one rename."""
    body = {k: v for k, v in evidence.items() if k not in ("report_sha256", "evidence_hash")}
    page = report_html(receipt, body).encode("utf-8")
    body["report_sha256"] = sha256_bytes(page)
    body["evidence_hash"] = evidence_hash(body)
    replace_file(folder / REPORT, page)
    replace_file(folder / EVIDENCE, json_text(body))
