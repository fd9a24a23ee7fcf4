#ifndef PACKAGER_CONTRACT_RESIZE_FIT_HPP
#define PACKAGER_CONTRACT_RESIZE_FIT_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// How the ratio of an image is handled.
enum class Fit : int32_t { kCrop, kStretch, kLetterbox };

/// The largest centred part of the output's ratio.
static inline Image crop_to_ratio(const Image& in, int32_t width, int32_t height) {
  const int64_t by_height = static_cast<int64_t>(in.height) * width / height;
  const int64_t by_width = static_cast<int64_t>(in.width) * height / width;
  Image box = in;
  if (by_height < box.width) box.width = by_height < 1 ? 1 : static_cast<int32_t>(by_height);
  if (by_width < box.height) box.height = by_width < 1 ? 1 : static_cast<int32_t>(by_width);
  const size_t left = static_cast<size_t>((in.width - box.width) / 2) * static_cast<size_t>(in.channels);
  box.data = row_of(in, (in.height - box.height) / 2) + left;
  return box;
}

/// Largest size of the image's ratio inside the output, the other side rounded half up.
static inline void letterbox_size(const Image& in, int32_t* width, int32_t* height) {
  const int64_t w = in.width;
  const int64_t h = in.height;
  const int64_t full_w = *width;
  const int64_t full_h = *height;
  if (w * full_h >= h * full_w) {
    const int64_t new_h = (2 * h * full_w + w) / (2 * w);
    *height = new_h < 1 ? 1 : static_cast<int32_t>(new_h);
  } else {
    const int64_t new_w = (2 * w * full_h + h) / (2 * h);
    *width = new_w < 1 ? 1 : static_cast<int32_t>(new_w);
  }
}

}  // namespace packager_contract

#endif
