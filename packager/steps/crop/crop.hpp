#ifndef PACKAGER_CONTRACT_CROP_HPP
#define PACKAGER_CONTRACT_CROP_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// What becomes of half a pixel left of or above a centred part.
enum class Rounding : int32_t { kDown, kEven };

static inline int32_t margin(int32_t rest, Rounding rounding) {
  return rest / 2 + (rounding == Rounding::kEven && rest % 4 == 3 ? 1 : 0);
}

/// The centred part of this size; a view.
static inline Image centred(const Image& in, int32_t width, int32_t height, Rounding rounding) {
  const size_t left = static_cast<size_t>(margin(in.width - width, rounding)) * static_cast<size_t>(in.channels);
  return Image{row_of(in, margin(in.height - height, rounding)) + left, width, height, in.channels, in.stride};
}

/// Image -> its centred part of this size.
static inline Status crop_size(const Image& in, int32_t width, int32_t height, Rounding rounding, Arena&, Image* out) {
  const Status status = check_image(in);
  if (status != Status::kOk) return status;
  if (in.width < width || in.height < height) return Status::kWrongSize;
  *out = centred(in, width, height, rounding);
  return Status::kOk;
}

/// Image -> its largest centred part of the ratio across : down.
static inline Status crop_ratio(const Image& in, int32_t across, int32_t down, Arena&, Image* out) {
  const Status status = check_image(in);
  if (status != Status::kOk) return status;
  const int64_t by_height = static_cast<int64_t>(in.height) * across / down;
  const int64_t by_width = static_cast<int64_t>(in.width) * down / across;
  const int64_t width = by_height < in.width ? by_height : in.width;
  const int64_t height = by_width < in.height ? by_width : in.height;
  *out = centred(in, width < 1 ? 1 : static_cast<int32_t>(width), height < 1 ? 1 : static_cast<int32_t>(height),
                 Rounding::kDown);
  return Status::kOk;
}

}  // namespace packager_contract

#endif
