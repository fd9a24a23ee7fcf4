#ifndef PACKAGER_CONTRACT_CONTRACT_TYPES_HPP
#define PACKAGER_CONTRACT_CONTRACT_TYPES_HPP

#include <stddef.h>
#include <stdint.h>

#include "contract_config.hpp"

namespace packager_contract {

/// Outcome of every call; results are valid only after `kOk`.
enum class Status : int32_t {
  kOk,
  kEmptyImage,         ///< no pixels, or no data
  kImageTooLarge,      ///< more pixels than the contract was built for
  kWorkspaceTooSmall,  ///< the arena has not the stated number of bytes
  kWrongSize,          ///< the input has not the stated size or number of channels
  kNotFinite,          ///< a number is NaN or infinite
  kInputTooLarge,      ///< more audio, rows or bytes than the contract was built for
  kEmptyInput,         ///< audio, series or bytes without an element
};

/// Name of a status for logs.
static inline const char* status_name(Status status) {
  switch (status) {
    case Status::kOk:
      return "ok";
    case Status::kEmptyImage:
      return "empty image";
    case Status::kImageTooLarge:
      return "image too large";
    case Status::kWorkspaceTooSmall:
      return "workspace too small";
    case Status::kWrongSize:
      return "wrong size";
    case Status::kNotFinite:
      return "not finite";
    case Status::kInputTooLarge:
      return "input too large";
    case Status::kEmptyInput:
      return "empty input";
  }
  return "unknown";
}

/// An 8-bit image: rows from top to bottom, `stride` bytes apart, each of interleaved channels. Owns nothing.
struct Image {
  const uint8_t* data;
  int32_t width;
  int32_t height;
  int32_t channels;
  size_t stride;
};

/// Width and height in pixels of the image that the app handed over.
struct ImageSize {
  int32_t width;
  int32_t height;
};

/// A YUV 4:2:0 camera frame: luma, and two planes of chroma at half the width and height (rounded up). `uv_step` is 1
/// where each plane of chroma stands alone (I420), 2 where they alternate (NV12, NV21). Owns nothing.
struct Frame {
  const uint8_t* y;
  const uint8_t* u;
  const uint8_t* v;
  int32_t width;
  int32_t height;
  size_t y_stride;   ///< bytes from one row of luma to the next
  size_t uv_stride;  ///< bytes from one row of chroma to the next
  size_t uv_step;    ///< bytes from one chroma value of a row to the next
  int32_t rotation = 0;  ///< degrees by which it is turned clockwise to stand upright: 0, 90, 180 or 270
};

/// 16-bit PCM, the channels of one moment side by side. Owns nothing.
struct Audio {
  const int16_t* data;
  int32_t frames;
  int32_t channels;
};

/// Measurements in time order, the channels of one moment side by side. Owns nothing.
struct Series {
  const float* data;
  int32_t length;
  int32_t channels;
};

/// The content of a file. Owns nothing.
struct Bytes {
  const uint8_t* data;
  size_t size;
};

/// Numbers in C order. Owns nothing.
template <class T>
struct Tensor {
  T* data;
  size_t size;
};

/// A constant list of the contract.
template <class T>
struct List {
  const T* data;
  int32_t size;
};
using Floats = List<float>;
using Doubles = List<double>;
using Ints = List<int32_t>;
using Strings = List<const char*>;

/// One class with its score and its index among the model's scores.
struct LabelScore {
  const char* label;
  float score;
  int32_t index;
};

/// Classes, best first; ties by lower index. The array lives in the arena.
struct Classification {
  const LabelScore* labels;
  int32_t size;
};

/// Edges in pixels of the original image, inside it.
struct Box {
  float left;
  float top;
  float right;
  float bottom;
};

/// A place in pixels of the original image; it may lie outside.
struct Point {
  float x;
  float y;
};

/// A place in pixels of the original image; z in the unit of x, 0 where the model gives none.
struct Point3 {
  float x;
  float y;
  float z;
};

/// One object: its class, score, box and points.
struct Detection {
  const char* label;
  float score;
  int32_t index;
  Box box;
  const Point* points;
  int32_t points_size;
};

/// Objects, best first. The arrays live in the arena.
struct Detections {
  const Detection* detections;
  int32_t size;
};

/// The points of one object, and how sure the model is that it is there. The array lives in the arena.
struct Landmarks {
  float score;
  const Point3* points;
  int32_t size;
};

/// A class for each pixel of the original image, rows from top to bottom; `labels` may be empty.
struct Mask {
  int32_t width;
  int32_t height;
  const uint8_t* classes;
  Strings labels;
};

/// A vector whose distances mean something.
struct Embedding {
  const float* values;
  int32_t size;
};

/// Plain numbers in C order, with their shape and their unit (may be empty).
struct Values {
  const float* values;
  int32_t size;
  Ints shape;
  const char* unit;
};

/// Detections before they are a result: `size` boxes (left, top, right, bottom), scores and classes, and `points_each`
/// points (x, y) of each, in pixels of the model's input. The arrays live in the arena.
struct Candidates {
  float* boxes;
  float* points;
  float* scores;
  int32_t* classes;
  int32_t size;
  int32_t points_each;
};

/// Order of colour channels.
enum class ChannelOrder : int32_t { kRgb, kBgr, kGrey };

/// Gives out 16-byte aligned blocks of the caller's memory, one after the other; there is no other allocation.
class Arena {
 public:
  static constexpr size_t kAlignment = 16;

  /// `memory` should be 16-byte aligned: what is lost to alignment is not in the stated workspace sizes.
  Arena(void* memory, size_t bytes) : next_(static_cast<uint8_t*>(memory)), left_(bytes) {
    const size_t skip = (kAlignment - reinterpret_cast<uintptr_t>(memory) % kAlignment) % kAlignment;
    if (memory == nullptr || bytes < skip) {
      left_ = 0;
      return;
    }
    next_ += skip;
    left_ -= skip;
  }

  /// `count` uninitialised values, or nullptr where the memory does not suffice.
  template <class T>
  T* take(size_t count) {
    if (count > left_ / sizeof(T)) return nullptr;
    const size_t bytes = (count * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    if (bytes > left_) return nullptr;
    T* block = reinterpret_cast<T*>(next_);
    next_ += bytes;
    left_ -= bytes;
    return block;
  }

  /// Bytes that are left.
  size_t left() const { return left_; }

 private:
  uint8_t* next_;
  size_t left_;
};

/// Whether an image can be read at all.
static inline Status check_image(const Image& image) {
  if (image.data == nullptr || image.width < 1 || image.height < 1) return Status::kEmptyImage;
  if (image.channels < 1 || image.channels > 4) return Status::kWrongSize;
  const size_t row = static_cast<size_t>(image.width) * static_cast<size_t>(image.channels);
  return image.stride < row ? Status::kWrongSize : Status::kOk;
}

/// Whether a frame can be read at all.
static inline Status check_frame(const Frame& frame) {
  if (frame.y == nullptr || frame.u == nullptr || frame.v == nullptr) return Status::kEmptyImage;
  if (frame.width < 1 || frame.height < 1) return Status::kEmptyImage;
  if (frame.uv_step < 1) return Status::kWrongSize;
  if (frame.rotation < 0 || frame.rotation > 270 || frame.rotation % 90 != 0) return Status::kWrongSize;
  const size_t chroma = (static_cast<size_t>(frame.width) + 1) / 2;
  const bool fits = frame.y_stride >= static_cast<size_t>(frame.width) &&
                    frame.uv_stride >= (chroma - 1) * frame.uv_step + 1;
  return fits ? Status::kOk : Status::kWrongSize;
}

/// Width and height of a frame that stands upright.
static inline ImageSize upright_size(const Frame& frame) {
  const bool turned = frame.rotation % 180 != 0;
  return turned ? ImageSize{frame.height, frame.width} : ImageSize{frame.width, frame.height};
}

/// Memory for `capacity` candidates in the arena; false where it does not suffice.
static inline bool take_candidates(int32_t capacity, int32_t points_each, Arena& arena, Candidates* out) {
  const size_t count = static_cast<size_t>(capacity);
  const size_t points = count * static_cast<size_t>(points_each) * 2;
  *out = Candidates{arena.take<float>(count * 4), arena.take<float>(points), arena.take<float>(count),
                    arena.take<int32_t>(count),   0,                         points_each};
  return out->boxes != nullptr && out->points != nullptr && out->scores != nullptr && out->classes != nullptr;
}

/// First byte of a row.
static inline const uint8_t* row_of(const Image& image, int32_t y) {
  return image.data + static_cast<size_t>(y) * image.stride;
}

/// Memory for an image of this size in the arena, rows without gaps; `data` is nullptr where it does not suffice.
static inline uint8_t* take_image(int32_t width, int32_t height, int32_t channels, Arena& arena, Image* out) {
  const size_t row = static_cast<size_t>(width) * static_cast<size_t>(channels);
  uint8_t* data = arena.take<uint8_t>(row * static_cast<size_t>(height));
  *out = Image{data, width, height, channels, row};
  return data;
}

/// A product of two bytes divided by 255, rounded.
static inline int32_t div255(int32_t product) {
  const int32_t t = product + 128;
  return ((t >> 8) + t) >> 8;
}

}  // namespace packager_contract

#endif
