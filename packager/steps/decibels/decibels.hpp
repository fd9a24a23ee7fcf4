#ifndef PACKAGER_CONTRACT_DECIBELS_HPP
#define PACKAGER_CONTRACT_DECIBELS_HPP

#include <math.h>

#include "contract_types.hpp"

namespace packager_contract {

/// Power that is 0 dB.
enum class DecibelReference : int32_t { kOne, kMax };

/// float32 power -> decibels in float64, rounded once; values more than `range` below the largest are raised to it
/// (0: none).
static inline Status decibels(Tensor<const float> in, DecibelReference reference, float floor, float range,
                              Arena& arena, Tensor<const float>* out) {
  float* values = arena.take<float>(in.size);
  if (values == nullptr) return Status::kWorkspaceTooSmall;
  const double least = static_cast<double>(floor);
  double largest = least;
  for (size_t i = 0; i < in.size; ++i) {
    if (static_cast<double>(in.data[i]) > largest) largest = static_cast<double>(in.data[i]);
  }
  const double one = least > 1.0 ? least : 1.0;
  const double zero = 10.0 * log10(reference == DecibelReference::kMax ? largest : one);
  const double lowest = 10.0 * log10(largest) - zero - static_cast<double>(range);
  for (size_t i = 0; i < in.size; ++i) {
    const double power = static_cast<double>(in.data[i]);
    const double level = 10.0 * log10(power < least ? least : power) - zero;
    values[i] = static_cast<float>(range > 0.0f && level < lowest ? lowest : level);
  }
  *out = Tensor<const float>{values, in.size};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
