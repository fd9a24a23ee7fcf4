#ifndef PACKAGER_CONTRACT_DEQUANTIZE_HPP
#define PACKAGER_CONTRACT_DEQUANTIZE_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// int8 tensor -> float32 tensor of the same shape: (q - zero_point) * scale.
static inline Status dequantize(Tensor<const int8_t> in, float scale, int32_t zero_point, Arena& arena,
                                Tensor<const float>* out) {
  float* values = arena.take<float>(in.size);
  if (values == nullptr) return Status::kWorkspaceTooSmall;
  for (size_t i = 0; i < in.size; ++i) values[i] = static_cast<float>(in.data[i] - zero_point) * scale;
  *out = Tensor<const float>{values, in.size};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
