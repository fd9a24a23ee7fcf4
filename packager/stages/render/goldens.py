"""Golden vectors as files: `index.json`, its twin `index.txt` for languages without a JSON parser, `.bin` arrays.

`index.txt` has one record a line, tab-separated: sample, stage, name, dtype, shape (`1x96x96x3`), file, absolute
tolerance, relative tolerance. A camera frame has dtype `yuv420`, its height and width as shape, and its planes y, u, v
one after the other in the file.

Stage `result` has the kind of result in lower case in place of the dtype. What follows on the line:

- classification: shape is the number of labels, file `-`; pairs of label and score.
- detections: shape is their number, file `-`; the tolerance of places in pixels, then for each label, score, index,
  left, top, right, bottom, number of points, and x, y of each.
- landmarks: shape is the number of points, file `-`; the tolerance of places in pixels, the score, and x, y, z of each.
- mask: shape is height x width, the file holds a byte for a pixel; the absolute tolerance is the share of pixels that
  may differ.
- embedding, values: the file holds float32 numbers.

Backslash, tab and line feed are escaped as in C.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packager.core.errors import RenderError
from packager.core.hashing import sha256_bytes
from packager.core.jsonable import to_json
from packager.core.languages.base import shortest_float32
from packager.model.contract import (
    Classification,
    Detection,
    Detections,
    Embedding,
    Frame,
    Landmarks,
    Mask,
    Result,
    Values,
)
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
        array = _little_endian(record)
        if array is not None:
            files[name] = array.tobytes()
        if record.result is None:
            rows.append(_array_row(record, name, files[name]))
            lines.append(_array_line(record, name))
        else:
            rows.append(_result_row(record, name, files.get(name)))
            lines.append(_result_line(record, record.result, name))
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


def _little_endian(record: GoldenRecord) -> NDArray[Any] | None:
    """What stands in the record's file; None where the record is all in the index."""
    array = _stored(record)
    return None if array is None else np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))


def _stored(record: GoldenRecord) -> NDArray[Any] | None:
    if isinstance(record.array, Frame):
        frame = record.array
        return np.concatenate([frame.y.ravel(), frame.u.ravel(), frame.v.ravel()])
    if record.array is not None:
        return record.array
    if isinstance(record.result, Mask):
        return np.frombuffer(record.result.classes, np.uint8)
    if isinstance(record.result, Embedding | Values):
        return np.array(record.result.values, np.float32)
    return None


def _form(record: GoldenRecord) -> tuple[str, tuple[int, ...], str]:
    """(dtype, shape, layout) of a record with an array or a frame."""
    if isinstance(record.array, Frame):
        return "yuv420", record.array.y.shape, "I420"
    if record.array is None:
        raise RenderError(f"golden record {record.sample}/{record.stage}/{record.name} is empty")
    array = record.array
    is_image = record.stage == "decode" and array.dtype == np.uint8 and array.ndim == 3
    return array.dtype.name, array.shape, "HWC" if is_image else "C-order"


def _array_row(record: GoldenRecord, file: str, data: bytes) -> dict[str, Any]:
    dtype, shape, layout = _form(record)
    row = {
        "sample": record.sample,
        "stage": record.stage,
        "name": record.name,
        "dtype": dtype,
        "shape": list(shape),
        "layout": layout,
        "file": file,
        "sha256": sha256_bytes(data),
        "tolerance": to_json(record.tolerance),
    }
    if record.quantization is not None:
        row |= {"scale": record.quantization.scale, "zero_point": record.quantization.zero_point}
    return row


def _result_row(record: GoldenRecord, file: str, data: bytes | None) -> dict[str, Any]:
    result: dict[str, Any] = record.result.to_json() if record.result is not None else {}
    row = {
        "sample": record.sample,
        "stage": record.stage,
        "name": record.name,
        "result": result,
        "tolerance": to_json(record.tolerance),
    }
    if isinstance(record.result, Detections | Landmarks):
        row["pixels"] = record.pixels
    if data is not None:
        result.pop("classes", None)
        result.pop("values", None)
        row |= {"file": file, "sha256": sha256_bytes(data)}
    return row


def _array_line(record: GoldenRecord, file: str) -> str:
    dtype, shape, _ = _form(record)
    size = "x".join(str(side) for side in shape)
    return _line([record.sample, record.stage, record.name, dtype, size, file, *_limits(record)])


def _result_line(record: GoldenRecord, result: Result, file: str) -> str:
    shape, place, rest = _result_fields(record, result, file)
    head = [record.sample, "result", record.name, result.kind.lower(), shape, place]
    return _line([*head, *_limits(record), *rest])


def _result_fields(record: GoldenRecord, result: Result, file: str) -> tuple[str, str, list[str]]:
    """(shape, file, what follows the tolerances) of a result's line."""
    if isinstance(result, Classification):
        pairs = [text for x in result.labels for text in (x.label, shortest_float32(x.score))]
        return str(len(result.labels)), "-", pairs
    if isinstance(result, Detections):
        found = [text for each in result.detections for text in _detection(each)]
        return str(len(result.detections)), "-", [repr(record.pixels), *found]
    if isinstance(result, Landmarks):
        places = [shortest_float32(n) for point in result.points for n in (point.x, point.y, point.z)]
        return str(len(result.points)), "-", [repr(record.pixels), shortest_float32(result.score), *places]
    if isinstance(result, Mask):
        return f"{result.height}x{result.width}", file, []
    shape = result.shape if isinstance(result, Values) else (len(result.values),)
    return "x".join(map(str, shape)), file, []


def _detection(found: Detection) -> list[str]:
    box = found.box
    numbers = [shortest_float32(n) for n in (box.left, box.top, box.right, box.bottom)]
    points = [shortest_float32(n) for point in found.points for n in (point.x, point.y)]
    return [found.label, shortest_float32(found.score), str(found.index), *numbers, str(len(found.points)), *points]


def _limits(record: GoldenRecord) -> Sequence[str]:
    return [repr(record.tolerance.absolute), repr(record.tolerance.relative)]


def _line(fields: Sequence[str]) -> str:
    escaped = [f.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n") for f in fields]
    return "\t".join(escaped) + "\n"
