#ifndef PACKAGER_CONTRACT_DETECTIONS_HPP
#define PACKAGER_CONTRACT_DETECTIONS_HPP

#include <math.h>

#include "contract_mapping.hpp"
#include "contract_types.hpp"

namespace packager_contract {

static inline float clip_edge(float edge, int32_t side) {
  const float high = static_cast<float>(side);
  return edge < 0.0F ? 0.0F : edge > high ? high : edge;
}

static inline Box place_box(const Mapping& way, const float* box, ImageSize photo) {
  const float x0 = mapped_x(way, box[0], box[1]);
  const float y0 = mapped_y(way, box[0], box[1]);
  const float x1 = mapped_x(way, box[2], box[3]);
  const float y1 = mapped_y(way, box[2], box[3]);
  return {clip_edge(x0 < x1 ? x0 : x1, photo.width), clip_edge(y0 < y1 ? y0 : y1, photo.height),
          clip_edge(x0 < x1 ? x1 : x0, photo.width), clip_edge(y0 < y1 ? y1 : y0, photo.height)};
}

static inline bool all_finite(const float* values, size_t count) {
  for (size_t i = 0; i < count; ++i)
    if (!isfinite(values[i])) return false;
  return true;
}

static inline Status check_candidates(const Candidates& in, Strings names) {
  const size_t size = static_cast<size_t>(in.size);
  const size_t points = size * static_cast<size_t>(in.points_each) * 2;
  if (!all_finite(in.boxes, size * 4) || !all_finite(in.scores, size) || !all_finite(in.points, points))
    return Status::kNotFinite;
  for (size_t i = 0; i < size; ++i)
    if (in.classes[i] < 0 || in.classes[i] >= names.size) return Status::kWrongSize;
  return Status::kOk;
}

/// Indices of the `top` best candidates, best first, equal scores by lower index; returns how many.
static inline int32_t best_candidates(const Candidates& in, int32_t top, int32_t* best) {
  int32_t size = 0;
  for (int32_t index = 0; index < in.size; ++index) {
    const float score = in.scores[index];
    if (size == top && score <= in.scores[best[size - 1]]) continue;
    int32_t place = size < top ? size++ : top - 1;
    for (; place > 0 && in.scores[best[place - 1]] < score; --place) best[place] = best[place - 1];
    best[place] = index;
  }
  return size;
}

/// Candidates -> the `top` best as named detections in pixels of the original image.
static inline Status place_detections(const Candidates& in, ImageSize photo, Strings names, int32_t top, Ints geometry,
                                      Arena& arena, Detections* out) {
  Status status = check_candidates(in, names);
  if (status != Status::kOk) return status;
  Mapping way{};
  status = make_mapping(geometry, photo, &way);
  if (status != Status::kOk) return status;
  const size_t count = static_cast<size_t>(top);
  const size_t each = static_cast<size_t>(in.points_each);
  Detection* found = arena.take<Detection>(count);
  Point* points = arena.take<Point>(count * each);
  int32_t* best = arena.take<int32_t>(count);
  if (found == nullptr || points == nullptr || best == nullptr) return Status::kWorkspaceTooSmall;
  const int32_t size = best_candidates(in, top, best);
  for (int32_t row = 0; row < size; ++row) {
    const size_t at = static_cast<size_t>(best[row]);
    Point* own = points + static_cast<size_t>(row) * each;
    for (size_t i = 0; i < each; ++i) {
      const float* place = in.points + (at * each + i) * 2;
      own[i] = Point{mapped_x(way, place[0], place[1]), mapped_y(way, place[0], place[1])};
    }
    const int32_t index = in.classes[at];
    found[row] = Detection{names.data[index], in.scores[at], index, place_box(way, in.boxes + at * 4, photo), own,
                           in.points_each};
  }
  *out = Detections{found, size};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
