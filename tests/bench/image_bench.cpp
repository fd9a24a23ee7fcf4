// The C++ side of image_bench.py: lines of a name and milliseconds.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "normalize.hpp"
#include "resize.hpp"
#include "yuv.hpp"

using namespace packager_contract;

static double now() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) * 1e-6;
}

template <class Work>
static void best(const char* name, int runs, Work work) {
  double least = 1e9;
  for (int i = 0; i < runs; ++i) {
    const double started = now();
    if (work() != Status::kOk) exit(1);
    const double taken = now() - started;
    if (taken < least) least = taken;
  }
  printf("%s %.4f\n", name, least);
}

int main() {
  constexpr int32_t kWidth = 4000, kHeight = 3000;
  constexpr size_t kBytes = static_cast<size_t>(kWidth) * kHeight * 3, kArena = 32U << 20;
  static const double means[] = {123.675, 116.28, 103.53}, deviations[] = {58.395, 57.12, 57.375};
  uint8_t* data = static_cast<uint8_t*>(malloc(kBytes));
  void* memory = aligned_alloc(16, kArena);
  if (data == nullptr || memory == nullptr) return 1;
  for (size_t i = 0; i < kBytes; ++i) {
    data[i] = static_cast<uint8_t>((static_cast<uint32_t>(i) * 1664525U + 1013904223U) >> 24);
  }
  const auto normalized = [&](const Image& image, Arena& arena) {
    Tensor<const float> tensor{};
    return normalize(image, Doubles{means, 3}, Doubles{deviations, 3}, ChannelOrder::kRgb, arena, &tensor);
  };
  best("photo", 15, [&] {
    Arena arena(memory, kArena);
    const Image photo{data, kWidth, kHeight, 3, static_cast<size_t>(kWidth) * 3};
    Image small{};
    const Status status = resize_pillow(photo, 224, 224, Fit::kStretch, Filter::kBilinear, 0, arena, &small);
    return status == Status::kOk ? normalized(small, arena) : status;
  });
  best("frame", 30, [&] {
    Arena arena(memory, kArena);
    const uint8_t* chroma = data + 1280 * 720;
    const Frame frame{data, chroma + 1, chroma, 1280, 720, 1280, 1280, 2};
    Image upright{}, small{};
    Status status = yuv(frame, YuvRange::kLimited, 90, arena, &upright);
    if (status != Status::kOk) return status;
    status = resize_pillow(upright, 224, 224, Fit::kCrop, Filter::kBilinear, 0, arena, &small);
    return status == Status::kOk ? normalized(small, arena) : status;
  });
  free(memory);
  free(data);
  return 0;
}
