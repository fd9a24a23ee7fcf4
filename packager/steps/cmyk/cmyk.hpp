#ifndef PACKAGER_CONTRACT_CMYK_HPP
#define PACKAGER_CONTRACT_CMYK_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// cmyk image (0 is no ink) -> rgb image: n = 255 - k; n - div255(ink * n).
static inline Status cmyk(const Image& in, Arena& arena, Image* out) {
  const Status status = check_image(in);
  if (status != Status::kOk) return status;
  if (in.channels != 4) return Status::kWrongSize;
  uint8_t* to = take_image(in.width, in.height, 3, arena, out);
  if (to == nullptr) return Status::kWorkspaceTooSmall;
  for (int32_t y = 0; y < in.height; ++y) {
    const uint8_t* from = row_of(in, y);
    for (int32_t x = 0; x < in.width; ++x, from += 4) {
      const int32_t rest = 255 - from[3];
      for (int32_t c = 0; c < 3; ++c) *to++ = static_cast<uint8_t>(rest - div255(from[c] * rest));
    }
  }
  return Status::kOk;
}

}  // namespace packager_contract

#endif
