#ifndef PACKAGER_CONTRACT_SIGMOID_HPP
#define PACKAGER_CONTRACT_SIGMOID_HPP

#include <math.h>

#include "contract_types.hpp"

namespace packager_contract {

/// float32 tensor -> the same shape: with e = exp(-|x|) in float64, 1 / (1 + e) or e / (1 + e), rounded once.
static inline Status sigmoid(Tensor<const float> in, Arena& arena, Tensor<const float>* out) {
  float* values = arena.take<float>(in.size);
  if (values == nullptr) return Status::kWorkspaceTooSmall;
  for (size_t i = 0; i < in.size; ++i) {
    const double x = static_cast<double>(in.data[i]);
    const double small = exp(-fabs(x));
    values[i] = static_cast<float>((x >= 0.0 ? 1.0 : small) / (1.0 + small));
  }
  *out = Tensor<const float>{values, in.size};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
