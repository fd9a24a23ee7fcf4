#ifndef PACKAGER_CONTRACT_QUANTIZE_HPP
#define PACKAGER_CONTRACT_QUANTIZE_HPP

#include <math.h>

#include "contract_types.hpp"

namespace packager_contract {

/// clamp(round_half_away(x / scale) + zero_point, -128, 127); NaN gives the zero point.
static inline int8_t quantize_value(float x, float scale, int32_t zero_point) {
  const float quotient = x / scale;
  if (isnan(quotient)) return static_cast<int8_t>(zero_point);
  float whole = truncf(quotient);
  if (fabsf(quotient - whole) >= 0.5F) whole += quotient < 0.0F ? -1.0F : 1.0F;
  const float moved = whole + static_cast<float>(zero_point);
  if (moved <= -128.0F) return -128;
  if (moved >= 127.0F) return 127;
  return static_cast<int8_t>(moved);
}

/// float32 tensor -> int8 tensor of the same shape.
static inline Status quantize(Tensor<const float> in, float scale, int32_t zero_point, Arena& arena,
                              Tensor<const int8_t>* out) {
  int8_t* values = arena.take<int8_t>(in.size);
  if (values == nullptr) return Status::kWorkspaceTooSmall;
  for (size_t i = 0; i < in.size; ++i) values[i] = quantize_value(in.data[i], scale, zero_point);
  *out = Tensor<const int8_t>{values, in.size};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
