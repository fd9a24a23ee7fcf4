#ifndef PACKAGER_CONTRACT_GREY_HPP
#define PACKAGER_CONTRACT_GREY_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// rgb image -> grey image: (R * 19595 + G * 38470 + B * 7471 + 0x8000) >> 16.
static inline Status grey(const Image& in, Arena& arena, Image* out) {
  const Status status = check_image(in);
  if (status != Status::kOk) return status;
  if (in.channels != 3) return Status::kWrongSize;
  uint8_t* to = take_image(in.width, in.height, 1, arena, out);
  if (to == nullptr) return Status::kWorkspaceTooSmall;
  for (int32_t y = 0; y < in.height; ++y) {
    const uint8_t* from = row_of(in, y);
    for (int32_t x = 0; x < in.width; ++x, from += 3) {
      *to++ = static_cast<uint8_t>((from[0] * 19595 + from[1] * 38470 + from[2] * 7471 + 0x8000) >> 16);
    }
  }
  return Status::kOk;
}

}  // namespace packager_contract

#endif
