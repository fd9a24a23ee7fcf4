#ifndef PACKAGER_CONTRACT_CONTRACT_MAPPING_HPP
#define PACKAGER_CONTRACT_CONTRACT_MAPPING_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// From places in the model's input back to the original image:
/// x = scale_x * (the model's y if turned, else its x) + offset_x; y likewise of the other one.
struct Mapping {
  double scale_x;
  double offset_x;
  double scale_y;
  double offset_y;
  bool turned;
};

/// Place of an original x; `x` and `y` are in the model's input.
static inline float mapped_x(const Mapping& way, float x, float y) {
  return (way.turned ? y : x) * static_cast<float>(way.scale_x) + static_cast<float>(way.offset_x);
}

/// Place of an original y.
static inline float mapped_y(const Mapping& way, float x, float y) {
  return (way.turned ? x : y) * static_cast<float>(way.scale_y) + static_cast<float>(way.offset_y);
}

static inline int64_t mapping_part(int64_t side, int64_t other, int64_t across, int64_t down) {
  const int64_t part = other * across / down;
  return part < 1 ? 1 : part < side ? part : side;
}

/// One move backwards for an image `w` x `h` before it, which become the size after it.
static inline Mapping mapping_back(int32_t kind, int64_t a, int64_t b, int64_t* w, int64_t* h) {
  const int64_t width = *w;
  const int64_t height = *h;
  if (kind == 0) {  // EXIF orientation
    const bool mirror_x = a == 2 || a == 3 || a == 7 || a == 8;
    const bool mirror_y = a == 3 || a == 4 || a == 6 || a == 7;
    const bool turned = a >= 5;
    *w = turned ? height : width;
    *h = turned ? width : height;
    return {mirror_x ? -1.0 : 1.0, mirror_x ? static_cast<double>(width) : 0.0, mirror_y ? -1.0 : 1.0,
            mirror_y ? static_cast<double>(height) : 0.0, turned};
  }
  if (kind <= 2) {  // crop to a size, to a ratio
    *w = kind == 1 ? a : mapping_part(width, height, a, b);
    *h = kind == 1 ? b : mapping_part(height, width, b, a);
    return {1.0, static_cast<double>((width - *w) / 2), 1.0, static_cast<double>((height - *h) / 2), false};
  }
  if (kind == 6) {  // resize to a shorter side: a stretch to the size that this is
    return width <= height ? mapping_back(3, a, a * height / width, w, h) : mapping_back(3, a * width / height, a, w, h);
  }
  *w = a;
  *h = b;
  const int64_t box_w = kind == 4 ? mapping_part(width, height, a, b) : width;
  const int64_t box_h = kind == 4 ? mapping_part(height, width, b, a) : height;
  int64_t new_w = a;
  int64_t new_h = b;
  if (kind == 5 && width * b >= height * a) {
    new_h = (2 * height * a + width) / (2 * width);
    if (new_h < 1) new_h = 1;
  } else if (kind == 5) {
    new_w = (2 * width * b + height) / (2 * height);
    if (new_w < 1) new_w = 1;
  }
  const double scale_x = static_cast<double>(box_w) / static_cast<double>(new_w);
  const double scale_y = static_cast<double>(box_h) / static_cast<double>(new_h);
  const double pad_x = scale_x * static_cast<double>((a - new_w) / 2);
  const double pad_y = scale_y * static_cast<double>((b - new_h) / 2);
  return {scale_x, static_cast<double>((width - box_w) / 2) - pad_x, scale_y,
          static_cast<double>((height - box_h) / 2) - pad_y, false};
}

/// The whole way back for an original image of this size; `moves` has three numbers for each move: kind, a, b.
static inline Status make_mapping(Ints moves, ImageSize photo, Mapping* out) {
  if (photo.width < 1 || photo.height < 1) return Status::kEmptyImage;
  Mapping way{1.0, 0.0, 1.0, 0.0, false};
  int64_t w = photo.width;
  int64_t h = photo.height;
  for (int32_t i = 0; i + 2 < moves.size; i += 3) {
    Mapping step = mapping_back(moves.data[i], moves.data[i + 1], moves.data[i + 2], &w, &h);
    if (way.turned) step = {step.scale_y, step.offset_y, step.scale_x, step.offset_x, step.turned};
    const double offset_x = way.scale_x * step.offset_x;
    const double offset_y = way.scale_y * step.offset_y;
    way = {way.scale_x * step.scale_x, offset_x + way.offset_x, way.scale_y * step.scale_y, offset_y + way.offset_y,
           way.turned != step.turned};
  }
  *out = way;
  return Status::kOk;
}

}  // namespace packager_contract

#endif
