#ifndef PACKAGER_CONTRACT_NMS_HPP
#define PACKAGER_CONTRACT_NMS_HPP

#include <string.h>

#include "contract_types.hpp"

namespace packager_contract {

/// Width times height of a box; negative where one of them is.
static inline float box_area(const float* box) { return (box[2] - box[0]) * (box[3] - box[1]); }

/// Intersection over union of two boxes, in torchvision's order of operations; NaN for two empty ones.
static inline float box_overlap(const float* one, const float* other) {
  const float left = one[0] > other[0] ? one[0] : other[0];
  const float top = one[1] > other[1] ? one[1] : other[1];
  const float right = one[2] < other[2] ? one[2] : other[2];
  const float bottom = one[3] < other[3] ? one[3] : other[3];
  const float width = right > left ? right - left : 0.0F;
  const float height = bottom > top ? bottom - top : 0.0F;
  const float inter = width * height;
  return inter / (box_area(one) + box_area(other) - inter);
}

/// Copies a candidate to the end of `out`.
static inline void append_candidate(const Candidates& in, int32_t index, Candidates* out) {
  const size_t from = static_cast<size_t>(index);
  const size_t to = static_cast<size_t>(out->size);
  const size_t coordinates = 2 * static_cast<size_t>(in.points_each);
  memcpy(out->boxes + 4 * to, in.boxes + 4 * from, 4 * sizeof(float));
  for (size_t i = 0; i < coordinates; ++i) out->points[coordinates * to + i] = in.points[coordinates * from + i];
  out->scores[to] = in.scores[from];
  out->classes[to] = in.classes[from];
  ++out->size;
}

/// Marks `best` and what it suppresses in `gone`; returns the best of the rest, or -1.
static inline int32_t suppress(const Candidates& in, int32_t best, float iou_threshold, bool per_class, uint8_t* gone) {
  const float* box = in.boxes + 4 * static_cast<size_t>(best);
  int32_t next = -1;
  gone[best] = 1;
  for (int32_t i = 0; i < in.size; ++i) {
    if (gone[i] != 0) continue;
    const bool rivals = !per_class || in.classes[i] == in.classes[best];
    if (rivals && box_overlap(box, in.boxes + 4 * static_cast<size_t>(i)) > iou_threshold) {
      gone[i] = 1;
    } else if (next < 0 || in.scores[i] > in.scores[next]) {
      next = i;
    }
  }
  return next;
}

/// The best candidates without those (of their class) whose overlap with a better one is greater than the threshold;
/// best first, equal scores by lower index.
static inline Status nms(const Candidates& in, int32_t capacity, float iou_threshold, int32_t max_results,
                         bool per_class, Arena& arena, Candidates* out) {
  if (in.size < 0 || in.size > capacity) return Status::kWrongSize;
  uint8_t* gone = arena.take<uint8_t>(static_cast<size_t>(capacity));
  if (gone == nullptr || !take_candidates(max_results, in.points_each, arena, out)) return Status::kWorkspaceTooSmall;
  memset(gone, 0, static_cast<size_t>(capacity));
  int32_t best = in.size > 0 ? 0 : -1;
  for (int32_t i = 1; i < in.size; ++i) {
    if (in.scores[i] > in.scores[best]) best = i;
  }
  while (best >= 0 && out->size < max_results) {
    append_candidate(in, best, out);
    best = suppress(in, best, iou_threshold, per_class, gone);
  }
  return Status::kOk;
}

}  // namespace packager_contract

#endif
