#ifndef PACKAGER_CONTRACT_SCALE_HPP
#define PACKAGER_CONTRACT_SCALE_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// x * factor + offset, each operation rounded; as many factors and offsets, in turn: 1, or one for each channel.
static inline Status scale(Tensor<const float> in, Floats factors, Floats offsets, Arena& arena,
                           Tensor<const float>* out) {
  float* values = arena.take<float>(in.size);
  if (values == nullptr) return Status::kWorkspaceTooSmall;
  int32_t channel = 0;
  for (size_t i = 0; i < in.size; ++i) {
    const float product = in.data[i] * factors.data[channel];
    values[i] = product + offsets.data[channel];
    if (++channel == factors.size) channel = 0;
  }
  *out = Tensor<const float>{values, in.size};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
