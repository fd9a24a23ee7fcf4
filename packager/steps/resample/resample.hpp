#ifndef PACKAGER_CONTRACT_RESAMPLE_HPP
#define PACKAGER_CONTRACT_RESAMPLE_HPP

#include <math.h>

#include "contract_types.hpp"

namespace packager_contract {

/// Modified Bessel function of the first kind, order 0, by its power series.
static inline double bessel_i0(double x) {
  const double quarter = x * x / 4.0;
  double term = 1.0;
  double sum = 1.0;
  for (int32_t k = 1; term > sum * 1e-17; ++k) {
    term *= quarter / (static_cast<double>(k) * static_cast<double>(k));
    sum += term;
  }
  return sum;
}

/// Taps 0 to `half` of a low-pass filter from its middle outwards: `gain` times a sinc of cut-off 10 / half in a Kaiser
/// window of beta 5, of sum 1.
static inline void low_pass(int32_t half, double gain, double* taps) {
  const double pi = 3.14159265358979323846;
  const double cut = 10.0 / static_cast<double>(half);
  double sum = 0.0;
  for (int32_t i = 0; i <= half; ++i) {
    const double place = static_cast<double>(i) / static_cast<double>(half);
    const double angle = pi * cut * static_cast<double>(i);
    const double sinc = i == 0 ? cut : cut * sin(angle) / angle;
    taps[i] = sinc * bessel_i0(5.0 * sqrt(1.0 - place * place)) / bessel_i0(5.0);
    sum += i == 0 ? taps[i] : 2.0 * taps[i];
  }
  for (int32_t i = 0; i <= half; ++i) taps[i] *= gain / sum;
}

/// float32 [1, n] -> [1, ceil(n * up / down)]: another sampling rate through a polyphase filter, in float64.
static inline Status resample_polyphase(Tensor<const float> in, int32_t up, int32_t down, Arena& arena,
                              Tensor<const float>* out) {
  const int64_t count = static_cast<int64_t>(in.size);
  const int64_t length = (count * up + down - 1) / down;
  const int32_t half = 10 * (up > down ? up : down);
  float* values = arena.take<float>(static_cast<size_t>(length));
  double* taps = arena.take<double>(static_cast<size_t>(half) + 1);
  if (values == nullptr || taps == nullptr) return Status::kWorkspaceTooSmall;
  low_pass(half, static_cast<double>(up), taps);
  for (int64_t i = 0; i < length; ++i) {
    const int64_t middle = i * down;
    int64_t k = middle <= half ? 0 : (middle - half + up - 1) / up;
    double sum = 0.0;
    for (; k < count && k * up <= middle + half; ++k) {
      const int64_t away = middle - k * up;
      sum += static_cast<double>(in.data[k]) * taps[away < 0 ? -away : away];
    }
    values[i] = static_cast<float>(sum);
  }
  *out = Tensor<const float>{values, static_cast<size_t>(length)};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
