#ifndef PACKAGER_CONTRACT_RESIZE_OPENCV_HPP
#define PACKAGER_CONTRACT_RESIZE_OPENCV_HPP

#include <math.h>
#include <string.h>

#include "contract_types.hpp"
#include "resize_fit.hpp"

// OpenCV 4.12.0's cv2.resize of 8-bit images, to the bit. The reference and its formulas are in the Python package
// (steps/resize).

namespace packager_contract {

/// Input indices for one output index; two divisions, as OpenCV makes them.
static inline double opencv_scale(int32_t size, int32_t out) {
  const double inverse = static_cast<double>(out) / size;
  return 1.0 / inverse;
}

static inline int32_t opencv_nearest(int32_t index, double scale, int32_t size) {
  const int32_t from = static_cast<int32_t>(floor(index * scale));
  return from < size ? from : size - 1;
}

/// `INTER_NEAREST` into a canvas.
static inline Status opencv_pick(const Image& in, int32_t width, int32_t height, Arena& arena, Canvas out) {
  int32_t* columns = arena.take<int32_t>(static_cast<size_t>(width));
  if (columns == nullptr) return Status::kWorkspaceTooSmall;
  const double across = opencv_scale(in.width, width);
  const double down = opencv_scale(in.height, height);
  for (int32_t x = 0; x < width; ++x) columns[x] = opencv_nearest(x, across, in.width) * in.channels;
  for (int32_t y = 0; y < height; ++y, out.data += out.stride) {
    const uint8_t* row = row_of(in, opencv_nearest(y, down, in.height));
    uint8_t* to = out.data;
    if (in.channels == 3) {
      for (int32_t x = 0; x < width; ++x, to += 3) {
        const uint8_t* pixel = row + columns[x];
        to[0] = pixel[0];
        to[1] = pixel[1];
        to[2] = pixel[2];
      }
    } else {
      for (int32_t x = 0; x < width; ++x) *to++ = row[columns[x]];
    }
  }
  return Status::kOk;
}

/// Two neighbours of one output index, with weights of 11 fractional bits.
struct OpencvPair {
  int32_t lower;
  int32_t upper;
  int32_t lower_weight;
  int32_t upper_weight;
};

/// Half rounds to even.
static inline int32_t opencv_weight(float share) {
  const float scaled = share * 2048.0F;
  const int32_t down = static_cast<int32_t>(floorf(scaled));
  const float rest = scaled - static_cast<float>(down);
  return rest > 0.5F || (rest == 0.5F && down % 2 != 0) ? down + 1 : down;
}

/// Across, what lies beyond the outer pixels' centres is the outer pixel (`clamp`); down, it is weighed all the same.
static inline OpencvPair opencv_pair(int32_t index, double scale, int32_t size, bool clamp) {
  const double scaled = (index + 0.5) * scale;
  const float position = static_cast<float>(scaled - 0.5);
  int32_t lower = static_cast<int32_t>(floorf(position));
  float share = position - static_cast<float>(lower);
  if (clamp && (lower < 0 || lower >= size - 1)) share = 0.0F;
  const OpencvPair weights{0, 0, opencv_weight(1.0F - share), opencv_weight(share)};
  if (clamp && lower < 0) lower = 0;
  const int32_t last = size - 1;
  const int32_t upper = lower + 1;
  return OpencvPair{lower < 0 ? 0 : lower > last ? last : lower, upper < 0 ? 0 : upper > last ? last : upper,
                    weights.lower_weight, weights.upper_weight};
}

/// One row of the image, resampled across and shifted as the weighing of rows needs it. `columns` count bytes.
static inline void opencv_row(const uint8_t* row, const OpencvPair* columns, int32_t width, int32_t channels,
                              int32_t* out) {
  for (int32_t x = 0; x < width; ++x, out += channels) {
    const OpencvPair column = columns[x];
    const uint8_t* left = row + column.lower;
    const uint8_t* right = row + column.upper;
    for (int32_t c = 0; c < channels; ++c) {
      out[c] = (left[c] * column.lower_weight + right[c] * column.upper_weight) >> 4;
    }
  }
}

/// Exactly half the size: the mean of four pixels.
static inline void opencv_halve(const Image& in, int32_t width, int32_t height, Canvas out) {
  const int32_t channels = in.channels;
  for (int32_t y = 0; y < height; ++y, out.data += out.stride) {
    const uint8_t* above = row_of(in, 2 * y);
    const uint8_t* below = row_of(in, 2 * y + 1);
    uint8_t* to = out.data;
    for (int32_t x = 0; x < width; ++x, above += 2 * channels, below += 2 * channels) {
      for (int32_t c = 0; c < channels; ++c) {
        *to++ = static_cast<uint8_t>((above[c] + above[c + channels] + below[c] + below[c + channels] + 2) >> 2);
      }
    }
  }
}

/// `INTER_LINEAR` into a canvas. Rows that two output rows share are resampled once.
static inline Status opencv_blend(const Image& in, int32_t width, int32_t height, Arena& arena, Canvas out) {
  if (in.width == 2 * static_cast<int64_t>(width) && in.height == 2 * static_cast<int64_t>(height)) {
    opencv_halve(in, width, height, out);
    return Status::kOk;
  }
  const size_t size = static_cast<size_t>(width) * static_cast<size_t>(in.channels);
  OpencvPair* columns = arena.take<OpencvPair>(static_cast<size_t>(width));
  int32_t* rows[2] = {arena.take<int32_t>(size), arena.take<int32_t>(size)};
  if (columns == nullptr || rows[0] == nullptr || rows[1] == nullptr) return Status::kWorkspaceTooSmall;
  const double across = opencv_scale(in.width, width);
  const double down = opencv_scale(in.height, height);
  for (int32_t x = 0; x < width; ++x) {
    columns[x] = opencv_pair(x, across, in.width, true);
    columns[x].lower *= in.channels;
    columns[x].upper *= in.channels;
  }
  int32_t held[2] = {-1, -1};
  for (int32_t y = 0; y < height; ++y, out.data += out.stride) {
    const OpencvPair pair = opencv_pair(y, down, in.height, false);
    const int32_t needed[2] = {pair.lower, pair.upper};
    if (held[1] == needed[0]) {
      int32_t* row = rows[0];
      rows[0] = rows[1];
      rows[1] = row;
      held[1] = held[0];
      held[0] = needed[0];
    }
    for (int32_t i = 0; i < 2; ++i) {
      if (held[i] == needed[i]) continue;
      if (in.channels == 3) {
        opencv_row(row_of(in, needed[i]), columns, width, 3, rows[i]);
      } else {
        opencv_row(row_of(in, needed[i]), columns, width, 1, rows[i]);
      }
      held[i] = needed[i];
    }
    const int32_t* top = rows[0];
    const int32_t* bottom = rows[1];
    for (size_t i = 0; i < size; ++i) {
      const int32_t sum = ((top[i] * pair.lower_weight) >> 16) + ((bottom[i] * pair.upper_weight) >> 16);
      out.data[i] = static_cast<uint8_t>((sum + 2) >> 2);
    }
  }
  return Status::kOk;
}

/// Image of 1 or 3 channels -> image of the stated size, by one of the two functions above.
static inline Status opencv_resize(const Image& in, int32_t width, int32_t height, Fit fit, int32_t fill, bool blend,
                                   Arena& arena, Image* out) {
  Canvas canvas{};
  Image box{};
  int32_t new_width = width;
  int32_t new_height = height;
  const Status status = place_image(in, fit, fill, &new_width, &new_height, arena, out, &box, &canvas);
  if (status != Status::kOk || canvas.data == nullptr) return status;
  if (box.width == new_width && box.height == new_height) {
    copy_rows(box, canvas);
    return Status::kOk;
  }
  return blend ? opencv_blend(box, new_width, new_height, arena, canvas)
               : opencv_pick(box, new_width, new_height, arena, canvas);
}

/// `cv2.resize(..., interpolation=cv2.INTER_NEAREST)`. `fill` is the level of the letterbox's border.
static inline Status resize_opencv_nearest(const Image& in, int32_t width, int32_t height, Fit fit, int32_t fill,
                                           Arena& arena, Image* out) {
  return opencv_resize(in, width, height, fit, fill, false, arena, out);
}

/// `cv2.resize(..., interpolation=cv2.INTER_LINEAR)`. `fill` is the level of the letterbox's border.
static inline Status resize_opencv_linear(const Image& in, int32_t width, int32_t height, Fit fit, int32_t fill,
                                          Arena& arena, Image* out) {
  return opencv_resize(in, width, height, fit, fill, true, arena, out);
}

}  // namespace packager_contract

#endif
