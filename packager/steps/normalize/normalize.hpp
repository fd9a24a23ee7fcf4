#ifndef PACKAGER_CONTRACT_NORMALIZE_HPP
#define PACKAGER_CONTRACT_NORMALIZE_HPP

#include "contract_types.hpp"
#include "quantize.hpp"

namespace packager_contract {

/// Looks every channel of every pixel up in its table of 256 entries; `bgr` exchanges the first and third channel.
/// One table serves all channels where `tables` is 1.
template <class T>
static inline void look_up(const Image& in, const T* table, int32_t tables, ChannelOrder order, T* out) {
  const int32_t channels = in.channels;
  for (int32_t c = 0; c < channels; ++c) {
    const T* entries = table + (tables == 1 ? 0 : c * 256);
    const int32_t from = order == ChannelOrder::kBgr && channels == 3 ? 2 - c : c;
    T* value = out + c;
    for (int32_t y = 0; y < in.height; ++y) {
      const uint8_t* pixel = row_of(in, y) + from;
      for (int32_t x = 0; x < in.width; ++x, pixel += channels, value += channels) *value = entries[*pixel];
    }
  }
}

/// Number of values that the image gives, or 0 where the constants do not fit its channels.
static inline size_t normalized_size(const Image& in, Doubles mean, Doubles std) {
  if (mean.size != std.size || (mean.size != 1 && mean.size != in.channels)) return 0;
  return static_cast<size_t>(in.width) * static_cast<size_t>(in.height) * static_cast<size_t>(in.channels);
}

/// Image -> float32 [1, height, width, channels]: (float)((v - mean) / std) in float64, by a table for each channel.
static inline Status normalize(const Image& in, Doubles mean, Doubles std, ChannelOrder order, Arena& arena,
                               Tensor<const float>* out) {
  const Status status = check_image(in);
  if (status != Status::kOk) return status;
  const size_t size = normalized_size(in, mean, std);
  if (size == 0) return Status::kWrongSize;
  float* values = arena.take<float>(size);
  float* table = arena.take<float>(static_cast<size_t>(mean.size) * 256);
  if (values == nullptr || table == nullptr) return Status::kWorkspaceTooSmall;
  for (int32_t i = 0; i < mean.size * 256; ++i) {
    table[i] = static_cast<float>((static_cast<double>(i % 256) - mean.data[i / 256]) / std.data[i / 256]);
  }
  look_up(in, table, mean.size, order, values);
  *out = Tensor<const float>{values, size};
  return Status::kOk;
}

/// `normalize` and then `quantize` in one table of int8.
static inline Status normalize_quantize(const Image& in, Doubles mean, Doubles std, ChannelOrder order, float scale,
                                        int32_t zero_point, Arena& arena, Tensor<const int8_t>* out) {
  const Status status = check_image(in);
  if (status != Status::kOk) return status;
  const size_t size = normalized_size(in, mean, std);
  if (size == 0) return Status::kWrongSize;
  int8_t* values = arena.take<int8_t>(size);
  int8_t* table = arena.take<int8_t>(static_cast<size_t>(mean.size) * 256);
  if (values == nullptr || table == nullptr) return Status::kWorkspaceTooSmall;
  for (int32_t i = 0; i < mean.size * 256; ++i) {
    const double real = (static_cast<double>(i % 256) - mean.data[i / 256]) / std.data[i / 256];
    table[i] = quantize_value(static_cast<float>(real), scale, zero_point);
  }
  look_up(in, table, mean.size, order, values);
  *out = Tensor<const int8_t>{values, size};
  return Status::kOk;
}

/// float32 [..., channels] -> the same shape: (x - mean) / std, each operation rounded to float32.
static inline Status normalize_floats(Tensor<const float> in, Floats mean, Floats std, Arena& arena,
                                      Tensor<const float>* out) {
  if (mean.size != std.size || mean.size < 1 || in.size % static_cast<size_t>(mean.size) != 0) {
    return Status::kWrongSize;
  }
  float* values = arena.take<float>(in.size);
  if (values == nullptr) return Status::kWorkspaceTooSmall;
  const size_t channels = static_cast<size_t>(mean.size);
  for (size_t i = 0; i < in.size; ++i) {
    const float moved = in.data[i] - mean.data[i % channels];
    values[i] = moved / std.data[i % channels];
  }
  *out = Tensor<const float>{values, in.size};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
