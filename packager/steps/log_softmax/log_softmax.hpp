#ifndef PACKAGER_CONTRACT_LOG_SOFTMAX_HPP
#define PACKAGER_CONTRACT_LOG_SOFTMAX_HPP

#include <math.h>

#include "contract_types.hpp"
#include "softmax.hpp"

namespace packager_contract {

/// float32 [..., classes] -> the same shape: (x - max) - log(sum of exp(x - max)) in float64, rounded once. A row with
/// NaN or infinity becomes NaN.
static inline Status log_softmax(Tensor<const float> in, int32_t classes, Arena& arena, Tensor<const float>* out) {
  if (classes < 1 || in.size % static_cast<size_t>(classes) != 0) return Status::kWrongSize;
  float* values = arena.take<float>(in.size);
  if (values == nullptr) return Status::kWorkspaceTooSmall;
  const size_t count = static_cast<size_t>(classes);
  for (size_t start = 0; start < in.size; start += count) {
    const float* row = in.data + start;
    const double best = static_cast<double>(finite_maximum(row, count));
    double sum = 0.0;
    for (size_t i = 0; i < count; ++i) sum += exp(static_cast<double>(row[i]) - best);
    const double logarithm = log(sum);
    for (size_t i = 0; i < count; ++i) {
      values[start + i] = static_cast<float>((static_cast<double>(row[i]) - best) - logarithm);
    }
  }
  *out = Tensor<const float>{values, in.size};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
