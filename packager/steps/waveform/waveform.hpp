#ifndef PACKAGER_CONTRACT_WAVEFORM_HPP
#define PACKAGER_CONTRACT_WAVEFORM_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// Audio -> float32 [1, samples] in [-1, 1): the channels' mean, cut or padded with zeros at the end.
static inline Status waveform(const Audio& in, int32_t samples, Arena& arena, Tensor<const float>* out) {
  if (in.channels < 1 || in.channels > 16) return Status::kWrongSize;
  float* values = arena.take<float>(static_cast<size_t>(samples));
  if (values == nullptr) return Status::kWorkspaceTooSmall;
  const float full = static_cast<float>(32768 * in.channels);
  const int16_t* from = in.data;
  for (int32_t i = 0; i < samples; ++i) {
    if (i >= in.frames) {
      values[i] = 0.0f;
      continue;
    }
    int32_t sum = 0;
    for (int32_t c = 0; c < in.channels; ++c) sum += *from++;
    values[i] = static_cast<float>(sum) / full;
  }
  *out = Tensor<const float>{values, static_cast<size_t>(samples)};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
