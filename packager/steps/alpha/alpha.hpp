#ifndef PACKAGER_CONTRACT_ALPHA_HPP
#define PACKAGER_CONTRACT_ALPHA_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// Image of four channels -> its first three.
static inline Status alpha_drop(const Image& in, Arena& arena, Image* out) {
  const Status status = check_image(in);
  if (status != Status::kOk) return status;
  if (in.channels != 4) return Status::kWrongSize;
  uint8_t* to = take_image(in.width, in.height, 3, arena, out);
  if (to == nullptr) return Status::kWorkspaceTooSmall;
  for (int32_t y = 0; y < in.height; ++y) {
    const uint8_t* from = row_of(in, y);
    for (int32_t x = 0; x < in.width; ++x, from += 4, to += 3) {
      to[0] = from[0];
      to[1] = from[1];
      to[2] = from[2];
    }
  }
  return Status::kOk;
}

/// rgba image -> rgb image, laid over a grey level: div255(background * (255 - a) + c * a).
static inline Status alpha_over(const Image& in, int32_t background, Arena& arena, Image* out) {
  const Status status = check_image(in);
  if (status != Status::kOk) return status;
  if (in.channels != 4) return Status::kWrongSize;
  uint8_t* to = take_image(in.width, in.height, 3, arena, out);
  if (to == nullptr) return Status::kWorkspaceTooSmall;
  for (int32_t y = 0; y < in.height; ++y) {
    const uint8_t* from = row_of(in, y);
    for (int32_t x = 0; x < in.width; ++x, from += 4) {
      const int32_t behind = background * (255 - from[3]);
      for (int32_t c = 0; c < 3; ++c) *to++ = static_cast<uint8_t>(div255(behind + from[c] * from[3]));
    }
  }
  return Status::kOk;
}

}  // namespace packager_contract

#endif
