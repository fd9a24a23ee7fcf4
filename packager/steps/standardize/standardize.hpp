#ifndef PACKAGER_CONTRACT_STANDARDIZE_HPP
#define PACKAGER_CONTRACT_STANDARDIZE_HPP

#include <math.h>

#include "contract_types.hpp"

namespace packager_contract {

/// What keeps a flat image from a division by zero.
enum class SpreadGuard : int32_t { kTensorflow, kKeras };

/// max(std, 1 / sqrt(n)), or std + 1e-6.
static inline double spread_divisor(SpreadGuard guard, double variance, size_t size) {
  const double spread = sqrt(variance);
  if (guard == SpreadGuard::kKeras) return spread + 1e-6;
  const double least = 1.0 / sqrt(static_cast<double>(size));
  return spread > least ? spread : least;
}

/// Image -> float32 [1, height, width, channels]: minus the mean of all values, over their spread.
static inline Status standardize(const Image& in, SpreadGuard guard, Arena& arena, Tensor<const float>* out) {
  const Status status = check_image(in);
  if (status != Status::kOk) return status;
  const size_t row = static_cast<size_t>(in.width) * static_cast<size_t>(in.channels);
  const size_t size = row * static_cast<size_t>(in.height);
  float* values = arena.take<float>(size);
  uint32_t* count = arena.take<uint32_t>(256);
  if (values == nullptr || count == nullptr) return Status::kWorkspaceTooSmall;
  for (int32_t v = 0; v < 256; ++v) count[v] = 0;
  for (int32_t y = 0; y < in.height; ++y) {
    const uint8_t* from = row_of(in, y);
    for (size_t i = 0; i < row; ++i) ++count[from[i]];
  }
  uint64_t sum = 0;
  for (uint32_t v = 0; v < 256; ++v) sum += static_cast<uint64_t>(count[v]) * v;
  const double mean = static_cast<double>(sum) / static_cast<double>(size);
  double squares = 0.0;
  for (int32_t v = 0; v < 256; ++v) {
    const double off = v - mean;
    const double part = count[v] * (off * off);
    squares += part;
  }
  const double divisor = spread_divisor(guard, squares / static_cast<double>(size), size);
  // The counts are done with; their memory becomes the table.
  float* table = reinterpret_cast<float*>(count);
  for (int32_t v = 0; v < 256; ++v) table[v] = static_cast<float>((v - mean) / divisor);
  float* to = values;
  for (int32_t y = 0; y < in.height; ++y) {
    const uint8_t* from = row_of(in, y);
    for (size_t i = 0; i < row; ++i) *to++ = table[from[i]];
  }
  *out = Tensor<const float>{values, size};
  return Status::kOk;
}

/// float32 tensor -> the same shape: minus the mean of each channel's values (1 channel: of all), over their spread.
static inline Status standardize_floats(Tensor<const float> in, SpreadGuard guard, int32_t channels, Arena& arena,
                                        Tensor<const float>* out) {
  const size_t step = static_cast<size_t>(channels);
  if (in.size == 0 || in.size % step != 0) return Status::kWrongSize;
  float* values = arena.take<float>(in.size);
  if (values == nullptr) return Status::kWorkspaceTooSmall;
  const size_t count = in.size / step;
  for (size_t c = 0; c < step; ++c) {
    double sum = 0.0;
    for (size_t i = c; i < in.size; i += step) sum += static_cast<double>(in.data[i]);
    const double mean = sum / static_cast<double>(count);
    double squares = 0.0;
    for (size_t i = c; i < in.size; i += step) {
      const double off = static_cast<double>(in.data[i]) - mean;
      const double part = off * off;
      squares += part;
    }
    const double divisor = spread_divisor(guard, squares / static_cast<double>(count), count);
    for (size_t i = c; i < in.size; i += step) {
      values[i] = static_cast<float>((static_cast<double>(in.data[i]) - mean) / divisor);
    }
  }
  *out = Tensor<const float>{values, in.size};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
