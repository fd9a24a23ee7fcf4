#ifndef PACKAGER_CONTRACT_SSD_BOXES_HPP
#define PACKAGER_CONTRACT_SSD_BOXES_HPP

#include <math.h>
#include <string.h>

#include "contract_types.hpp"

namespace packager_contract {

/// Which of a pair comes first: x and width, or y and height.
enum class BoxOrder : int32_t { kXywh, kYxhw };

/// exp(x), x clamped to [-200, 200], the same to the bit everywhere: 2^k times a polynomial of r, x = k * ln 2 + r.
static inline double exact_exp(double x) {
  constexpr double kCoefficients[] = {
      2.505210838544172e-08, 2.755731922398589e-07, 2.7557319223985893e-06, 2.48015873015873e-05,
      0.0001984126984126984, 0.001388888888888889,  0.008333333333333333,   0.041666666666666664,
      0.16666666666666666,   0.5,                   1.0,                    1.0};
  if (isnan(x)) return x;
  if (x > 200.0) x = 200.0;
  if (x < -200.0) x = -200.0;
  const double k = floor(x * 1.4426950408889634 + 0.5);
  const double r = (x - k * 0.6931471803691238) - k * 1.9082149292705877e-10;
  double p = 0.0;
  for (const double coefficient : kCoefficients) p = p * r + coefficient;
  const uint64_t bits = static_cast<uint64_t>(static_cast<int64_t>(k) + 1023) << 52;
  double power = 0.0;
  memcpy(&power, &bits, sizeof power);
  return p * power;
}

/// 1 / (1 + exp(-x)) in float64, rounded once; x is finite.
static inline float exact_sigmoid(float x) {
  const double small = exact_exp(-fabs(static_cast<double>(x)));
  return static_cast<float>((x >= 0.0F ? 1.0 : small) / (1.0 + small));
}

/// Centre and size of an anchor as fractions of the model's input: x, y.
struct SsdAnchor {
  float center[2];
  float size[2];
};

/// How a head's numbers become places.
struct SsdDecoder {
  Floats scale;
  Ints input_size;
  int32_t points;
  BoxOrder order;
  bool exponential;

  /// The x (axis 0) or y (axis 1) of a pair.
  float value(const float* raw, size_t pair, size_t axis) const {
    return raw[2 * pair + (order == BoxOrder::kXywh ? axis : 1 - axis)];
  }

  float place(const float* raw, size_t pair, size_t axis, const SsdAnchor& anchor) const {
    return value(raw, pair, axis) / scale.data[axis] * anchor.size[axis] + anchor.center[axis];
  }

  /// Writes left, top, right, bottom and the points; false where one is not finite.
  bool decode(const float* raw, const SsdAnchor& anchor, float* box, float* point) const {
    bool finite = true;
    for (size_t axis = 0; axis < 2; ++axis) {
      const float side = static_cast<float>(input_size.data[axis]);
      const float center = place(raw, 0, axis, anchor);
      float size = value(raw, 1, axis) / scale.data[2 + axis];
      if (exponential) size = static_cast<float>(exact_exp(static_cast<double>(size)));
      const float half = size * anchor.size[axis] / 2.0F;
      box[axis] = (center - half) * side;
      box[2 + axis] = (center + half) * side;
      finite = finite && isfinite(box[axis]) && isfinite(box[2 + axis]);
      for (size_t p = 0; p < static_cast<size_t>(points); ++p) {
        point[2 * p + axis] = place(raw, 2 + p, axis, anchor) * side;
        finite = finite && isfinite(point[2 * p + axis]);
      }
    }
    return finite;
  }
};

/// Class and score of the best logit, clipped; false where one is not finite.
static inline bool best_logit(const float* logits, int32_t classes, float clip, int32_t* best, float* score) {
  for (int32_t c = 0; c < classes; ++c) {
    float logit = logits[c];
    if (!isfinite(logit)) return false;
    if (logit > clip) logit = clip;
    if (logit < -clip) logit = -clip;
    if (c > 0 && logit <= *score) continue;
    *best = c;
    *score = logit;
  }
  return true;
}

/// float32 [1, n, 4 + 2 * points] and [1, n, classes] -> candidates in index order. The anchors lie in grids of
/// `columns` x `rows` cells, `sizes` for each cell, whose widths and heights stand one grid after the other.
static inline Status ssd_boxes(Tensor<const float> boxes, Tensor<const float> scores, Ints columns, Ints rows,
                               Ints sizes, Floats anchor_widths, Floats anchor_heights, Floats offset, Floats scale,
                               Ints input_size, int32_t points, int32_t classes, BoxOrder order, bool exponential,
                               bool sigmoid, float clip, float threshold, Arena& arena, Candidates* out) {
  int32_t count = 0;
  for (int32_t i = 0; i < columns.size; ++i) count += columns.data[i] * rows.data[i] * sizes.data[i];
  const size_t numbers = 4 + 2 * static_cast<size_t>(points);
  const size_t all = static_cast<size_t>(count);
  if (boxes.size != all * numbers || scores.size != all * static_cast<size_t>(classes)) return Status::kWrongSize;
  if (!take_candidates(count, points, arena, out)) return Status::kWorkspaceTooSmall;
  const SsdDecoder decoder{scale, input_size, points, order, exponential};
  const float* raw = boxes.data;
  const float* logits = scores.data;
  int32_t first = 0;
  for (int32_t grid = 0; grid < columns.size; first += sizes.data[grid++]) {
    const int32_t width = columns.data[grid];
    const int32_t cells = width * rows.data[grid];
    for (int32_t i = 0; i < cells * sizes.data[grid]; ++i, raw += numbers, logits += classes) {
      const size_t to = static_cast<size_t>(out->size);
      float score = 0.0F;
      if (!best_logit(logits, classes, clip, out->classes + to, &score)) return Status::kNotFinite;
      out->scores[to] = sigmoid ? exact_sigmoid(score) : score;
      if (!(out->scores[to] >= threshold)) continue;
      const int32_t cell = i / sizes.data[grid];
      const int32_t kind = first + i % sizes.data[grid];
      const SsdAnchor anchor{
          {(static_cast<float>(cell % width) + offset.data[0]) / static_cast<float>(width),
           (static_cast<float>(cell / width) + offset.data[1]) / static_cast<float>(rows.data[grid])},
          {anchor_widths.data[kind], anchor_heights.data[kind]}};
      float* box = out->boxes + 4 * to;
      if (!decoder.decode(raw, anchor, box, out->points + 2 * static_cast<size_t>(points) * to)) {
        return Status::kNotFinite;
      }
      if (box[2] >= box[0] && box[3] >= box[1]) ++out->size;
    }
  }
  return Status::kOk;
}

}  // namespace packager_contract

#endif
