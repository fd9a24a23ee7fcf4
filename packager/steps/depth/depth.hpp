#ifndef PACKAGER_CONTRACT_DEPTH_HPP
#define PACKAGER_CONTRACT_DEPTH_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// 16-bit pixels, rows without gaps -> image: the high byte of each value.
static inline Status depth(Tensor<const uint16_t> in, int32_t width, int32_t height, int32_t channels, Arena& arena,
                           Image* out) {
  if (in.data == nullptr || width < 1 || height < 1) return Status::kEmptyImage;
  const size_t size = static_cast<size_t>(width) * static_cast<size_t>(height) * static_cast<size_t>(channels);
  if (in.size != size) return Status::kWrongSize;
  uint8_t* to = take_image(width, height, channels, arena, out);
  if (to == nullptr) return Status::kWorkspaceTooSmall;
  for (size_t i = 0; i < size; ++i) to[i] = static_cast<uint8_t>(in.data[i] >> 8);
  return Status::kOk;
}

}  // namespace packager_contract

#endif
