#ifndef PACKAGER_CONTRACT_RESIZE_FIT_HPP
#define PACKAGER_CONTRACT_RESIZE_FIT_HPP

#include <string.h>

#include "contract_types.hpp"

namespace packager_contract {

/// How the ratio of an image is handled.
enum class Fit : int32_t { kCrop, kStretch, kLetterbox, kShorter };

/// Where rows of the result go.
struct Canvas {
  uint8_t* data;
  size_t stride;
};

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

/// Size whose shorter side is `width`, the longer one rounded down.
static inline void shorter_size(const Image& in, int32_t* width, int32_t* height) {
  const int64_t side = *width;
  if (in.width <= in.height) {
    *height = static_cast<int32_t>(side * in.height / in.width);
  } else {
    *width = static_cast<int32_t>(side * in.width / in.height);
    *height = static_cast<int32_t>(side);
  }
}

static inline void copy_rows(const Image& in, Canvas out) {
  const size_t size = static_cast<size_t>(in.width) * static_cast<size_t>(in.channels);
  for (int32_t y = 0; y < in.height; ++y, out.data += out.stride) memcpy(out.data, row_of(in, y), size);
}

/// The part of the image that is resampled, the size it gets (`width` and `height` hold the output's before), and where
/// it goes. Where nothing changes, `out` is the part itself and the canvas has no data.
static inline Status place_image(const Image& in, Fit fit, int32_t fill, int32_t* width, int32_t* height, Arena& arena,
                                 Image* out, Image* box, Canvas* canvas) {
  const Status status = check_image(in);
  if (status != Status::kOk) return status;
  if (in.channels != 1 && in.channels != 3) return Status::kWrongSize;
  *box = fit == Fit::kCrop ? crop_to_ratio(in, *width, *height) : in;
  if (fit == Fit::kShorter) shorter_size(in, width, height);
  *canvas = Canvas{nullptr, 0};
  if (box->width == *width && box->height == *height) {
    *out = *box;
    return Status::kOk;
  }
  uint8_t* data = take_image(*width, *height, in.channels, arena, out);
  if (data == nullptr) return Status::kWorkspaceTooSmall;
  if (fit == Fit::kLetterbox) {
    const int32_t full_width = *width;
    const int32_t full_height = *height;
    memset(data, fill, out->stride * static_cast<size_t>(full_height));
    letterbox_size(in, width, height);
    data += static_cast<size_t>((full_width - *width) / 2) * static_cast<size_t>(in.channels);
    data += static_cast<size_t>((full_height - *height) / 2) * out->stride;
  }
  *canvas = Canvas{data, out->stride};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
