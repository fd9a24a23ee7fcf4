"""Labelled data of `evaluation:`: a CSV file (JSON lines for boxes) and the files that it names."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packager.core.errors import Finding, Location, ManifestError
from packager.core.hashing import content_hash, sha256_file
from packager.model.address import Address, PackageFile
from packager.model.contract import Box, Chain
from packager.model.evaluation import METRIC_KINDS, LabelledBox, LabelledData, LabelledSample, Truth
from packager.model.manifest import Evaluation, Manifest
from packager.plan.store import BadNameError, Store, open_store

COLUMNS = {"top1": "label", "f1": "label", "mae": "values", "map50": "boxes"}
"""The column with what is known, by metric."""
MOST_SHOWN = 20
_BOX = ("left", "top", "right", "bottom")

Labels = Mapping[str, tuple[str, ...]]
"""Class names by output, where its steps have some."""


def judged_output(manifest: Manifest, outputs: tuple[Chain, ...]) -> tuple[Chain | None, list[Finding]]:
    """The output that `evaluation:` is about; None and a finding where that is not clear."""
    wanted = manifest.evaluation
    if wanted is None:
        return None, []
    kinds = METRIC_KINDS[wanted.metric]
    able = [chain for chain in outputs if str(chain.end) in kinds]
    named = [chain for chain in outputs if chain.name == wanted.output] if wanted.output else able
    if len(named) == 1 and named[0] in able:
        return named[0], []
    words = " or ".join(kinds)
    if wanted.output and named:
        what = f"metric `{wanted.metric}` judges {words}, output `{wanted.output}` gives {named[0].end}"
        return None, [_at(manifest, ("evaluation", "metric"), what, "a metric for this kind of result")]
    if wanted.output and wanted.output in manifest.outputs:  # its chain has a finding of its own
        return None, []
    if len(outputs) < len(manifest.outputs) and not able:
        return None, []
    names = ", ".join(f"`{chain.name}`" for chain in able) or "none"
    what = f"{len(able)} outputs give {words}, which metric `{wanted.metric}` judges"
    return None, [_at(manifest, ("evaluation", "metric"), what, f"`output:` with one of {names}")]


def about_data(data: LabelledData) -> dict[str, Any]:
    """What a plan says of labelled data."""
    return {
        "data": data.name,
        "sha256": data.sha256,
        "samples": len(data.samples),
        "output": data.output,
        "metric": data.metric,
        "max_drop": data.max_drop,
    }


@dataclass
class _Reading:
    """What is known while one data file is read."""

    manifest: Manifest
    wanted: Evaluation
    name: str
    store: Store
    output: str
    labels: tuple[str, ...]
    findings: list[Finding]
    lines: list[str]

    def fault(self, line: int, what: str, expected: str = "", hint: str = "") -> None:
        text = self.lines[line - 1] if 1 <= line <= len(self.lines) else ""
        self.findings.append(Finding(what, Location(self.name, line, 1), expected, hint, text[:200]))


def read_labelled(
    manifest: Manifest, output: str, labels: Labels, resolve: Callable[[Address], Path], scratch: Path
) -> LabelledData:
    """Read the data file, look for every file that it names and hash it.

    `scratch` takes the files of an archive. Raises `ManifestError` with every finding: columns, labels, numbers,
    missing files, and samples that calibration uses as well.
    """
    wanted = manifest.evaluation
    if wanted is None:
        raise AssertionError("the manifest has no evaluation")
    where = manifest.where("evaluation", "data")
    suffix = ".jsonl" if wanted.metric == "map50" else ".csv"
    path = resolve(wanted.data)
    try:
        store, text = open_store(path, _base(wanted.data, path), suffix, scratch)
    except BadNameError as fault:
        finding = Finding(f"{wanted.data}: {fault}", where, fault.expected, source_line=manifest.line_at(where))
        raise ManifestError(finding) from fault
    reading = _Reading(manifest, wanted, str(wanted.data), store, output, labels.get(output, ()), [], text.splitlines())
    samples = tuple(_samples(reading, text))
    if not samples and not reading.findings:
        reading.fault(1, "the data has no samples", "one row for each labelled sample")
    reading.findings += _shared(manifest, samples, resolve, reading)
    if reading.findings:
        raise ManifestError(tuple(_shown(reading.findings)))
    return LabelledData(reading.name, content_hash(path), output, wanted.metric, wanted.max_drop, samples)


def _base(address: Address, path: Path) -> Path | None:
    """Folder that a data file's paths count from: its own, for a file of the project."""
    return None if isinstance(address, PackageFile) else path.parent


def _samples(reading: _Reading, text: str) -> Iterator[LabelledSample]:
    rows = _json_rows(reading, text) if reading.wanted.metric == "map50" else _csv_rows(reading, text)
    column = COLUMNS[reading.wanted.metric]
    hashes: dict[str, str] = {}
    for line, row in rows:
        files: dict[str, Path] = {}
        for name in reading.manifest.inputs:
            file = _file(reading, line, name, row.get(name))
            if file is not None:
                files[name] = file
                key = str(file)
                hashes[key] = hashes.get(key) or sha256_file(file)
        truth = _TRUTHS[column](reading, line, row.get(column))
        if truth is not None and len(files) == len(reading.manifest.inputs):
            yield LabelledSample(files, {name: hashes[str(file)] for name, file in files.items()}, truth, line)


def _csv_rows(reading: _Reading, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    needed = [*reading.manifest.inputs, COLUMNS[reading.wanted.metric]]
    try:
        table = csv.DictReader(io.StringIO(text, newline=""), strict=True, restkey="")
        missing = [name for name in needed if name not in (table.fieldnames or ())]
        if missing:
            found = ", ".join(table.fieldnames or ()) or "nothing"
            names = ", ".join(f"`{name}`" for name in missing)
            reading.fault(1, f"the first line lacks the column {names}; it has {found}", f"`{','.join(needed)}`")
            return
        for row in table:
            if "" in row or None in row.values():
                reading.fault(table.line_num, "the row has not as many fields as the first line", ",".join(needed))
            else:
                yield table.line_num, row
    except csv.Error as fault:
        reading.fault(1, f"this is not CSV: {fault}", "comma-separated values with a first line of names")


def _json_rows(reading: _Reading, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for line, content in enumerate(text.splitlines(), 1):
        if not content.strip():
            continue
        try:
            row = json.loads(content)
        except (ValueError, RecursionError) as fault:
            reading.fault(line, f"this line is not JSON: {fault}", "one JSON object on each line")
            continue
        if isinstance(row, dict):
            yield line, row
        else:
            reading.fault(line, "this line is no JSON object", '`{"photo": "a.png", "boxes": [...]}`')


def _file(reading: _Reading, line: int, name: str, value: Any) -> Path | None:
    if not isinstance(value, str) or not value.strip():
        reading.fault(line, f"no file for input `{name}`", "a path relative to the data file")
        return None
    try:
        return reading.store.path(value)
    except BadNameError as fault:
        reading.fault(line, str(fault), fault.expected)
        return None


def _label(reading: _Reading, line: int, value: Any) -> Truth | None:
    if reading.labels and value not in reading.labels:
        reading.fault(line, f"the model has no label `{value}`", f"one of {_few(reading.labels)}")
        return None
    return str(value)


def _values(reading: _Reading, line: int, value: Any) -> Truth | None:
    try:
        numbers = tuple(float(part) for part in str(value).split())
    except ValueError:
        numbers = ()
    if not numbers or not all(math.isfinite(number) for number in numbers):
        reading.fault(line, f"`{value}` are no finite numbers", "numbers with spaces between them")
        return None
    return numbers


def _boxes(reading: _Reading, line: int, value: Any) -> Truth | None:
    if not isinstance(value, list):
        reading.fault(line, "no list `boxes`", "`[]` where the image holds nothing")
        return None
    boxes = []
    for entry in value:
        edges = _edges(entry)
        if edges is None:
            reading.fault(line, f"`{json.dumps(entry)[:80]}` is no box", "{label, left, top, right, bottom}, in pixels")
            return None
        label = _label(reading, line, entry.get("label"))
        if label is None:
            return None
        boxes.append(LabelledBox(str(label), edges))
    return tuple(boxes)


def _edges(entry: Any) -> Box | None:
    found = [entry.get(edge) for edge in _BOX] if isinstance(entry, dict) else []
    numbers = [float(edge) for edge in found if isinstance(edge, int | float) and math.isfinite(edge)]
    if len(numbers) != len(_BOX) or numbers[0] > numbers[2] or numbers[1] > numbers[3]:
        return None
    return Box(*numbers)


_TRUTHS: Mapping[str, Callable[[_Reading, int, Any], Truth | None]] = {
    "label": _label,
    "values": _values,
    "boxes": _boxes,
}


def _shared(
    manifest: Manifest, samples: tuple[LabelledSample, ...], resolve: Callable[[Address], Path], reading: _Reading
) -> list[Finding]:
    """Samples whose files calibration uses as well: an int8 model would be judged on data that shaped it."""
    used: dict[str, Address] = {}
    for addresses in manifest.calibration.values():
        for address in addresses:
            used.setdefault(sha256_file(resolve(address)), address)
    found = []
    for sample in samples:
        both = [used[digest] for digest in sample.hashes.values() if digest in used]
        if both and len(both) == len(sample.hashes):
            text = reading.lines[sample.line - 1]
            what = f"this sample is calibration data as well: its content is that of {both[0]}"
            hint = "take it out of one of them: calibration and evaluation have to be disjoint"
            where = Location(reading.name, sample.line, 1)
            found.append(Finding(what, where, "data that the converter has not seen", hint, text[:200]))
    return found


def _shown(findings: list[Finding]) -> list[Finding]:
    more = len(findings) - MOST_SHOWN
    return [*findings[:MOST_SHOWN], Finding(f"{more} more problems are not shown")] if more > 0 else findings


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names[:8]) + (", ..." if len(names) > 8 else "")


def _at(manifest: Manifest, place: tuple[str | int, ...], what: str, expected: str) -> Finding:
    where = manifest.where(*place)
    return Finding(what, where, expected, source_line=manifest.line_at(where))
