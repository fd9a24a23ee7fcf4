#ifndef PACKAGER_CONTRACT_LANDMARKS_HPP
#define PACKAGER_CONTRACT_LANDMARKS_HPP

#include <math.h>

#include "contract_mapping.hpp"
#include "contract_types.hpp"
#include "sigmoid.hpp"

namespace packager_contract {

/// Points of `dimensions` numbers, in units of 1 / `across` and 1 / `down` pixels of the model's input -> Landmarks with
/// a score of 1.
static inline Status place_landmarks(Tensor<const float> in, ImageSize photo, int32_t dimensions, float across,
                                     float down, Ints geometry, Arena& arena, Landmarks* out) {
  const size_t each = static_cast<size_t>(dimensions);
  const size_t count = in.size / each;
  if (count * each != in.size) return Status::kWrongSize;
  for (size_t i = 0; i < in.size; ++i)
    if (!isfinite(in.data[i])) return Status::kNotFinite;
  Mapping way{};
  const Status status = make_mapping(geometry, photo, &way);
  if (status != Status::kOk) return status;
  Point3* points = arena.take<Point3>(count);
  if (points == nullptr) return Status::kWorkspaceTooSmall;
  const float depth = static_cast<float>(fabs(way.turned ? way.scale_y : way.scale_x));
  for (size_t i = 0; i < count; ++i) {
    const float* place = in.data + i * each;
    const float x = place[0] * across;
    const float y = place[1] * down;
    const float z = dimensions == 3 ? place[2] * across * depth : 0.0F;
    points[i] = Point3{mapped_x(way, x, y), mapped_y(way, x, y), z};
  }
  *out = Landmarks{1.0F, points, static_cast<int32_t>(count)};
  return Status::kOk;
}

/// `place_landmarks` with the score of a second tensor, after a sigmoid where `squash` says so.
static inline Status place_landmarks_scored(Tensor<const float> in, Tensor<const float> score, ImageSize photo,
                                            int32_t dimensions, float across, float down, bool squash, Ints geometry,
                                            Arena& arena, Landmarks* out) {
  if (score.size != 1) return Status::kWrongSize;
  if (!isfinite(score.data[0])) return Status::kNotFinite;
  Tensor<const float> sure = score;
  Status status = squash ? sigmoid(score, arena, &sure) : Status::kOk;
  if (status != Status::kOk) return status;
  status = place_landmarks(in, photo, dimensions, across, down, geometry, arena, out);
  out->score = sure.data[0];
  return status;
}

}  // namespace packager_contract

#endif
