#ifndef PACKAGER_CONTRACT_MFCC_HPP
#define PACKAGER_CONTRACT_MFCC_HPP

#include <math.h>

#include "contract_types.hpp"

namespace packager_contract {

/// How the first coefficient is scaled.
enum class CepstralScaling : int32_t { kAlike, kOrthonormal };

/// float32 [frames, columns] -> [frames, count]: the first coefficients of each row's DCT-II, in float64, rounded once.
static inline Status mfcc(Tensor<const float> in, int32_t columns, int32_t count, CepstralScaling scaling, Arena& arena,
                          Tensor<const float>* out) {
  const size_t width = static_cast<size_t>(columns);
  const size_t kept = static_cast<size_t>(count);
  if (columns < 1 || in.size % width != 0) return Status::kWrongSize;
  const size_t frames = in.size / width;
  float* values = arena.take<float>(frames * kept);
  double* matrix = arena.take<double>(width * kept);
  if (values == nullptr || matrix == nullptr) return Status::kWorkspaceTooSmall;
  const double pi = 3.14159265358979323846;
  for (size_t k = 0; k < kept; ++k) {
    const bool first = k == 0 && scaling == CepstralScaling::kOrthonormal;
    const double scale = sqrt((first ? 1.0 : 2.0) / columns);
    for (size_t i = 0; i < width; ++i) {
      const double angle = pi * static_cast<double>(k * (2 * i + 1)) / (2.0 * columns);
      matrix[k * width + i] = scale * cos(angle);
    }
  }
  for (size_t t = 0; t < frames; ++t) {
    for (size_t k = 0; k < kept; ++k) {
      double sum = 0.0;
      for (size_t i = 0; i < width; ++i) sum += static_cast<double>(in.data[t * width + i]) * matrix[k * width + i];
      values[t * kept + k] = static_cast<float>(sum);
    }
  }
  *out = Tensor<const float>{values, frames * kept};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
