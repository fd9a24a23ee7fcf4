"""Renders the C++ driver of a list of cases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from step_vectors import Packed, block_offsets

import packager.steps
from packager.core.constants import Constant, Float32
from packager.core.languages import LANGUAGES
from packager.model.contract import (
    AudioType,
    BytesType,
    CandidatesType,
    FrameType,
    ImageType,
    SeriesType,
    TensorsType,
    TensorType,
)

CPP = LANGUAGES["cpp"]
TYPES = {"float32": "float", **{name: f"{name}_t" for name in ("int8", "uint8", "int16", "uint16", "int32")}}

HEAD = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

using namespace packager_contract;

static uint8_t* input;
static FILE* output;

[[maybe_unused]] static void emit(int32_t status, const void* data, size_t size) {
  static const uint8_t zeros[16] = {};
  const int32_t header[4] = {status, static_cast<int32_t>(size), 0, 0};
  fwrite(header, 1, sizeof header, output);
  if (size > 0) fwrite(data, 1, size, output);
  fwrite(zeros, 1, (16 - size % 16) % 16, output);
}

[[maybe_unused]] static void emit(const Image& image) {
  const size_t row = static_cast<size_t>(image.width) * static_cast<size_t>(image.channels);
  uint8_t* tight = static_cast<uint8_t*>(malloc(row * static_cast<size_t>(image.height) + 1));
  for (int32_t y = 0; y < image.height; ++y) memcpy(tight + static_cast<size_t>(y) * row, row_of(image, y), row);
  emit(0, tight, row * static_cast<size_t>(image.height));
  free(tight);
}

template <class T>
[[maybe_unused]] static void emit(const Tensor<const T>& tensor) {
  emit(0, tensor.data, tensor.size * sizeof(T));
}

[[maybe_unused]] static void emit(const Classification& found) {
  size_t size = 0;
  for (int32_t i = 0; i < found.size; ++i) size += 12 + (strlen(found.labels[i].label) + 3) / 4 * 4;
  uint8_t* bytes = static_cast<uint8_t*>(calloc(size + 1, 1));
  uint8_t* to = bytes;
  for (int32_t i = 0; i < found.size; ++i) {
    const LabelScore& label = found.labels[i];
    const int32_t length = static_cast<int32_t>(strlen(label.label));
    memcpy(to, &label.index, 4);
    memcpy(to + 4, &label.score, 4);
    memcpy(to + 8, &length, 4);
    memcpy(to + 12, label.label, static_cast<size_t>(length));
    to += 12 + (static_cast<size_t>(length) + 3) / 4 * 4;
  }
  emit(0, bytes, size);
  free(bytes);
}

[[maybe_unused]] static void emit(const Candidates& found) {
  const size_t count = static_cast<size_t>(found.size);
  const size_t points = count * static_cast<size_t>(found.points_each) * 2;
  uint32_t* words = static_cast<uint32_t*>(calloc(2 + 6 * count + points, 4));
  words[0] = static_cast<uint32_t>(found.size);
  words[1] = static_cast<uint32_t>(found.points_each);
  memcpy(words + 2, found.boxes, 16 * count);
  memcpy(words + 2 + 4 * count, found.points, 4 * points);
  memcpy(words + 2 + 4 * count + points, found.scores, 4 * count);
  memcpy(words + 2 + 5 * count + points, found.classes, 4 * count);
  emit(0, words, 4 * (2 + 6 * count + points));
  free(words);
}

// Words of 4 bytes, texts, and bytes of a result, one after the other.
struct Words {
  uint8_t* bytes;
  size_t size;
  void raw(const void* from, size_t count) {
    bytes = static_cast<uint8_t*>(realloc(bytes, size + count + 4));
    if (count > 0) memcpy(bytes + size, from, count);
    size += count;
  }
  void number(float value) { raw(&value, 4); }
  void count(int32_t value) { raw(&value, 4); }
  void text(const char* value) {
    static const uint8_t zeros[4] = {};
    const size_t length = strlen(value);
    count(static_cast<int32_t>(length));
    raw(value, length);
    raw(zeros, (4 - length % 4) % 4);
  }
  void send() {
    emit(0, bytes, size);
    free(bytes);
  }
};

[[maybe_unused]] static void emit(const Detections& found) {
  Words words{};
  words.count(found.size);
  for (int32_t i = 0; i < found.size; ++i) {
    const Detection& one = found.detections[i];
    words.count(one.index);
    const float numbers[] = {one.score, one.box.left, one.box.top, one.box.right, one.box.bottom};
    for (const float value : numbers) words.number(value);
    words.count(one.points_size);
    for (int32_t k = 0; k < one.points_size; ++k) {
      words.number(one.points[k].x);
      words.number(one.points[k].y);
    }
    words.text(one.label);
  }
  words.send();
}

[[maybe_unused]] static void emit(const Landmarks& found) {
  Words words{};
  words.number(found.score);
  words.count(found.size);
  for (int32_t i = 0; i < found.size; ++i) {
    words.number(found.points[i].x);
    words.number(found.points[i].y);
    words.number(found.points[i].z);
  }
  words.send();
}

[[maybe_unused]] static void emit(const Mask& found) {
  Words words{};
  words.count(found.width);
  words.count(found.height);
  words.count(static_cast<int32_t>(found.labels.size));
  for (int32_t i = 0; i < static_cast<int32_t>(found.labels.size); ++i) words.text(found.labels.data[i]);
  words.raw(found.classes, static_cast<size_t>(found.width) * static_cast<size_t>(found.height));
  words.send();
}

[[maybe_unused]] static void emit(const Embedding& found) {
  emit(0, found.values, static_cast<size_t>(found.size) * 4);
}

[[maybe_unused]] static void emit(const Values& found) {
  Words words{};
  words.count(static_cast<int32_t>(found.shape.size));
  words.raw(found.shape.data, static_cast<size_t>(found.shape.size) * 4);
  words.text(found.unit);
  words.raw(found.values, static_cast<size_t>(found.size) * 4);
  words.send();
}

// Runs a step in an arena of exactly the stated size, which is poisoned before, and in one that is 16 bytes smaller.
// Sizes are stated for pointers of 64 bits and for the largest input; where they are smaller, something may be left.
template <class Out, class Step>
static void run(const char* name, size_t workspace, bool fits, Step step) {
  const bool exact = fits && sizeof(void*) == 8;
  void* memory = aligned_alloc(16, (workspace + 31) / 16 * 16);
  memset(memory, 0xCD, workspace + 16);
  Arena arena(memory, workspace);
  Out out{};
  const Status status = step(arena, &out);
  const bool unused = exact && status == Status::kOk && arena.left() != 0;
  if (status == Status::kWorkspaceTooSmall || unused) {
    fprintf(stderr, "%s: workspace %lu, left %lu, %s\n", name, static_cast<unsigned long>(workspace),
            static_cast<unsigned long>(arena.left()), status_name(status));
    emit(2, nullptr, 0);
  } else if (status == Status::kOk) {
    emit(out);
  } else {
    emit(1, nullptr, 0);
  }
  if (exact && status == Status::kOk && workspace > 0) {
    Arena small(memory, workspace - 16);
    if (step(small, &out) != Status::kWorkspaceTooSmall) {
      fprintf(stderr, "%s: 16 bytes less than %lu suffice\n", name, static_cast<unsigned long>(workspace));
      exit(3);
    }
  }
  free(memory);
}
"""

MAIN = r"""
int main(int argc, char** argv) {
  if (argc != 3) return 2;
  FILE* file = fopen(argv[1], "rb");
  output = fopen(argv[2], "wb");
  if (file == nullptr || output == nullptr) return 2;
  input = static_cast<uint8_t*>(aligned_alloc(16, INPUT_BYTES));
  if (fread(input, 1, INPUT_BYTES, file) != INPUT_BYTES) return 2;
  RUN_ALL();
  free(input);
  fclose(file);
  return fclose(output);
}
"""


def native_folders() -> list[Path]:
    """Folders to search for headers: the kit and every step's."""
    root = Path(packager.steps.__file__).parent
    return sorted(folder for folder in root.iterdir() if folder.name == "_cpp" or (folder / "__init__.py").is_file())


def driver(packed: Sequence[Packed]) -> str:
    """Source of the whole program; arguments: input.bin, output.bin."""
    headers = dict.fromkeys(step for item in packed for step in item.case.steps)
    functions = [_function(index, item) for index, item in enumerate(packed)]
    calls = " ".join(f"case_{index}();" for index in range(len(packed)))
    size = packed[-1].offset + packed[-1].bytes
    size += -size % 16
    return "\n".join(
        [
            *(f'#include "{name}.hpp"' for name in headers),
            HEAD,
            *functions,
            f"constexpr size_t INPUT_BYTES = {size};",
            f"static void RUN_ALL() {{ {calls} }}",
            MAIN,
        ]
    )


def _function(index: int, item: Packed) -> str:
    case = item.case
    lines = [f"static void case_{index}() {{  // {case.id}"]
    arguments: list[str] = []
    for name, value in case.call.arguments:
        arguments.append(_argument(name, value, lines))
    taken = _inputs(item, lines)
    out = _type(case.call.output)
    if case.photo is not None:
        arguments.insert(0, f"ImageSize{{{case.photo.width}, {case.photo.height}}}")
    call = f"{CPP.function(case.call.function)}({taken}, {''.join(a + ', ' for a in arguments)}arena, out)"
    fits = CPP.constant(case.fits)
    lines.append(f"  run<{out}>({CPP.string(case.id)}, {case.call.workspace}, {fits}, [&](Arena& arena, {out}* out) {{")
    lines.append(f"    return {call};\n  }});\n}}\n")
    return "\n".join(lines)


def _argument(name: str, value: Constant, lines: list[str]) -> str:
    if not isinstance(value, tuple):
        return CPP.constant(value)
    if not value:
        return "{nullptr, 0}"
    element = {str: "const char*", float: "double", int: "int32_t", Float32: "float"}[type(value[0])]
    lines.append(f"  static constexpr {element} {name}[] = {CPP.constant(value)};")
    return f"List<{element}>{{{name}, {len(value)}}}".replace("List<const char*>", "Strings")


def _type(value: object) -> str:
    if isinstance(value, ImageType | FrameType):
        return "Image" if isinstance(value, ImageType) else "Frame"
    if isinstance(value, CandidatesType):
        return "Candidates"
    for kind, name in ((AudioType, "Audio"), (SeriesType, "Series"), (BytesType, "Bytes")):
        if isinstance(value, kind):
            return name
    return f"Tensor<const {TYPES[value.dtype]}>" if isinstance(value, TensorType) else str(value)


def _inputs(item: Packed, lines: list[str]) -> str:
    """Declares what the call takes; returns its names."""
    case = item.case
    if isinstance(case.start, TensorsType):
        places = zip(case.start.tensors, block_offsets(item), strict=True)
        for index, (tensor, offset) in enumerate(places):
            lines.append(f"  const {_type(tensor)} in{index}{{{_pointer(tensor.dtype, offset)}, {tensor.size}}};")
        return ", ".join(f"in{index}" for index in range(len(case.start.tensors)))
    lines.append(f"  const {_type(case.start)} in{_input(item)};")
    return "in"


def _pointer(dtype: str, offset: int, const: str = "const ") -> str:
    return f"reinterpret_cast<{const}{TYPES[dtype]}*>(input + {offset})"


def _input(item: Packed) -> str:
    case = item.case
    if isinstance(case.start, CandidatesType):
        dtypes = ("float32", "float32", "float32", "int32")
        arrays = [_pointer(dtype, at, "") for dtype, at in zip(dtypes, block_offsets(item), strict=True)]
        return f"{{{', '.join(arrays)}, {case.input.scores.size}, {case.start.points}}}"
    if isinstance(case.start, FrameType):
        f = case.input
        planes = ", ".join(f"input + {item.offset + at}" for at in (f.y, f.u, f.v))
        return f"{{{planes}, {f.width}, {f.height}, {f.y_stride}, {f.uv_stride}, {f.uv_step}, {f.frame.rotation}}}"
    if isinstance(case.start, ImageType):
        h, w, c = case.input.shape
        return f"{{input + {item.offset}, {w}, {h}, {c}, {case.stride}}}"
    pointer = _pointer(str(case.input.dtype), item.offset)
    if isinstance(case.start, AudioType | SeriesType):
        return f"{{{pointer}, {case.input.shape[0]}, {case.input.shape[1]}}}"
    return f"{{{pointer}, {case.input.size}}}"
