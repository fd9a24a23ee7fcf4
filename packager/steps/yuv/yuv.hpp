#ifndef PACKAGER_CONTRACT_YUV_HPP
#define PACKAGER_CONTRACT_YUV_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// What a camera's numbers mean: luma 16 to 235, or 0 to 255.
enum class YuvRange : int32_t { kLimited, kFull };

/// What one chroma pair adds to the colours of its pixels.
struct Chroma {
  int32_t red;
  int32_t green;
  int32_t blue;
};

static inline Chroma chroma_of(int32_t u, int32_t v, YuvRange range) {
  u -= 128;
  v -= 128;
  if (range == YuvRange::kLimited) {
    constexpr int32_t kHalf = 1 << 19;
    return Chroma{kHalf + 1673527 * v, kHalf - 852492 * v - 409993 * u, kHalf + 2116026 * u};
  }
  constexpr int32_t kHalf = 1 << 13;
  return Chroma{(22987 * v + kHalf) >> 14, (-11698 * v - 5636 * u + kHalf) >> 14, (29049 * u + kHalf) >> 14};
}

static inline uint8_t clip_level(int32_t level) {
  return static_cast<uint8_t>(level < 0 ? 0 : level > 255 ? 255 : level);
}

/// One pixel by OpenCV's integer formula: BT.601, 20 fractional bits for `kLimited`.
static inline void yuv_pixel(int32_t luma, const Chroma& chroma, YuvRange range, uint8_t* out) {
  if (range == YuvRange::kLimited) {
    const int32_t light = (luma < 16 ? 0 : luma - 16) * 1220542;
    out[0] = clip_level((light + chroma.red) >> 20);
    out[1] = clip_level((light + chroma.green) >> 20);
    out[2] = clip_level((light + chroma.blue) >> 20);
  } else {
    out[0] = clip_level(luma + chroma.red);
    out[1] = clip_level(luma + chroma.green);
    out[2] = clip_level(luma + chroma.blue);
  }
}

/// Where the pixels of a turned frame go: first byte, and bytes from pixel to pixel and from row to row of the frame.
struct Turn {
  ptrdiff_t first;
  ptrdiff_t across;
  ptrdiff_t down;
};

static inline Turn turn_of(const Frame& in, int32_t rotation) {
  const ptrdiff_t width = in.width;
  const ptrdiff_t height = in.height;
  if (rotation == 90) return Turn{3 * (height - 1), 3 * height, -3};
  if (rotation == 180) return Turn{3 * (width * height - 1), -3, -3 * width};
  if (rotation == 270) return Turn{3 * height * (width - 1), -3 * height, 3};
  return Turn{0, 3, 3 * width};
}

/// A pair of rows (or the last one alone), which share their chroma.
static inline void yuv_rows(const Frame& in, int32_t y, YuvRange range, const Turn& turn, uint8_t* out) {
  const uint8_t* luma = in.y + static_cast<size_t>(y) * in.y_stride;
  const uint8_t* u = in.u + static_cast<size_t>(y / 2) * in.uv_stride;
  const uint8_t* v = in.v + static_cast<size_t>(y / 2) * in.uv_stride;
  const bool alone = y + 1 == in.height;
  const uint8_t* below = alone ? luma : luma + in.y_stride;
  const ptrdiff_t down = alone ? 0 : turn.down;
  ptrdiff_t at = turn.first + y * turn.down;
  int32_t x = 0;
  for (; x + 1 < in.width; x += 2, u += in.uv_step, v += in.uv_step, at += 2 * turn.across) {
    uint8_t* to = out + at;
    const Chroma chroma = chroma_of(*u, *v, range);
    yuv_pixel(luma[x], chroma, range, to);
    yuv_pixel(luma[x + 1], chroma, range, to + turn.across);
    yuv_pixel(below[x], chroma, range, to + down);
    yuv_pixel(below[x + 1], chroma, range, to + down + turn.across);
  }
  if (x < in.width) {
    const Chroma chroma = chroma_of(*u, *v, range);
    yuv_pixel(luma[x], chroma, range, out + at);
    yuv_pixel(below[x], chroma, range, out + at + down);
  }
}

/// Camera frame -> rgb image, turned clockwise by the frame's own degrees and `rotation` (0, 90, 180 or 270) more.
static inline Status yuv(const Frame& in, YuvRange range, int32_t rotation, Arena& arena, Image* out) {
  const Status status = check_frame(in);
  if (status != Status::kOk) return status;
  if (rotation != 0 && rotation != 90 && rotation != 180 && rotation != 270) return Status::kWrongSize;
  rotation = (rotation + in.rotation) % 360;
  const bool turned = rotation == 90 || rotation == 270;
  uint8_t* data = take_image(turned ? in.height : in.width, turned ? in.width : in.height, 3, arena, out);
  if (data == nullptr) return Status::kWorkspaceTooSmall;
  const Turn turn = turn_of(in, rotation);
  for (int32_t y = 0; y < in.height; y += 2) {
    if (range == YuvRange::kLimited) {
      yuv_rows(in, y, YuvRange::kLimited, turn, data);
    } else {
      yuv_rows(in, y, YuvRange::kFull, turn, data);
    }
  }
  return Status::kOk;
}

}  // namespace packager_contract

#endif
