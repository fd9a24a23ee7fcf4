#ifndef PACKAGER_CONTRACT_RESIZE_TENSORFLOW_HPP
#define PACKAGER_CONTRACT_RESIZE_TENSORFLOW_HPP

#include <math.h>

#include "contract_types.hpp"
#include "resize_fit.hpp"

// TensorFlow's tf.image.resize with half-pixel centres. The reference and its formulas are in the Python package
// (steps/resize). Every operation is one rounded float operation.

namespace packager_contract {

/// The part of the image that is resampled.
static inline Status tensorflow_box(const Image& in, int32_t width, int32_t height, Fit fit, Image* box) {
  const Status status = check_image(in);
  if (status != Status::kOk) return status;
  if (fit == Fit::kLetterbox) return Status::kWrongSize;
  *box = fit == Fit::kCrop ? crop_to_ratio(in, width, height) : in;
  return Status::kOk;
}

static inline float tensorflow_scale(int32_t size, int32_t out) {
  return static_cast<float>(size) / static_cast<float>(out);
}

static inline int32_t tensorflow_nearest(int32_t index, float scale, int32_t size) {
  const int32_t from = static_cast<int32_t>(floorf((static_cast<float>(index) + 0.5F) * scale));
  return from < size ? from : size - 1;
}

/// Image -> image, `method="nearest"`.
static inline Status resize_tensorflow_nearest(const Image& in, int32_t width, int32_t height, Fit fit, Arena& arena,
                                               Image* out) {
  Image box{};
  const Status status = tensorflow_box(in, width, height, fit, &box);
  if (status != Status::kOk) return status;
  uint8_t* to = take_image(width, height, in.channels, arena, out);
  int32_t* columns = arena.take<int32_t>(static_cast<size_t>(width));
  if (to == nullptr || columns == nullptr) return Status::kWorkspaceTooSmall;
  const float across = tensorflow_scale(box.width, width);
  const float down = tensorflow_scale(box.height, height);
  for (int32_t x = 0; x < width; ++x) columns[x] = tensorflow_nearest(x, across, box.width) * in.channels;
  for (int32_t y = 0; y < height; ++y) {
    const uint8_t* row = row_of(box, tensorflow_nearest(y, down, box.height));
    for (int32_t x = 0; x < width; ++x) {
      for (int32_t c = 0; c < in.channels; ++c) *to++ = row[columns[x] + c];
    }
  }
  return Status::kOk;
}

/// Two neighbours, and the upper one's share.
struct Neighbours {
  int32_t lower;
  int32_t upper;
  float share;
};

static inline Neighbours tensorflow_neighbours(int32_t index, float scale, int32_t size) {
  const float scaled = (static_cast<float>(index) + 0.5F) * scale;
  const float position = scaled - 0.5F;
  const float whole = floorf(position);
  const int32_t lower = static_cast<int32_t>(whole);
  return Neighbours{lower < 0 ? 0 : lower, lower + 1 < size ? lower + 1 : size - 1, position - whole};
}

static inline float blend(float from, float to, float share) {
  const float change = (to - from) * share;
  return from + change;
}

/// Image -> float32 [1, height, width, channels], `method="bilinear"`.
static inline Status resize_tensorflow(const Image& in, int32_t width, int32_t height, Fit fit, Arena& arena,
                                       Tensor<const float>* out) {
  Image box{};
  const Status status = tensorflow_box(in, width, height, fit, &box);
  if (status != Status::kOk) return status;
  const size_t size = static_cast<size_t>(width) * static_cast<size_t>(height) * static_cast<size_t>(in.channels);
  float* to = arena.take<float>(size);
  Neighbours* columns = arena.take<Neighbours>(static_cast<size_t>(width));
  if (to == nullptr || columns == nullptr) return Status::kWorkspaceTooSmall;
  *out = Tensor<const float>{to, size};
  const float across = tensorflow_scale(box.width, width);
  const float down = tensorflow_scale(box.height, height);
  for (int32_t x = 0; x < width; ++x) columns[x] = tensorflow_neighbours(x, across, box.width);
  for (int32_t y = 0; y < height; ++y) {
    const Neighbours rows = tensorflow_neighbours(y, down, box.height);
    const uint8_t* above = row_of(box, rows.lower);
    const uint8_t* below = row_of(box, rows.upper);
    for (int32_t x = 0; x < width; ++x) {
      const Neighbours& column = columns[x];
      for (int32_t c = 0; c < in.channels; ++c) {
        const int32_t left = column.lower * in.channels + c;
        const int32_t right = column.upper * in.channels + c;
        const float top = blend(above[left], above[right], column.share);
        const float bottom = blend(below[left], below[right], column.share);
        *to++ = blend(top, bottom, rows.share);
      }
    }
  }
  return Status::kOk;
}

/// Input indices of one output index, `count` from `start`.
struct Span {
  int32_t start;
  int32_t count;
};

/// The triangle filter along one axis.
struct Triangle {
  int32_t size;
  float inverse;  ///< input indices for one output index
  float kernel;   ///< half the triangle's base
  int32_t taps;   ///< most indices in a span
};

static inline Triangle make_triangle(int32_t size, int32_t out) {
  const float scale = static_cast<float>(out) / static_cast<float>(size);
  const float inverse = 1.0F / scale;
  const float kernel = inverse > 1.0F ? inverse : 1.0F;
  const int32_t taps = 2 * static_cast<int32_t>(ceilf(kernel)) + 1;
  return Triangle{size, inverse, kernel, taps < size ? taps : size};
}

static inline int32_t clamp_index(float position, int32_t size) {
  if (position <= 0.0F) return 0;
  const int32_t index = static_cast<int32_t>(position);
  return index < size ? index : size - 1;
}

/// Span and weights of one output index. `weights` holds `triangle.taps` values.
static inline Span make_span(const Triangle& triangle, int32_t index, float* weights) {
  const float sample = (static_cast<float>(index) + 0.5F) * triangle.inverse;
  const float first = ceilf(sample - triangle.kernel - 0.5F);
  const float last = floorf(sample + triangle.kernel - 0.5F);
  const int32_t start = clamp_index(first, triangle.size);
  const int32_t end = clamp_index(last, triangle.size) + 1;
  const int32_t count = end - start < triangle.taps ? end - start : triangle.taps;
  const float narrow = 1.0F / triangle.kernel;
  float total = 0.0F;
  for (int32_t k = 0; k < count; ++k) {
    const float distance = (static_cast<float>(start + k) + 0.5F - sample) * narrow;
    const float height = 1.0F - fabsf(distance);
    weights[k] = height > 0.0F ? height : 0.0F;
    total += weights[k];
  }
  if (fabsf(total) < 1000.0F * 1.17549435e-38F) return Span{start, count};
  const float inverse_total = 1.0F / total;
  for (int32_t k = 0; k < count; ++k) weights[k] *= inverse_total;
  return Span{start, count};
}

/// Weighted sum of the rows of a span, over the whole width.
static inline void sum_rows(const Image& box, const Span& span, const float* weights, float* sums) {
  const size_t size = static_cast<size_t>(box.width) * static_cast<size_t>(box.channels);
  for (size_t i = 0; i < size; ++i) sums[i] = 0.0F;
  for (int32_t k = 0; k < span.count; ++k) {
    const uint8_t* row = row_of(box, span.start + k);
    const float weight = weights[k];
    for (size_t i = 0; i < size; ++i) {
      const float part = static_cast<float>(row[i]) * weight;
      sums[i] += part;
    }
  }
}

/// Image -> float32 [1, height, width, channels], `method="bilinear", antialias=True`.
static inline Status resize_tensorflow_antialias(const Image& in, int32_t width, int32_t height, Fit fit, Arena& arena,
                                                 Tensor<const float>* out) {
  Image box{};
  const Status status = tensorflow_box(in, width, height, fit, &box);
  if (status != Status::kOk) return status;
  const Triangle across = make_triangle(box.width, width);
  const Triangle down = make_triangle(box.height, height);
  const size_t channels = static_cast<size_t>(in.channels);
  const size_t taps = static_cast<size_t>(across.taps);
  const size_t size = static_cast<size_t>(width) * static_cast<size_t>(height) * channels;
  float* to = arena.take<float>(size);
  Span* spans = arena.take<Span>(static_cast<size_t>(width));
  float* weights = arena.take<float>(static_cast<size_t>(width) * taps);
  float* row_weights = arena.take<float>(static_cast<size_t>(down.taps));
  float* row = arena.take<float>(static_cast<size_t>(box.width) * channels);
  if (to == nullptr || spans == nullptr || weights == nullptr || row_weights == nullptr || row == nullptr) {
    return Status::kWorkspaceTooSmall;
  }
  *out = Tensor<const float>{to, size};
  for (int32_t x = 0; x < width; ++x) spans[x] = make_span(across, x, weights + static_cast<size_t>(x) * taps);
  for (int32_t y = 0; y < height; ++y) {
    const Span rows = make_span(down, y, row_weights);
    sum_rows(box, rows, row_weights, row);
    for (int32_t x = 0; x < width; ++x) {
      const Span& span = spans[x];
      const float* span_weights = weights + static_cast<size_t>(x) * taps;
      for (size_t c = 0; c < channels; ++c) {
        const float* value = row + static_cast<size_t>(span.start) * channels + c;
        float sum = 0.0F;
        for (int32_t k = 0; k < span.count; ++k, value += channels) {
          const float part = *value * span_weights[k];
          sum += part;
        }
        *to++ = sum;
      }
    }
  }
  return Status::kOk;
}

}  // namespace packager_contract

#endif
