#ifndef PACKAGER_CONTRACT_RECONSTRUCTION_ERROR_HPP
#define PACKAGER_CONTRACT_RECONSTRUCTION_ERROR_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// Mean of squared differences, or of their magnitudes.
enum class ErrorMetric : int32_t { kMse, kMae };

/// A reconstruction and what was given -> their mean error: float64 in index order, rounded once.
static inline Status reconstruction_error(Tensor<const float> in, Tensor<const float> given, ErrorMetric metric,
                                          Arena& arena, Tensor<const float>* out) {
  if (in.size == 0 || in.size != given.size) return Status::kWrongSize;
  float* value = arena.take<float>(1);
  if (value == nullptr) return Status::kWorkspaceTooSmall;
  double sum = 0.0;
  for (size_t i = 0; i < in.size; ++i) {
    const double difference = static_cast<double>(in.data[i]) - static_cast<double>(given.data[i]);
    const double square = difference * difference;
    const double magnitude = difference < 0.0 ? -difference : difference;
    sum += metric == ErrorMetric::kMse ? square : magnitude;
  }
  *value = static_cast<float>(sum / static_cast<double>(in.size));
  *out = Tensor<const float>{value, 1};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
