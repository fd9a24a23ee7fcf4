"""`docs/matrix.md` from the cells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

OUTCOMES = ("passed", "refused", "failed")
Row = Mapping[str, Any]
NOTES = {
    "hand-landmark-lite, hand-landmark-full": (
        "the weights are quantised along the right axes: rounding the source's own weights to 8 bits per channel "
        "in TensorFlow gives the same cosines (lite 0.74 and 0.80, full 0.89 and 0.88). They come from one layer, "
        "the last fully connected one of the world landmarks (metres; largest magnitude 0.09 on these photos, "
        "which show no hand); that layer alone gives 0.73 and 0.78, and 0.90 and 0.91. All other outputs stay at "
        "or above 0.998."
    ),
    "pose-landmark-full": (
        "its heat map moves by 1.6e-4 of its range where the picture's values change in their last bit (2^-24, in "
        "TensorFlow), so that no two float32 implementations agree to 1e-4: XNNPACK differs from the reference by "
        "3.6e-4, Core ML by 1.1e-4."
    ),
    "centerface": (
        "rounding nothing but the weights of the original file to half precision, run in ONNX Runtime, gives "
        "cosine 0.99937 in output 539, as the float16 files of TensorFlow Lite and ONNX do; Core ML, which "
        "computes in half precision as well, gives 0.9987."
    ),
}
"""What was found out, by hand, about refusals that might have been a fault of the conversion."""


def write_page(table: Mapping[str, Any], file: Path) -> None:
    """Write the page: counts, one table of models by cells, transposes, every refusal in words."""
    cells = table["cells"]
    counts = table["counts"]
    lines = [
        "# Models, formats, precisions",
        "",
        "Written by `make matrix`; do not edit. Every model went through the pipeline: read, run in its own framework,",
        "converted, run again in the converted form, judged by the default gate. Figures are the worst over samples,",
        "outputs and kernel sets: `e` is the largest error over the output's range, `c` the least cosine similarity.",
        "A number in the table points to a refusal below: before conversion by the plan, or by the gate with figures.",
        "",
        f"{counts['passed']} passed, {counts['refused']} refused, {counts['failed']} failed, "
        f"{counts['missing']} missing. " + ", ".join(f"{k} {v}" for k, v in table["tools"].items()) + ".",
        "",
    ]
    notes: dict[str, int] = {}
    lines += _cells(cells, notes) + _transposes(cells)
    lines += ["## Refusals", ""]
    lines += [f"{number}. {text}" for text, number in notes.items()]
    lines += ["", "## Refusals that were looked into", ""]
    lines += [f"- {models}: {text}" for models, text in NOTES.items()]
    file.write_text("\n".join(lines) + "\n", "utf-8")


def _cells(cells: list[Row], notes: dict[str, int]) -> list[str]:
    pairs = list(dict.fromkeys((row["runtime"], row["precision"]) for row in cells))
    by_model: dict[tuple[str, str, str], dict[tuple[str, str], Row]] = defaultdict(dict)
    for row in cells:
        by_model[row["row"], row["model"], row["source"]][row["runtime"], row["precision"]] = row
    head = ["what", "model", "source", *(f"{runtime} {precision}" for runtime, precision in pairs)]
    lines = [_line(head), _line(["---"] * len(head))]
    for (what, model, kind), found in by_model.items():
        lines.append(_line([what, model, kind, *(_shown(found.get(pair), notes) for pair in pairs)]))
    return [*lines, ""]


def _line(parts: list[str]) -> str:
    return "| " + " | ".join(parts) + " |"


def _shown(row: Row | None, notes: dict[str, int]) -> str:
    if row is None:
        return "missing"
    if row["result"] == "passed":
        return _figures(row)
    why = row["why"] if row["at"] != "gate" else f"gate: {row['why']}"
    number = notes.setdefault(f"{row['result']} ({row['at']}): {why}", len(notes) + 1)
    return f"{row['result']} [{number}]"


def _figures(row: Row) -> str:
    sets = row["figures"]["kernel_sets"].values()
    if "max_abs" in row["figures"]["thresholds"]:
        return f"e {max(found['relative'] for found in sets):.1e}"
    return f"c {min(found['cosine'] for found in sets):.5f}"


def _transposes(cells: list[Row]) -> list[str]:
    """Transposes in the converted files of ONNX and TFLite sources, which go through the ONNX importer."""
    left: dict[str, dict[str, int]] = defaultdict(dict)
    for row in cells:
        if row["source"] in ("onnx", "tflite") and row["precision"] == "float32" and row["figures"]:
            left[row["model"]][row["runtime"]] = row["figures"]["transposes"]
    runtimes = sorted({runtime for found in left.values() for runtime in found})
    lines = ["## Transposes left in the float32 files of ONNX and TFLite sources", ""]
    lines += [_line(["model", *runtimes]), _line(["---"] * (len(runtimes) + 1))]
    lines += [_line([model, *(str(found.get(r, "")) for r in runtimes)]) for model, found in left.items()]
    return [*lines, ""]
