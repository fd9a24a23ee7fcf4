#ifndef PACKAGER_CONTRACT_YOLO_BOXES_HPP
#define PACKAGER_CONTRACT_YOLO_BOXES_HPP

#include <math.h>

#include "contract_types.hpp"

namespace packager_contract {

/// How a head's tensor is laid out: v5 a row for each box, with objectness; v8 a column for each box.
enum class YoloLayout : int32_t { kV5, kV8 };

/// Best class and score of each box; false where a score is not finite.
static inline bool yolo_scores(const float* in, size_t boxes, int32_t classes, YoloLayout layout, float* scores,
                               int32_t* best) {
  const bool rows = layout == YoloLayout::kV5;
  const size_t numbers = static_cast<size_t>(classes) + (rows ? 5 : 4);
  bool finite = true;
  for (size_t i = 0; rows && i < boxes; ++i) {
    const float* row = in + i * numbers;
    for (int32_t c = 0; c < classes; ++c) {
      const float score = row[5 + c] * row[4];
      finite = finite && isfinite(score);
      if (c == 0 || score > scores[i]) {
        scores[i] = score;
        best[i] = c;
      }
    }
  }
  for (int32_t c = 0; !rows && c < classes; ++c) {
    const float* row = in + static_cast<size_t>(4 + c) * boxes;
    for (size_t i = 0; i < boxes; ++i) {
      finite = finite && isfinite(row[i]);
      if (c == 0 || row[i] > scores[i]) {
        scores[i] = row[i];
        best[i] = c;
      }
    }
  }
  return finite;
}

/// float32 [1, boxes, 5 + classes] (v5) or [1, 4 + classes, boxes] (v8) -> candidates in index order. `width` and
/// `height` are the coordinates' factors.
static inline Status yolo_boxes(Tensor<const float> in, int32_t boxes, int32_t classes, YoloLayout layout, float width,
                                float height, float threshold, Arena& arena, Candidates* out) {
  const bool rows = layout == YoloLayout::kV5;
  const size_t count = static_cast<size_t>(boxes);
  const size_t numbers = static_cast<size_t>(classes) + (rows ? 5 : 4);
  if (in.size != count * numbers) return Status::kWrongSize;
  if (!take_candidates(boxes, 0, arena, out)) return Status::kWorkspaceTooSmall;
  if (!yolo_scores(in.data, count, classes, layout, out->scores, out->classes)) return Status::kNotFinite;
  const size_t next = rows ? 1 : count;
  const float factors[2] = {width, height};
  size_t size = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!(out->scores[i] >= threshold)) continue;
    const float* at = in.data + (rows ? i * numbers : i);
    float* box = out->boxes + 4 * size;
    for (size_t axis = 0; axis < 2; ++axis) {
      const float center = at[axis * next];
      const float half = at[(2 + axis) * next] / 2.0F;
      box[axis] = (center - half) * factors[axis];
      box[2 + axis] = (center + half) * factors[axis];
      if (!isfinite(box[axis]) || !isfinite(box[2 + axis])) return Status::kNotFinite;
    }
    if (box[2] < box[0] || box[3] < box[1]) continue;
    out->scores[size] = out->scores[i];
    out->classes[size] = out->classes[i];
    ++size;
  }
  out->size = static_cast<int32_t>(size);
  return Status::kOk;
}

}  // namespace packager_contract

#endif
