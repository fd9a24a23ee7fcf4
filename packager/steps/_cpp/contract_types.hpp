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
  kNotFinite,          ///< a score is NaN or infinite
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
