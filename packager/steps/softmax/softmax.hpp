#ifndef PACKAGER_CONTRACT_SOFTMAX_HPP
#define PACKAGER_CONTRACT_SOFTMAX_HPP

#include <math.h>

#include "contract_types.hpp"

namespace packager_contract {

/// Largest value of a row, or NaN where a value is not finite.
static inline float finite_maximum(const float* row, size_t count) {
  float best = row[0];
  for (size_t i = 0; i < count; ++i) {
    if (!isfinite(row[i])) return NAN;
    if (row[i] > best) best = row[i];
  }
  return best;
}

/// float32 [..., classes] -> the same shape: exp(x - max) / sum in float64, rounded once. A row with NaN or
/// infinity becomes NaN.
static inline Status softmax(Tensor<const float> in, int32_t classes, Arena& arena, Tensor<const float>* out) {
  if (classes < 1 || in.size % static_cast<size_t>(classes) != 0) return Status::kWrongSize;
  float* values = arena.take<float>(in.size);
  if (values == nullptr) return Status::kWorkspaceTooSmall;
  const size_t count = static_cast<size_t>(classes);
  for (size_t start = 0; start < in.size; start += count) {
    const float* row = in.data + start;
    const double best = static_cast<double>(finite_maximum(row, count));
    double sum = 0.0;
    for (size_t i = 0; i < count; ++i) sum += exp(static_cast<double>(row[i]) - best);
    for (size_t i = 0; i < count; ++i) {
      values[start + i] = static_cast<float>(exp(static_cast<double>(row[i]) - best) / sum);
    }
  }
  *out = Tensor<const float>{values, in.size};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
