"""`report.html`: receipt and evidence for a person, one self-contained file without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

TEMPLATE = Path(__file__).with_name("report.html.jinja")


def report_html(receipt: Mapping[str, Any], evidence: Mapping[str, Any]) -> str:
    """The page: one table per target, one per artefact, the native tests, and what was not proven."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["figure"] = _figure
    environment.filters["interval"] = _interval
    return environment.from_string(TEMPLATE.read_text("utf-8")).render(
        receipt=receipt, evidence=evidence, latest=_latest_tests(evidence)
    )


def _figure(value: object) -> str:
    if value is None:
        return "not finite"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _interval(estimate: Mapping[str, float]) -> str:
    return f"{_figure(estimate['low'])} to {_figure(estimate['high'])}"


def _latest_tests(evidence: Mapping[str, Any]) -> dict[str, list[Any]]:
    by_target: dict[str, list[Any]] = {}
    for test in evidence.get("tests", []):
        by_target.setdefault(test["target"], []).append(test)
    return by_target
