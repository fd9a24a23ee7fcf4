#ifndef PACKAGER_CONTRACT_CENTER_BOXES_HPP
#define PACKAGER_CONTRACT_CENTER_BOXES_HPP

#include <math.h>

#include "contract_types.hpp"
#include "ssd_boxes.hpp"

namespace packager_contract {

/// One axis of a cell's box and points: first edge, last edge, coordinates. False where one is not finite.
static inline bool center_axis(float index, float side, float stride, const float* size, const float* offset,
                               const float* place, size_t cells, size_t points, float* box, float* point) {
  const float length = static_cast<float>(exact_exp(static_cast<double>(*size))) * stride;
  float first = (index + *offset + 0.5F) * stride - length / 2.0F;
  if (!isfinite(length) || isnan(first)) return false;
  first = first > 0.0F ? first : 0.0F;
  first = first < side ? first : side;
  const float last = first + length;
  box[0] = first;
  box[2] = last < side ? last : side;
  bool finite = true;
  for (size_t p = 0; p < points; ++p) {
    point[2 * p] = place[2 * p * cells] * length + first;
    finite = finite && isfinite(point[2 * p]);
  }
  return finite;
}

/// Maps of heat [1, classes, rows, columns], sizes and offsets [1, 2, ...] and points [1, 2 * points, ...], y before x
/// -> candidates in the order of cells.
static inline Status center_boxes(Tensor<const float> heat, Tensor<const float> sizes, Tensor<const float> offsets,
                                  Tensor<const float> places, int32_t columns, int32_t rows, int32_t classes,
                                  int32_t points, float stride, float threshold, Arena& arena, Candidates* out) {
  const size_t cells = static_cast<size_t>(columns) * static_cast<size_t>(rows);
  const size_t count = static_cast<size_t>(points);
  if (heat.size != cells * static_cast<size_t>(classes) || sizes.size != 2 * cells) return Status::kWrongSize;
  if (offsets.size != 2 * cells || places.size != 2 * count * cells) return Status::kWrongSize;
  if (!take_candidates(columns * rows, points, arena, out)) return Status::kWorkspaceTooSmall;
  for (size_t cell = 0; cell < cells; ++cell) {
    const size_t to = static_cast<size_t>(out->size);
    for (int32_t c = 0; c < classes; ++c) {
      const float value = heat.data[static_cast<size_t>(c) * cells + cell];
      if (!isfinite(value)) return Status::kNotFinite;
      if (c > 0 && value <= out->scores[to]) continue;
      out->scores[to] = value;
      out->classes[to] = c;
    }
    if (!(out->scores[to] >= threshold)) continue;
    const int32_t index[2] = {static_cast<int32_t>(cell) % columns, static_cast<int32_t>(cell) / columns};
    const float side[2] = {static_cast<float>(columns) * stride, static_cast<float>(rows) * stride};
    for (size_t axis = 0; axis < 2; ++axis) {
      const size_t from = (1 - axis) * cells + cell;
      if (!center_axis(static_cast<float>(index[axis]), side[axis], stride, sizes.data + from, offsets.data + from,
                       places.data + from, cells, count, out->boxes + 4 * to + axis,
                       out->points + 2 * count * to + axis)) {
        return Status::kNotFinite;
      }
    }
    ++out->size;
  }
  return Status::kOk;
}

}  // namespace packager_contract

#endif
