#ifndef PACKAGER_CONTRACT_WINDOW_HPP
#define PACKAGER_CONTRACT_WINDOW_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// Whether windows start with the first row, or end with the last.
enum class WindowPlace : int32_t { kFirst, kLast };

/// Series -> float32 [1, count, length, channels]; with `pad`, zeros stand for rows that are not there.
static inline Status window(const Series& in, int32_t length, int32_t hop, int32_t count, WindowPlace place, bool pad,
                            Arena& arena, Tensor<const float>* out) {
  const int64_t needed = length + static_cast<int64_t>(count - 1) * hop;
  if (in.length < needed && !pad) return Status::kWrongSize;
  const size_t channels = static_cast<size_t>(in.channels);
  const size_t size = static_cast<size_t>(count) * static_cast<size_t>(length) * channels;
  float* values = arena.take<float>(size);
  if (values == nullptr) return Status::kWorkspaceTooSmall;
  float* to = values;
  const int64_t start = place == WindowPlace::kFirst ? 0 : in.length - needed;
  for (int32_t i = 0; i < count; ++i) {
    for (int64_t row = start + static_cast<int64_t>(i) * hop, end = row + length; row < end; ++row) {
      const bool there = row >= 0 && row < in.length;
      const float* from = in.data + (there ? static_cast<size_t>(row) * channels : 0);
      for (size_t c = 0; c < channels; ++c) *to++ = there ? from[c] : 0.0F;
    }
  }
  *out = Tensor<const float>{values, size};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
