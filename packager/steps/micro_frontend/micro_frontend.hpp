#ifndef PACKAGER_CONTRACT_MICRO_FRONTEND_HPP
#define PACKAGER_CONTRACT_MICRO_FRONTEND_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// Which frames of longer audio are kept.
enum class FramePlace : int32_t { kFirst, kLast };

/// Number of bits of a value.
static inline int32_t bits_of(uint64_t value) {
  int32_t count = 0;
  for (int32_t step = 32; step > 0; step /= 2) {
    if ((value >> step) != 0) {
      value >>= step;
      count += step;
    }
  }
  return count + (value != 0 ? 1 : 0);
}

/// The low 16 bits with their sign.
static inline int32_t wrap16(int32_t value) { return static_cast<int16_t>(value); }

/// (value * factor + 2^14) / 2^15: a product with 15 fraction bits, rounded.
static inline int32_t scale15(int32_t value, int32_t factor) { return (value * factor + (1 << 14)) >> 15; }

/// The micro frontend of TensorFlow Lite Micro, a stream of frames: each one goes on with the noise of those before.
class MicroFrontend {
 public:
  Ints window;     ///< Hann, 12 bits
  Ints cosines;    ///< cos(2 pi k / fft), 15 bits
  Ints widths;     ///< bins of each channel, one channel more than features
  Ints weights;    ///< 12 bits: what a bin gives to its channel
  Ints unweights;  ///< and to the one after it
  Ints gains;      ///< the gain curve
  Ints noise;      ///< smoothing bits, even and odd smoothing and the part that remains (14 bits)
  int32_t first_bin;
  bool gain;
  int32_t gain_shift;
  bool log;
  int32_t log_shift;

  /// Takes memory, and starts the stream.
  bool begin(Arena& arena) {
    half_ = cosines.size / 2;
    correction_ = bits_of(static_cast<uint64_t>(cosines.size)) - 1 - 6;
    const size_t size = static_cast<size_t>(half_);
    const size_t channels = static_cast<size_t>(widths.size) - 1;
    re_ = arena.take<int16_t>(size);
    im_ = arena.take<int16_t>(size);
    order_ = arena.take<uint16_t>(size);
    shaped_ = arena.take<int16_t>(static_cast<size_t>(window.size));
    estimate_ = arena.take<uint32_t>(channels);
    signal_ = arena.take<uint32_t>(channels);
    if (re_ == nullptr || im_ == nullptr || order_ == nullptr || shaped_ == nullptr) return false;
    if (estimate_ == nullptr || signal_ == nullptr) return false;
    for (size_t c = 0; c < channels; ++c) estimate_[c] = 0;
    arrange();
    return true;
  }

  /// One window of samples, zeros after the first `count`. With `out` also its features, times `scale`.
  void frame(const int16_t* samples, int32_t count, float scale, float* out) {
    const int32_t shift = shape(samples, count);
    scatter(shift);
    transform();
    split();
    accumulate(shift);
    for (int32_t c = 0; c + 1 < widths.size; ++c) {
      const uint32_t value = finish(reduce(signal_[c], c, out != nullptr), c, out != nullptr);
      if (out != nullptr) out[c] = static_cast<float>(value) * scale;
    }
  }

 private:
  /// Where each complex sample goes before the transform: its digits in base 4 (and once 2) in the other order.
  void arrange() {
    for (int32_t i = 0; i < half_; ++i) {
      int32_t place = 0;
      int32_t rest = i;
      for (int32_t size = half_; size > 1;) {
        const int32_t radix = size % 4 == 0 ? 4 : 2;
        size /= radix;
        place += rest % radix * size;
        rest /= radix;
      }
      order_[i] = static_cast<uint16_t>(place);
    }
  }

  /// Window; the shift by which its largest value fills 15 bits. The least int16 has no positive twin: it is left out.
  int32_t shape(const int16_t* samples, int32_t count) {
    int32_t largest = 0;
    for (int32_t i = 0; i < window.size; ++i) {
      const int32_t value = i < count ? (samples[i] * window.data[i]) >> 12 : 0;
      shaped_[i] = static_cast<int16_t>(value);
      const int32_t magnitude = value == -32768 ? 0 : value < 0 ? -value : value;
      if (magnitude > largest) largest = magnitude;
    }
    return 15 - bits_of(static_cast<uint64_t>(largest));
  }

  void scatter(int32_t shift) {
    const int32_t factor = 1 << shift;
    for (int32_t i = 0; i < half_; ++i) {
      const int32_t to = order_[i];
      re_[to] = 2 * i < window.size ? static_cast<int16_t>(shaped_[2 * i] * factor) : int16_t{0};
      im_[to] = 2 * i + 1 < window.size ? static_cast<int16_t>(shaped_[2 * i + 1] * factor) : int16_t{0};
    }
  }

  /// Complex transform of kissfft with 16 bits, divided by its length: radix 4, the innermost 2 where that is left.
  void transform() {
    int32_t m = 1;
    if (bits_of(static_cast<uint64_t>(half_)) % 2 == 0) {
      for (int32_t i = 0; i < half_; i += 2) pair(i);
      m = 2;
    }
    for (; m < half_; m *= 4) {
      const int32_t stride = cosines.size / (4 * m);
      for (int32_t k = 0; k < m; ++k) {
        for (int32_t i = k; i < half_; i += 4 * m) four(i, m, k * stride);
      }
    }
  }

  void pair(int32_t i) {
    const int32_t a = scale15(re_[i], 16383);
    const int32_t b = scale15(im_[i], 16383);
    const int32_t c = scale15(re_[i + 1], 16383);
    const int32_t d = scale15(im_[i + 1], 16383);
    re_[i] = static_cast<int16_t>(a + c);
    im_[i] = static_cast<int16_t>(b + d);
    re_[i + 1] = static_cast<int16_t>(a - c);
    im_[i + 1] = static_cast<int16_t>(b - d);
  }

  struct Complex {
    int32_t re;
    int32_t im;
  };

  /// Times exp(-2 pi i turn / fft), rounded.
  Complex turned(int32_t re, int32_t im, int32_t turn) const {
    const int32_t cosine = cosines.data[turn & (cosines.size - 1)];
    const int32_t sine = cosines.data[(turn + cosines.size / 4) & (cosines.size - 1)];
    return Complex{wrap16((re * cosine - im * sine + (1 << 14)) >> 15),
                   wrap16((re * sine + im * cosine + (1 << 14)) >> 15)};
  }

  Complex quarter(int32_t i, int32_t turn) const {
    const int32_t re = scale15(re_[i], 8191);
    const int32_t im = scale15(im_[i], 8191);
    // A turn by 0 is a product with 32767 / 32768, which rounding undoes at this size.
    return turn == 0 ? Complex{re, im} : turned(re, im, turn);
  }

  void four(int32_t i, int32_t m, int32_t turn) {
    const Complex a = quarter(i, 0);
    const Complex b = quarter(i + m, turn);
    const Complex c = quarter(i + 2 * m, 2 * turn);
    const Complex d = quarter(i + 3 * m, 3 * turn);
    const Complex even{a.re + c.re, a.im + c.im};
    const Complex odd{a.re - c.re, a.im - c.im};
    const Complex plus{b.re + d.re, b.im + d.im};
    const Complex minus{b.re - d.re, b.im - d.im};
    put(i, even.re + plus.re, even.im + plus.im);
    put(i + m, odd.re + minus.im, odd.im - minus.re);
    put(i + 2 * m, even.re - plus.re, even.im - plus.im);
    put(i + 3 * m, odd.re - minus.im, odd.im + minus.re);
  }

  void put(int32_t i, int32_t re, int32_t im) {
    re_[i] = static_cast<int16_t>(re);
    im_[i] = static_cast<int16_t>(im);
  }

  /// Bins 1 to half - 1 of the real transform, in place.
  void split() {
    for (int32_t k = 1; k <= half_ / 2; ++k) {
      const int32_t j = half_ - k;
      const Complex a{scale15(re_[k], 16383), scale15(im_[k], 16383)};
      const Complex b{scale15(re_[j], 16383), scale15(wrap16(-im_[j]), 16383)};
      const Complex sum{wrap16(a.re + b.re), wrap16(a.im + b.im)};
      const Complex turn = turned(wrap16(a.re - b.re), wrap16(a.im - b.im), k + cosines.size / 4);
      put(k, (sum.re + turn.re) >> 1, (sum.im + turn.im) >> 1);
      put(j, (sum.re - turn.re) >> 1, (turn.im - sum.im) >> 1);
    }
  }

  /// Root of each channel's weighted energy.
  void accumulate(int32_t shift) {
    uint64_t passed = 0;
    int32_t bin = first_bin;
    int32_t at = 0;
    for (int32_t c = 0; c < widths.size; ++c) {
      uint64_t kept = passed;
      passed = 0;
      for (int32_t end = at + widths.data[c]; at < end; ++at, ++bin) {
        const uint64_t energy = static_cast<uint64_t>(re_[bin] * re_[bin]) + static_cast<uint64_t>(im_[bin] * im_[bin]);
        kept += energy * static_cast<uint64_t>(weights.data[at]);
        passed += energy * static_cast<uint64_t>(unweights.data[at]);
      }
      if (c > 0) signal_[c - 1] = root(kept) >> shift;
    }
  }

  /// Square root, rounded to the nearest, but at most 16 bits for a value of at most 32.
  static uint32_t root(uint64_t value) {
    if (value == 0) return 0;
    uint64_t rest = value;
    uint64_t found = 0;
    for (uint64_t bit = uint64_t{1} << ((bits_of(value) - 1) / 2 * 2); bit != 0; bit >>= 2) {
      if (rest >= found + bit) {
        rest -= found + bit;
        found = (found >> 1) + bit;
      } else {
        found >>= 1;
      }
    }
    const uint64_t most = (value >> 32) == 0 ? 0xFFFFu : 0xFFFFFFFFu;
    return static_cast<uint32_t>(rest > found && found != most ? found + 1 : found);
  }

  /// Moves the noise of a channel towards its signal, and takes it away where the result is wanted.
  uint32_t reduce(uint32_t value, int32_t channel, bool wanted) {
    const int32_t bits = noise.data[0];
    const uint64_t smoothing = static_cast<uint64_t>(noise.data[1 + channel % 2]);
    const uint32_t wide = value << bits;
    const uint64_t sum = wide * smoothing + estimate_[channel] * ((uint64_t{1} << 14) - smoothing);
    const uint32_t now = static_cast<uint32_t>(sum >> 14);
    estimate_[channel] = now;
    if (!wanted) return 0;
    const uint32_t least = static_cast<uint32_t>((value * static_cast<uint64_t>(noise.data[3])) >> 14);
    const uint32_t left = now > wide ? 0 : (wide - now) >> bits;
    return left > least ? left : least;
  }

  /// Gain control and logarithm.
  uint32_t finish(uint32_t value, int32_t channel, bool wanted) const {
    if (!wanted) return 0;
    if (gain) {
      const uint64_t raised = value * static_cast<uint64_t>(gain_of(estimate_[channel]));
      value = shrink(static_cast<uint32_t>(raised >> gain_shift));
    }
    if (log) value = logarithm(correction_ < 0 ? value >> -correction_ : value << correction_);
    return value < 0xFFFFu ? value : 0xFFFFu;
  }

  /// The gain curve: a parabola between two powers of two.
  uint32_t gain_of(uint32_t x) const {
    if (x <= 2) return static_cast<uint32_t>(gains.data[x]);
    const int32_t bits = bits_of(x);
    const int32_t* const curve = gains.data + 4 * bits - 6;
    const int64_t part = (bits < 11 ? x << (11 - bits) : x >> (bits - 11)) & 0x3FFu;
    const int64_t slope = ((curve[2] * part) >> 5) + int64_t{curve[1]} * 32;
    const int64_t value = ((slope * part + (1 << 14)) >> 15) + curve[0];
    return static_cast<uint32_t>(static_cast<int16_t>(value));
  }

  static uint32_t shrink(uint32_t ratio) {
    return ratio < (2u << 12) ? (ratio * ratio) >> 20 : (ratio >> 6) - (1u << 6);
  }

  /// Natural logarithm: log2 by a straight line and what it lacks at 128 places, times ln 2.
  uint32_t logarithm(uint32_t x) const {
    if (x <= 1) return 0;
    const int32_t whole = bits_of(x) - 1;
    const uint32_t rest = x - (1u << whole);
    const int32_t part = static_cast<int32_t>(whole < 16 ? rest << (16 - whole) : rest >> (whole - 16));
    const int32_t segment = part >> 9;
    const int32_t lack = kLogTable[segment];
    const int32_t fraction = part + lack + (((kLogTable[segment + 1] - lack) * (part - (segment << 9))) >> 16);
    const uint64_t log2 = (static_cast<uint64_t>(whole) << 16) + static_cast<uint64_t>(fraction);
    const uint32_t natural = static_cast<uint32_t>((45426 * log2 + 32768) >> 16);
    return ((natural << log_shift) + 32768) >> 16;
  }

  static constexpr uint16_t kLogTable[129] = {
      0, 224, 442, 654, 861, 1063, 1259, 1450, 1636, 1817, 1992, 2163, 2329, 2490, 2646, 2797,
      2944, 3087, 3224, 3358, 3487, 3611, 3732, 3848, 3960, 4068, 4172, 4272, 4368, 4460, 4549, 4633,
      4714, 4791, 4864, 4934, 5001, 5063, 5123, 5178, 5231, 5280, 5326, 5368, 5408, 5444, 5477, 5507,
      5533, 5557, 5578, 5595, 5610, 5622, 5631, 5637, 5640, 5641, 5638, 5633, 5626, 5615, 5602, 5586,
      5568, 5547, 5524, 5498, 5470, 5439, 5406, 5370, 5332, 5291, 5249, 5203, 5156, 5106, 5054, 5000,
      4944, 4885, 4825, 4762, 4697, 4630, 4561, 4490, 4416, 4341, 4264, 4184, 4103, 4020, 3935, 3848,
      3759, 3668, 3575, 3481, 3384, 3286, 3186, 3084, 2981, 2875, 2768, 2659, 2549, 2437, 2323, 2207,
      2090, 1971, 1851, 1729, 1605, 1480, 1353, 1224, 1094, 963, 830, 695, 559, 421, 282, 142,
      0};

  int32_t half_;
  int32_t correction_;
  int16_t* re_;
  int16_t* im_;
  uint16_t* order_;
  int16_t* shaped_;
  uint32_t* estimate_;
  uint32_t* signal_;
};

/// Audio -> float32 [1, frames, channels]: of the stream's frames, `every` apart, the first or the last.
static inline Status micro_frontend(const Audio& in, Ints window, Ints cosines, Ints widths, Ints weights,
                                    Ints unweights, Ints gains, Ints noise, int32_t first_bin, int32_t step, bool gain,
                                    int32_t gain_shift, bool log, int32_t log_shift, int32_t frames, int32_t every,
                                    FramePlace place, bool pad, float scale, Arena& arena, Tensor<const float>* out) {
  if (in.channels != 1) return Status::kWrongSize;
  const int32_t needed = (frames - 1) * every + 1;
  int32_t total = in.frames < window.size ? 0 : 1 + (in.frames - window.size) / step;
  if (total < needed && !pad) return Status::kWrongSize;
  if (total < needed) total = needed;
  const int32_t channels = widths.size - 1;
  const size_t size = static_cast<size_t>(frames) * static_cast<size_t>(channels);
  float* values = arena.take<float>(size);
  MicroFrontend frontend{};
  frontend.window = window;
  frontend.cosines = cosines;
  frontend.widths = widths;
  frontend.weights = weights;
  frontend.unweights = unweights;
  frontend.gains = gains;
  frontend.noise = noise;
  frontend.first_bin = first_bin;
  frontend.gain = gain;
  frontend.gain_shift = gain_shift;
  frontend.log = log;
  frontend.log_shift = log_shift;
  if (!frontend.begin(arena) || values == nullptr) return Status::kWorkspaceTooSmall;
  const int32_t first = place == FramePlace::kFirst ? 0 : total - needed;
  float* to = values;
  for (int32_t i = 0; i < first + needed; ++i) {
    const bool kept = i >= first && (i - first) % every == 0;
    const int32_t start = i * step < in.frames ? i * step : in.frames;
    frontend.frame(in.data + start, in.frames - start, scale, kept ? to : nullptr);
    if (kept) to += channels;
  }
  *out = Tensor<const float>{values, size};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
