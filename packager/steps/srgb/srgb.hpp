#ifndef PACKAGER_CONTRACT_SRGB_HPP
#define PACKAGER_CONTRACT_SRGB_HPP

#include "contract_types.hpp"

namespace packager_contract {

constexpr int32_t kBucketBits = 20;
constexpr int32_t kBuckets = 1 << (30 - kBucketBits);

/// Number of thresholds that are not above the sum: found from the sum's bucket on, which few thresholds share.
static inline uint8_t encode_level(int32_t sum, const int32_t* thresholds, const uint8_t* buckets) {
  if (sum < 0) return 0;
  const int32_t bucket = sum >> kBucketBits;
  if (bucket >= kBuckets) return 255;
  int32_t level = buckets[bucket];
  while (level < 255 && thresholds[level] <= sum) ++level;
  return static_cast<uint8_t>(level);
}

/// rgb image -> rgb image of another space: `linear[256]`, then `matrix[9]`, then the level by `thresholds[255]`.
static inline Status convert_colors(const Image& in, Ints linear, Ints thresholds, Ints matrix, Arena& arena,
                                    Image* out) {
  const Status status = check_image(in);
  if (status != Status::kOk) return status;
  if (in.channels != 3 || linear.size != 256 || thresholds.size != 255 || matrix.size != 9) return Status::kWrongSize;
  uint8_t* to = take_image(in.width, in.height, 3, arena, out);
  uint8_t* buckets = arena.take<uint8_t>(kBuckets);
  if (to == nullptr || buckets == nullptr) return Status::kWorkspaceTooSmall;
  int32_t level = 0;
  for (int32_t bucket = 0; bucket < kBuckets; ++bucket) {
    while (level < 255 && thresholds.data[level] <= bucket << kBucketBits) ++level;
    buckets[bucket] = static_cast<uint8_t>(level);
  }
  for (int32_t y = 0; y < in.height; ++y) {
    const uint8_t* from = row_of(in, y);
    for (int32_t x = 0; x < in.width; ++x, from += 3) {
      const int32_t red = linear.data[from[0]];
      const int32_t green = linear.data[from[1]];
      const int32_t blue = linear.data[from[2]];
      for (int32_t c = 0; c < 3; ++c) {
        const int32_t* row = matrix.data + 3 * c;
        *to++ = encode_level(row[0] * red + row[1] * green + row[2] * blue, thresholds.data, buckets);
      }
    }
  }
  return Status::kOk;
}

}  // namespace packager_contract

#endif
