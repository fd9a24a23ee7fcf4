#ifndef PACKAGER_CONTRACT_SPECTROGRAM_HPP
#define PACKAGER_CONTRACT_SPECTROGRAM_HPP

#include <math.h>

#include "contract_types.hpp"

namespace packager_contract {

/// One number of each of two frames that are transformed side by side; neither has an influence on the other.
#if defined(__GNUC__)
typedef double Lanes __attribute__((vector_size(16)));
#else
struct Lanes {
  double first;
  double second;
  double operator[](int32_t l) const { return l == 0 ? first : second; }
};
static inline Lanes operator+(const Lanes& a, const Lanes& b) { return Lanes{a.first + b.first, a.second + b.second}; }
static inline Lanes operator-(const Lanes& a, const Lanes& b) { return Lanes{a.first - b.first, a.second - b.second}; }
static inline Lanes operator*(const Lanes& a, const Lanes& b) { return Lanes{a.first * b.first, a.second * b.second}; }
#endif

static inline Lanes both(double x) { return Lanes{x, x}; }

/// Complex numbers of both frames.
struct Spectrum {
  Lanes real;
  Lanes imaginary;
};

static inline Spectrum operator+(const Spectrum& a, const Spectrum& b) {
  return Spectrum{a.real + b.real, a.imaginary + b.imaginary};
}

static inline Spectrum operator-(const Spectrum& a, const Spectrum& b) {
  return Spectrum{a.real - b.real, a.imaginary - b.imaginary};
}

/// A complex number.
struct Complex {
  double real;
  double imaginary;
};

static inline Spectrum operator*(const Spectrum& a, const Complex& b) {
  const Lanes real = both(b.real), imaginary = both(b.imaginary);
  return Spectrum{a.real * real - a.imaginary * imaginary, a.real * imaginary + a.imaginary * real};
}

/// -i a
static inline Spectrum turned(const Spectrum& a) { return Spectrum{a.imaginary, both(0.0) - a.real}; }

/// exp(-2 pi i k / length) for each k below `length`.
static inline void fill_roots(Complex* roots, int32_t length) {
  for (int32_t k = 0; k <= length / 2; ++k) {
    const double angle = 2.0 * 3.14159265358979323846 * k / length;
    const double cosine = cos(angle), sine = sin(angle);
    roots[(length - k) % length] = Complex{cosine, sine};
    roots[k] = Complex{cosine, -sine};
  }
}

/// One pass of a transform: `parts` groups of `width` butterflies; `turn` is the step through the `length` roots.
struct Pass {
  int32_t parts;
  int32_t width;
  int32_t turn;
  const Complex* roots;
  int32_t length;
};

static inline void pass_of_two(const Pass& pass, const Spectrum* from, Spectrum* to) {
  const int32_t width = pass.width, apart = pass.parts * width;
  for (int32_t p = 0; p < pass.parts; ++p, from += width, to += 2 * width) {
    const Complex root = pass.roots[p * pass.turn];
    for (int32_t q = 0; q < width; ++q) {
      const Spectrum a = from[q], b = from[q + apart];
      to[q] = a + b;
      to[q + width] = (a - b) * root;
    }
  }
}

/// The last pass has nothing to turn: its roots are all 1.
template <bool kLast>
static inline void pass_of_four(const Pass& pass, const Spectrum* from, Spectrum* to) {
  const int32_t width = pass.width, apart = pass.parts * width;
  for (int32_t p = 0; p < pass.parts; ++p, from += width, to += 4 * width) {
    const int32_t turn = p * pass.turn;
    const Complex one = pass.roots[turn], two = pass.roots[2 * turn], three = pass.roots[3 * turn];
    for (int32_t q = 0; q < width; ++q) {
      const Spectrum a = from[q], b = from[q + apart], c = from[q + 2 * apart], d = from[q + 3 * apart];
      const Spectrum even = a + c, odd = a - c, sum = b + d, difference = turned(b - d);
      to[q] = even + sum;
      to[q + width] = kLast ? odd + difference : (odd + difference) * one;
      to[q + 2 * width] = kLast ? even - sum : (even - sum) * two;
      to[q + 3 * width] = kLast ? odd - difference : (odd - difference) * three;
    }
  }
}

/// Any radix, by the definition.
static inline void pass_of(int32_t radix, const Pass& pass, const Spectrum* from, Spectrum* to) {
  const int32_t width = pass.width, apart = pass.parts * width, step = pass.length / radix;
  for (int32_t p = 0; p < pass.parts; ++p, from += width, to += radix * width) {
    for (int32_t k = 0; k < radix; ++k) {
      for (int32_t q = 0; q < width; ++q) {
        Spectrum sum = from[q];
        for (int32_t j = 1; j < radix; ++j) sum = sum + from[q + j * apart] * pass.roots[j * k % radix * step];
        to[q + k * width] = sum * pass.roots[p * k * pass.turn];
      }
    }
  }
}

/// Discrete Fourier transform of `count` complex values, factors 2, 3 and 5, by Stockham's passes from `data` to `other`
/// and back; `length` roots, a multiple of `count`. Returns where the result lies.
static inline Spectrum* transform(Spectrum* data, Spectrum* other, int32_t count, const Complex* roots, int32_t length) {
  int32_t width = 1;
  for (int32_t left = count; left > 1;) {
    const int32_t radix = left % 4 == 0 ? 4 : left % 2 == 0 ? 2 : left % 3 == 0 ? 3 : 5;
    const Pass pass{left / radix, width, length / left, roots, length};
    if (left == 4) {
      pass_of_four<true>(pass, data, other);
    } else if (radix == 4) {
      pass_of_four<false>(pass, data, other);
    } else if (radix == 2) {
      pass_of_two(pass, data, other);
    } else {
      pass_of(radix, pass, data, other);
    }
    Spectrum* const done = other;
    other = data;
    data = done;
    left /= radix;
    width *= radix;
  }
  return data;
}

/// Windowed frames, the first at sample `start`: even samples as real, odd ones as imaginary parts; zeros around.
/// `window` has a zero after its `frame` numbers.
static inline void take_frames(Tensor<const float> in, const double* window, int32_t frame, int64_t start, int32_t hop,
                               int32_t half, Spectrum* to) {
  const int64_t count = static_cast<int64_t>(in.size);
  const int32_t pairs = (frame + 1) / 2;
  if (start >= 0 && start + hop + 2 * pairs <= count) {
    const float* a = in.data + start;
    const float* b = a + hop;
    for (int32_t i = 0; i < 2 * pairs; i += 2) {
      const Lanes even{static_cast<double>(a[i]), static_cast<double>(b[i])};
      const Lanes odd{static_cast<double>(a[i + 1]), static_cast<double>(b[i + 1])};
      to[i / 2] = Spectrum{even * both(window[i]), odd * both(window[i + 1])};
    }
  } else {
    const auto sample = [&](int64_t at) { return at < 0 || at >= count ? 0.0 : static_cast<double>(in.data[at]); };
    for (int32_t i = 0; i < 2 * pairs; i += 2) {
      const int64_t a = start + i, b = a + hop;
      const Lanes even{sample(a), sample(b)}, odd{sample(a + 1), sample(b + 1)};
      to[i / 2] = Spectrum{even * both(window[i]), odd * both(window[i + 1])};
    }
  }
  for (int32_t i = pairs; i < half; ++i) to[i] = Spectrum{both(0.0), both(0.0)};
}

/// From the transform of the even samples, with the odd ones as imaginary parts, to the bins of each frame: `half` + 1
/// magnitudes or powers in a row, for the first `lanes` frames.
static inline void write_bins(const Spectrum* from, int32_t half, const Complex* roots, int32_t power, int32_t lanes,
                              float* rows) {
  const Lanes halves = both(0.5);
  for (int32_t k = 0; k <= half / 2; ++k) {
    const Spectrum a = from[k], b = from[(half - k) % half];
    const Spectrum even{(a.real + b.real) * halves, (a.imaginary - b.imaginary) * halves};
    const Spectrum odd{(a.imaginary + b.imaginary) * halves, (b.real - a.real) * halves};
    const Spectrum tail = odd * roots[k], low = even + tail, high = even - tail;
    const Lanes lows = low.real * low.real + low.imaginary * low.imaginary;
    const Lanes highs = high.real * high.real + high.imaginary * high.imaginary;
    for (int32_t l = 0; l < lanes; ++l) {
      float* row = rows + static_cast<ptrdiff_t>(l) * (half + 1);
      row[k] = static_cast<float>(power == 2 ? lows[l] : sqrt(lows[l]));
      row[half - k] = static_cast<float>(power == 2 ? highs[l] : sqrt(highs[l]));
    }
  }
}

/// float32 [1, n] -> [1, frames, fft / 2 + 1]: magnitude (`power` 1) or power (2) of frames under a periodic Hann window.
/// The first frame starts at sample `first`; zeros lie around the signal. In float64, rounded once.
static inline Status spectrogram(Tensor<const float> in, int32_t frame, int32_t hop, int32_t fft, int32_t first,
                                 int32_t frames, int32_t power, Arena& arena, Tensor<const float>* out) {
  const int32_t half = fft / 2, bins = half + 1;
  const size_t size = static_cast<size_t>(frames) * static_cast<size_t>(bins);
  float* values = arena.take<float>(size);
  double* window = arena.take<double>(static_cast<size_t>(frame) + 1);
  Complex* roots = arena.take<Complex>(static_cast<size_t>(fft));
  Spectrum* data = arena.take<Spectrum>(static_cast<size_t>(half));
  Spectrum* other = arena.take<Spectrum>(static_cast<size_t>(half));
  if (values == nullptr || window == nullptr || roots == nullptr || data == nullptr || other == nullptr) {
    return Status::kWorkspaceTooSmall;
  }
  fill_roots(roots, fft);
  for (int32_t i = 0; i <= frame / 2; ++i) {
    window[i] = window[frame - i] = 0.5 - 0.5 * cos(2.0 * 3.14159265358979323846 * i / frame);
  }
  for (int32_t t = 0; t < frames; t += 2) {
    take_frames(in, window, frame, first + static_cast<int64_t>(t) * hop, hop, half, data);
    const Spectrum* found = transform(data, other, half, roots, fft);
    write_bins(found, half, roots, power, frames - t < 2 ? frames - t : 2,
               values + static_cast<ptrdiff_t>(t) * bins);
  }
  *out = Tensor<const float>{values, size};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
