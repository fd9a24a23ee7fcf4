#ifndef PACKAGER_CONTRACT_CROP_HPP
#define PACKAGER_CONTRACT_CROP_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// The centred part of this size, left and top rounded down; a view.
static inline Image centred(const Image& in, int32_t width, int32_t height) {
  const size_t left = static_cast<size_t>((in.width - width) / 2) * static_cast<size_t>(in.channels);
  return Image{row_of(in, (in.height - height) / 2) + left, width, height, in.channels, in.stride};
}

/// Image -> its centred part of this size.
static inline Status crop_size(const Image& in, int32_t width, int32_t height, Arena&, Image* out) {
  const Status status = check_image(in);
  if (status != Status::kOk) return status;
  if (in.width < width || in.height < height) return Status::kWrongSize;
  *out = centred(in, width, height);
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
  *out = centred(in, width < 1 ? 1 : static_cast<int32_t>(width), height < 1 ? 1 : static_cast<int32_t>(height));
  return Status::kOk;
}

}  // namespace packager_contract

#endif
