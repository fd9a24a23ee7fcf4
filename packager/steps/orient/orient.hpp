#ifndef PACKAGER_CONTRACT_ORIENT_HPP
#define PACKAGER_CONTRACT_ORIENT_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// Image -> the upright image, for an EXIF orientation of 1 to 8. 5 to 8 exchange width and height.
static inline Status orient(const Image& in, int32_t orientation, Arena& arena, Image* out) {
  const Status status = check_image(in);
  if (status != Status::kOk) return status;
  if (orientation < 1 || orientation > 8) return Status::kWrongSize;
  if (orientation == 1) {
    *out = in;
    return Status::kOk;
  }
  const bool turned = orientation >= 5;
  const bool mirror_x = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  const bool mirror_y = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  const int32_t width = turned ? in.height : in.width;
  const int32_t height = turned ? in.width : in.height;
  uint8_t* to = take_image(width, height, in.channels, arena, out);
  if (to == nullptr) return Status::kWorkspaceTooSmall;
  const size_t pixel = static_cast<size_t>(in.channels);
  const size_t step_x = turned ? in.stride : pixel;
  const size_t step_y = turned ? pixel : in.stride;
  for (int32_t y = 0; y < height; ++y) {
    const uint8_t* row = in.data + static_cast<size_t>(mirror_y ? height - 1 - y : y) * step_y;
    for (int32_t x = 0; x < width; ++x) {
      const uint8_t* from = row + static_cast<size_t>(mirror_x ? width - 1 - x : x) * step_x;
      for (size_t c = 0; c < pixel; ++c) *to++ = from[c];
    }
  }
  return Status::kOk;
}

}  // namespace packager_contract

#endif
