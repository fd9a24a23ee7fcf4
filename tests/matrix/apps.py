"""Every sample app: its bundle built, and its projects compiled and run in each language. Writes docs/apps.json, .md.

    python tests/matrix/apps.py [app ...]

A row is kept under the content hash of its bundle and the tool's own code: a second run does only what changed.
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
from packager.core.hashing import code_hash
from packager.core.paths import cache_root
from packager.session import Session, open_session

ROOT = Path(__file__).resolve().parents[2]
APPS = ROOT / "sample_apps"
WORK = cache_root().parent / "packager-apps"
TABLE, PAGE = ROOT / "docs" / "apps.json", ROOT / "docs" / "apps.md"


def main(names: Sequence[str]) -> int:
    """0 where every app passed in every language that could be tried here."""
    apps = names or sorted(folder.name for folder in APPS.iterdir() if (folder / "manifest.yaml").is_file())
    kept = json.loads(TABLE.read_text("utf-8"))["apps"] if TABLE.is_file() else []
    rows = {row["app"]: row for row in kept}
    code = code_hash(["packager"])
    for app in apps:
        with open_session(Console()) as session:
            rows[app] = tried(session, app, rows.get(app, {}), code)
        ordered = [rows[name] for name in sorted(rows)]
        TABLE.write_text(json.dumps({"apps": ordered}, indent=1, ensure_ascii=False) + "\n", "utf-8")
        PAGE.write_text(page(ordered), "utf-8")
    return 0 if all(row["result"] == "passed" for row in rows.values()) else 1


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
    targets = [row.to_json() for row in pipeline.test(session, bundle)]
    good = all(row["result"] == "passed" for row in targets)
    return {
        "app": app,
        "result": "passed" if good else "failed",
        "why": [f"{row['target']}: {row.get('why', '')}" for row in targets if row["result"] != "passed"],
        "answers": answers(bundle),
        "targets": [{k: row.get(k) for k in ("target", "language", "evidence", "result", "stages")} for row in targets],
        "key": key,
    }


def answers(bundle: Path) -> dict[str, Any]:
    """What the source model, fed by the reference, answers for each sample, in short."""
    index = json.loads((bundle / "golden" / "source" / "index.json").read_text("utf-8"))
    found = {}
    for record in index["records"]:
        if record["stage"] == "result":
            found[f"{record['sample']}, {record['name']}"] = short(record["result"])
    return found


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
        "chain of each language had to give the stages input, output and result of the reference.",
        "",
        "| app | the reference answers | projects |",
        "|---|---|---|",
    ]
    for row in rows:
        said = "<br>".join(f"{sample}: {text}" for sample, text in row.get("answers", {}).items())
        states = [f"{t['target']} ({t['language']}): {t['result']}, {t['evidence']}" for t in row["targets"]]
        lines.append(f"| {row['app']} | {said} | {'<br>'.join(states) or '; '.join(row['why'])} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
