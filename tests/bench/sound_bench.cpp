// The C++ side of sound_bench.py: lines of a name and milliseconds. `@...@` are filled in by it.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "log.hpp"
#include "mel.hpp"
#include "spectrogram.hpp"
#include "waveform.hpp"

using namespace packager_contract;

static const int32_t kStarts[] = {@starts@};
static const int32_t kCounts[] = {@counts@};
static const float kWeights[] = {@weights@};
static int16_t samples[16000];

static double now() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) * 1e-6;
}

static Status log_mel(void* memory, size_t size) {
  Arena arena(memory, size);
  Tensor<const float> wave{}, power{}, bank{}, out{};
  Status status = waveform(Audio{samples, 16000, 1}, 16000, arena, &wave);
  if (status != Status::kOk) return status;
  status = spectrogram(wave, 400, 160, 512, @first@, @frames@, 2, arena, &power);
  if (status != Status::kOk) return status;
  const Ints starts{kStarts, @filters@}, counts{kCounts, @filters@};
  status = mel(power, 257, starts, counts, Floats{kWeights, sizeof(kWeights) / sizeof(float)}, arena, &bank);
  if (status != Status::kOk) return status;
  return log_spectrum(bank, 0.0f, 1e-6f, LogBase::kE, arena, &out);
}

int main() {
  constexpr size_t kArena = 4U << 20;
  void* memory = aligned_alloc(16, kArena);
  for (uint32_t i = 0; i < 16000; ++i) samples[i] = static_cast<int16_t>((i * 1664525U + 1013904223U) >> 18);
  double least = 1e9;
  for (int i = 0; i < 300; ++i) {
    const double started = now();
    if (log_mel(memory, kArena) != Status::kOk) return 1;
    const double taken = now() - started;
    if (taken < least) least = taken;
  }
  printf("log-mel %.4f\n", least);
  free(memory);
  return 0;
}
