"""Every sample app: its bundle built, and its projects compiled and run in each language. Writes docs/apps.json, .md.

    python tests/matrix/apps.py [app ...]

A row is kept under the content hash of its bundle and the harnesses' code: a second run tests only what changed.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from packager import pipeline
from packager.core.console import Console
from packager.core.errors import PackagerError
from packager.core.hashing import code_hash, file_hashes, json_hash, sha256_file
from packager.core.paths import cache_root
from packager.session import Session, open_session

ROOT = Path(__file__).resolve().parents[2]
APPS = ROOT / "sample_apps"
WORK = cache_root().parent / "packager-apps"
TABLE, PAGE = ROOT / "docs" / "apps.json", ROOT / "docs" / "apps.md"
SHOWN = ("target", "language", "model", "evidence", "result", "stages", "answers")


def main(names: Sequence[str]) -> int:
    """0 where every app passed in every language of its targets; a toolset that is missing here is no pass."""
    apps = names or sorted(folder.name for folder in APPS.iterdir() if (folder / "manifest.yaml").is_file())
    kept = json.loads(TABLE.read_text("utf-8"))["apps"] if TABLE.is_file() else []
    rows = {row["app"]: row for row in kept}
    code = harness_hash()
    for app in apps:
        with open_session(Console()) as session:
            rows[app] = tried(session, app, rows.get(app, {}), code)
        ordered = [rows[name] for name in sorted(rows)]
        TABLE.write_text(json.dumps({"apps": ordered}, indent=1, ensure_ascii=False) + "\n", "utf-8")
        PAGE.write_text(page(ordered), "utf-8")
    return 0 if all(row["result"] == "passed" for row in rows.values()) else 1


def harness_hash() -> str:
    """What tests a bundle: the targets' harnesses, the stage that runs them, and this file."""
    files = {name: digest for name, digest in file_hashes(ROOT / "templates").items() if "__pycache__" not in name}
    code = code_hash(["packager.stages.prove", "packager.stages.toolset"])
    return json_hash([files, code, sha256_file(Path(__file__))])


def tried(session: Session, app: str, before: dict[str, Any], code: str) -> dict[str, Any]:
    """One app: what the reference answers, and the outcome of each project's own tests."""
    out = WORK / app
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    try:
        bundle = pipeline.build(session, APPS / app / "manifest.yaml", out)
    except PackagerError as error:
        return {"app": app, "result": "failed", "why": [finding.what for finding in error.findings], "targets": []}
    receipt = json.loads((bundle / "bundle.json").read_text("utf-8"))
    key = {"content_hash": receipt["content_hash"], "code": code}
    if before.get("key") == key and before["result"] == "passed":
        return before
    source = results(bundle, "golden/source")
    targets = [judged(row.to_json(), bundle, receipt, source) for row in pipeline.test_bundle(session, bundle)]
    good = all(row["result"] == "passed" for row in targets)
    return {
        "app": app,
        "result": "passed" if good else "failed",
        "why": [f"{row['target']}: {row['why']}" for row in targets if row["result"] != "passed"],
        "expects": any(sample.get("expect") for sample in receipt["manifest"]["samples"]),
        "answers": {sample: short(result) for sample, result in source.items()},
        "targets": [{name: row[name] for name in SHOWN} for row in targets],
        "key": key,
    }


def judged(
    row: dict[str, Any], bundle: Path, receipt: dict[str, Any], source: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """A target's test with its model's own answers, which the native chain had to give, against the source's."""
    chosen = receipt["targets"][row["target"]]
    model = chosen["runtime"], chosen["precision"]
    (own,) = (found for found in receipt["artifacts"] if (found["runtime"], found["precision"]) == model)
    given = results(bundle, own["golden"])
    row |= {"model": "/".join(model), "answers": {sample: short(result) for sample, result in given.items()}}
    wrong = [sample for sample, result in source.items() if named(given[sample]) != named(result)]
    if row["result"] == "passed" and wrong:
        row |= {"result": "failed", "why": f"another answer than the source model's for {'; '.join(wrong)}"}
    return row


def results(bundle: Path, folder: str) -> dict[str, dict[str, Any]]:
    """The typed results among golden vectors, by sample and output."""
    records = json.loads((bundle / folder / "index.json").read_text("utf-8"))["records"]
    return {f"{r['sample']}, {r['name']}": r["result"] for r in records if r["stage"] == "result"}


def named(result: dict[str, Any]) -> list[str]:
    """What a result says without its numbers: the best label, or that of each object."""
    if result["kind"] == "Classification":
        return [label["label"] for label in result["labels"][:1]]
    return [found["label"] for found in result.get("detections", [])]


def short(result: dict[str, Any]) -> str:
    """A result in a few words."""
    kind = result["kind"]
    if kind == "Classification":
        first = result["labels"][0] if result["labels"] else None
        return f"{first['label']} {first['score']:.3f}" if first else "nothing"
    if kind == "Detections":
        parts = [f"{d['label']} {d['score']:.3f}" for d in result["detections"]]
        return ", ".join(parts) or "nothing"
    if kind == "Landmarks":
        return f"score {result['score']:.3f}, {len(result['points'])} points"
    return kind


def page(rows: Sequence[dict[str, Any]]) -> str:
    """The table for the docs."""
    lines = [
        "# Sample apps",
        "",
        "Written by `make matrix`; do not edit. Each app was built, its projects compiled and run here: the rendered",
        "chain of each language had to give the stages input, output and result that its model gives behind the",
        "reference, and the best label had to be the source model's. Samples without a label are seeded inputs:",
        "nothing is expected of them but the same answer in all languages.",
        "",
        "| app | the reference answers | projects |",
        "|---|---|---|",
    ]
    for row in rows:
        note = "" if row.get("expects") else " (no label)"
        said = row.get("answers", {})
        shown = "<br>".join(f"{sample}: {text}{note}" for sample, text in said.items())
        states = "<br>".join(state(target, said) for target in row["targets"])
        lines.append(f"| {row['app']} | {shown} | {states or '; '.join(row['why'])} |")
    return "\n".join(lines) + "\n"


def state(target: dict[str, Any], said: dict[str, str]) -> str:
    """One project's outcome; its own answers where they read otherwise than the source model's."""
    text = f"{target['target']} ({target['language']}, {target['model']}): {target['result']}, {target['evidence']}"
    other = [f"{sample}: {answer}" for sample, answer in target["answers"].items() if answer != said.get(sample)]
    return "; ".join([text, *other])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
