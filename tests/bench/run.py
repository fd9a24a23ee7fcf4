"""Runs every `*_bench.py` beside this file and writes docs/bench.json and docs/bench.md.

    python tests/bench/run.py [name ...]        # without names: all; `evaluator` runs evaluator_bench.py only

A module's `main()` returns rows: mappings of plain values. `what` says what was measured, `value` and `unit` how much;
`goal` (a largest value) and `note` may be added, and any other column. `skipped` with a reason stands in the place of a
value. Figures of one run on one machine: ratios carry over, seconds do not.
"""

from __future__ import annotations

import importlib
import json
import platform
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA, PAGE = ROOT / "docs/bench.json", ROOT / "docs/bench.md"
FIRST = {key: place for place, key in enumerate(("what", "value", "unit", "goal", "note"))}
Row = Mapping[str, Any]


def measure(name: str) -> list[dict[str, Any]]:
    """Rows of one module; a module that breaks gives one row that says so."""
    try:
        return [dict(row) for row in importlib.import_module(f"{name}_bench").main()]
    except Exception as fault:
        traceback.print_exc()
        return [{"what": name, "failed": f"{type(fault).__name__}: {fault}"}]


def text(value: object) -> str:
    """A cell of a table."""
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return "" if value is None else str(value).replace("|", "\\|").replace("\n", " ")


def table(rows: Sequence[Row]) -> list[str]:
    """A Markdown table with every column that a row has."""
    columns = sorted(dict.fromkeys(key for row in rows for key in row), key=lambda key: FIRST.get(key, len(FIRST)))
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    return lines + ["| " + " | ".join(text(row.get(column)) for column in columns) + " |" for row in rows]


def page(data: Mapping[str, Any]) -> str:
    """The page of all figures."""
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {data['date']}, {data['machine']}. All figures of a table come from one run;",
        "a row with a `goal` misses it where `value` is larger.",
    ]
    for name, rows in data["benches"].items():
        lines += ["", f"## {name}", "", *table(rows)]
    return "\n".join(lines) + "\n"


def main(names: Sequence[str]) -> int:
    """Run the named benches, or all; other figures of the page stay."""
    sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "unit")]
    known = sorted(file.name.removesuffix("_bench.py") for file in HERE.glob("*_bench.py"))
    held = json.loads(DATA.read_text("utf-8"))["benches"] if DATA.is_file() else {}
    benches = {name: rows for name, rows in held.items() if name in known and names}
    for name in names or known:
        started = time.monotonic()
        benches[name] = measure(name)
        sys.stdout.write(f"\n{name} ({time.monotonic() - started:.0f} s)\n" + "\n".join(table(benches[name])) + "\n")
        sys.stdout.flush()
    data = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "benches": dict(sorted(benches.items())),
    }
    DATA.write_text(json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
    PAGE.write_text(page(data), "utf-8")
    rows = [row for name in names or known for row in benches[name]]
    missed = [row for row in rows if "goal" in row and "value" in row and row["value"] > row["goal"]]
    for row in missed:
        sys.stdout.write(f"MISSED: {row['what']}: {text(row['value'])}, goal {text(row['goal'])}\n")
    for row in rows:
        if "skipped" in row:
            sys.stdout.write(f"SKIPPED: {row['what']}: {row['skipped']}\n")
    return 1 if any("failed" in row for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
