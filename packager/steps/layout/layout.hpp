#ifndef PACKAGER_CONTRACT_LAYOUT_HPP
#define PACKAGER_CONTRACT_LAYOUT_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// float32 [1, height, width, channels] -> [1, channels, height, width]; `pixels` is height * width.
static inline Status layout_nchw(Tensor<const float> in, int32_t pixels, int32_t channels, Arena& arena,
                                 Tensor<const float>* out) {
  const size_t count = static_cast<size_t>(pixels);
  const size_t step = static_cast<size_t>(channels);
  if (in.size != count * step) return Status::kWrongSize;
  float* values = arena.take<float>(in.size);
  if (values == nullptr) return Status::kWorkspaceTooSmall;
  for (size_t c = 0; c < step; ++c) {
    for (size_t i = 0; i < count; ++i) values[c * count + i] = in.data[i * step + c];
  }
  *out = Tensor<const float>{values, in.size};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
