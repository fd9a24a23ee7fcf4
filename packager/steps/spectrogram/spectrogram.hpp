#ifndef PACKAGER_CONTRACT_SPECTROGRAM_HPP
#define PACKAGER_CONTRACT_SPECTROGRAM_HPP

#include <math.h>

#include "contract_types.hpp"

namespace packager_contract {

/// A complex number.
struct Complex {
  double real;
  double imaginary;
};

static inline Complex product(const Complex& a, const Complex& b) {
  return Complex{a.real * b.real - a.imaginary * b.imaginary, a.real * b.imaginary + a.imaginary * b.real};
}

/// Smallest of the factors 2, 3 and 5; `n` itself where it has none.
static inline int32_t smallest_factor(int32_t n) {
  return n % 2 == 0 ? 2 : n % 3 == 0 ? 3 : n % 5 == 0 ? 5 : n;
}

/// Joins `radix` transforms of `part` values that lie one after the other in `out` to one.
static inline void butterflies(Complex* out, int32_t radix, int32_t part, int32_t step, int32_t length,
                               const Complex* twiddles) {
  if (radix == 2) {
    for (int32_t u = 0; u < part; ++u) {
      const Complex odd = product(out[u + part], twiddles[u * step]);
      out[u + part] = Complex{out[u].real - odd.real, out[u].imaginary - odd.imaginary};
      out[u] = Complex{out[u].real + odd.real, out[u].imaginary + odd.imaginary};
    }
    return;
  }
  Complex held[5];
  for (int32_t u = 0; u < part; ++u) {
    for (int32_t q = 0; q < radix; ++q) held[q] = out[u + q * part];
    for (int32_t r = 0; r < radix; ++r) {
      const int32_t k = u + r * part;
      Complex sum = held[0];
      int32_t turn = 0;
      for (int32_t q = 1; q < radix; ++q) {
        turn = (turn + step * k) % length;
        const Complex part_of = product(held[q], twiddles[turn]);
        sum = Complex{sum.real + part_of.real, sum.imaginary + part_of.imaginary};
      }
      out[k] = sum;
    }
  }
}

/// Discrete Fourier transform of `count` real values `step` apart, by decimation in time; factors 2, 3 and 5.
/// `twiddles` holds exp(-2 pi i k / length) of the whole transform's length.
static inline void transform(const double* in, int32_t count, int32_t step, int32_t length, const Complex* twiddles,
                             Complex* out) {
  if (count == 1) {
    *out = Complex{*in, 0.0};
    return;
  }
  const int32_t radix = smallest_factor(count);
  const int32_t part = count / radix;
  for (int32_t q = 0; q < radix; ++q) {
    transform(in + static_cast<ptrdiff_t>(q) * step, part, step * radix, length, twiddles, out + q * part);
  }
  butterflies(out, radix, part, step, length, twiddles);
}

/// float32 [1, n] -> [1, frames, fft / 2 + 1]: magnitude (`power` 1) or power (2) of frames under a periodic Hann window.
/// The first frame starts at sample `first`; zeros lie around the signal. In float64, rounded once.
static inline Status spectrogram(Tensor<const float> in, int32_t frame, int32_t hop, int32_t fft, int32_t first,
                                 int32_t frames, int32_t power, Arena& arena, Tensor<const float>* out) {
  const int32_t bins = fft / 2 + 1;
  const size_t size = static_cast<size_t>(frames) * static_cast<size_t>(bins);
  float* values = arena.take<float>(size);
  double* window = arena.take<double>(static_cast<size_t>(frame));
  double* samples = arena.take<double>(static_cast<size_t>(fft));
  Complex* twiddles = arena.take<Complex>(static_cast<size_t>(fft));
  Complex* spectrum = arena.take<Complex>(static_cast<size_t>(fft));
  if (values == nullptr || window == nullptr || samples == nullptr || twiddles == nullptr || spectrum == nullptr) {
    return Status::kWorkspaceTooSmall;
  }
  const double turn = 2.0 * 3.14159265358979323846;
  for (int32_t i = 0; i < frame; ++i) window[i] = 0.5 - 0.5 * cos(turn * i / frame);
  for (int32_t i = 0; i < fft; ++i) twiddles[i] = Complex{cos(turn * i / fft), -sin(turn * i / fft)};
  for (int32_t i = frame; i < fft; ++i) samples[i] = 0.0;
  const int64_t count = static_cast<int64_t>(in.size);
  float* to = values;
  for (int32_t t = 0; t < frames; ++t) {
    const int64_t start = first + static_cast<int64_t>(t) * hop;
    for (int32_t i = 0; i < frame; ++i) {
      const int64_t at = start + i;
      samples[i] = at < 0 || at >= count ? 0.0 : static_cast<double>(in.data[at]) * window[i];
    }
    transform(samples, fft, 1, fft, twiddles, spectrum);
    for (int32_t k = 0; k < bins; ++k) {
      const double both = spectrum[k].real * spectrum[k].real + spectrum[k].imaginary * spectrum[k].imaginary;
      *to++ = static_cast<float>(power == 2 ? both : sqrt(both));
    }
  }
  *out = Tensor<const float>{values, size};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
