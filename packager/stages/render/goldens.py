"""Golden vectors as files: `index.json`, its twin `index.txt` for languages without a JSON parser, `.bin` arrays.

`index.txt` has one record a line, tab-separated: sample, stage, name, dtype, shape (`1x96x96x3`), file, absolute
tolerance, relative tolerance. Stage `result` has dtype `classification`, the number of labels as shape, `-` as file,
and the pairs label, score behind. Backslash, tab and line feed are escaped as in C.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from packager.core.errors import RenderError
from packager.core.hashing import sha256_bytes
from packager.core.jsonable import to_json
from packager.core.languages.base import shortest_float32
from packager.model.contract import Classification
from packager.model.golden import ArtifactGolden, GoldenRecord
from packager.model.project import RenderedFile

FLOAT_KERNELS = "golden vectors hold the results of float kernels"


def golden_files(golden: ArtifactGolden, folder: str, with_decoded: bool = True) -> list[RenderedFile]:
    """Files of one artefact's golden vectors under `folder`, with the decoded samples where they are wanted."""
    rows: list[dict[str, Any]] = []
    lines: list[str] = []
    files: dict[str, bytes] = {}
    for record in golden.records:
        if record.stage == "decode" and not with_decoded:
            continue
        name = f"{record.sample}.{record.stage}.{_file_part(record.name)}.bin"
        if record.array is not None:
            files[name] = _little_endian(record).tobytes()
            rows.append(_array_row(record, name, files[name]))
            lines.append(_array_line(record, name))
        else:
            rows.append(_result_row(record))
            lines.append(_result_line(record))
    index = {"artifact": golden.artifact, "kernel_set": golden.kernel_set, "records": rows}
    text = json.dumps(index, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    made = [
        RenderedFile(f"{folder}/index.json", text.encode(), cpu_dependent=FLOAT_KERNELS),
        RenderedFile(f"{folder}/index.txt", "".join(lines).encode(), cpu_dependent=FLOAT_KERNELS),
    ]
    for name, data in files.items():
        reason = "" if ".decode." in name else FLOAT_KERNELS
        made.append(RenderedFile(f"{folder}/{name}", data, cpu_dependent=reason))
    return made


def _file_part(name: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in name)


def _little_endian(record: GoldenRecord) -> Any:
    array = record.array
    if array is None:
        raise RenderError(f"golden record {record.sample}/{record.stage}/{record.name} has no array")
    return np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))


def _layout(record: GoldenRecord) -> str:
    if record.stage == "decode":
        return "HWC"
    return "C-order"


def _array_row(record: GoldenRecord, file: str, data: bytes) -> dict[str, Any]:
    array = _little_endian(record)
    row = {
        "sample": record.sample,
        "stage": record.stage,
        "name": record.name,
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "layout": _layout(record),
        "file": file,
        "sha256": sha256_bytes(data),
        "tolerance": to_json(record.tolerance),
    }
    if record.quantization is not None:
        row |= {"scale": record.quantization.scale, "zero_point": record.quantization.zero_point}
    return row


def _result_row(record: GoldenRecord) -> dict[str, Any]:
    result = record.result
    if result is None:
        raise RenderError(f"golden record {record.sample}/{record.stage}/{record.name} is empty")
    return {
        "sample": record.sample,
        "stage": record.stage,
        "name": record.name,
        "result": result.to_json(),
        "tolerance": to_json(record.tolerance),
    }


def _array_line(record: GoldenRecord, file: str) -> str:
    array = _little_endian(record)
    shape = "x".join(str(size) for size in array.shape)
    return _line([record.sample, record.stage, record.name, array.dtype.name, shape, file, *_limits(record)])


def _result_line(record: GoldenRecord) -> str:
    result = record.result
    if isinstance(result, Classification):
        pairs = [text for x in result.labels for text in (x.label, shortest_float32(x.score))]
        head = [record.sample, "result", record.name, "classification", str(len(result.labels)), "-"]
        return _line([*head, *_limits(record), *pairs])
    raise RenderError(f"results of kind {type(result).__name__} have no golden form")


def _limits(record: GoldenRecord) -> Sequence[str]:
    return [repr(record.tolerance.absolute), repr(record.tolerance.relative)]


def _line(fields: Sequence[str]) -> str:
    escaped = [f.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n") for f in fields]
    return "\t".join(escaped) + "\n"
