#ifndef PACKAGER_CONTRACT_CHANNELS_HPP
#define PACKAGER_CONTRACT_CHANNELS_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// Image of three channels -> the same image; `bgr` exchanges the first and the third.
static inline Status channels(const Image& in, ChannelOrder order, Arena& arena, Image* out) {
  const Status status = check_image(in);
  if (status != Status::kOk) return status;
  if (in.channels != 3) return Status::kWrongSize;
  uint8_t* to = take_image(in.width, in.height, 3, arena, out);
  if (to == nullptr) return Status::kWorkspaceTooSmall;
  const int32_t first = order == ChannelOrder::kBgr ? 2 : 0;
  for (int32_t y = 0; y < in.height; ++y) {
    const uint8_t* from = row_of(in, y);
    for (int32_t x = 0; x < in.width; ++x, from += 3, to += 3) {
      to[0] = from[first];
      to[1] = from[1];
      to[2] = from[2 - first];
    }
  }
  return Status::kOk;
}

}  // namespace packager_contract

#endif
