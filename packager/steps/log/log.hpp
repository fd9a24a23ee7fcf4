#ifndef PACKAGER_CONTRACT_LOG_HPP
#define PACKAGER_CONTRACT_LOG_HPP

#include <math.h>

#include "contract_types.hpp"

namespace packager_contract {

/// Base of a logarithm.
enum class LogBase : int32_t { kE, kTen };

/// float32 -> log(max(x, floor) + offset) in float64, rounded once.
static inline Status log_spectrum(Tensor<const float> in, float floor, float offset, LogBase base, Arena& arena,
                                  Tensor<const float>* out) {
  float* values = arena.take<float>(in.size);
  if (values == nullptr) return Status::kWorkspaceTooSmall;
  for (size_t i = 0; i < in.size; ++i) {
    const double x = static_cast<double>(in.data[i] < floor ? floor : in.data[i]) + static_cast<double>(offset);
    values[i] = static_cast<float>(base == LogBase::kE ? log(x) : log10(x));
  }
  *out = Tensor<const float>{values, in.size};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
