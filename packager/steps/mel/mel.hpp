#ifndef PACKAGER_CONTRACT_MEL_HPP
#define PACKAGER_CONTRACT_MEL_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// float32 [frames, columns] -> [frames, filters]. Filter i takes `counts[i]` columns from `starts[i]`; its weights
/// follow those of the filter before it. Sums in float64, rounded once.
static inline Status mel(Tensor<const float> in, int32_t columns, Ints starts, Ints counts, Floats weights,
                         Arena& arena, Tensor<const float>* out) {
  const size_t width = static_cast<size_t>(columns);
  if (columns < 1 || in.size % width != 0) return Status::kWrongSize;
  const size_t frames = in.size / width;
  const size_t filters = static_cast<size_t>(starts.size);
  float* values = arena.take<float>(frames * filters);
  if (values == nullptr) return Status::kWorkspaceTooSmall;
  // Three rows at once, since each sum waits for its last addition.
  for (size_t t = 0; t < frames; t += 3) {
    const size_t rows = frames - t < 3 ? frames - t : 3;
    const float* row[3];
    for (size_t r = 0; r < 3; ++r) row[r] = in.data + (t + (r < rows ? r : 0)) * width;
    const float* weight = weights.data;
    for (size_t i = 0; i < filters; ++i) {
      double sum[3] = {};
      for (int32_t k = starts.data[i]; k < starts.data[i] + counts.data[i]; ++k) {
        const double by = static_cast<double>(*weight++);
        for (size_t r = 0; r < 3; ++r) sum[r] += static_cast<double>(row[r][k]) * by;
      }
      for (size_t r = 0; r < rows; ++r) values[(t + r) * filters + i] = static_cast<float>(sum[r]);
    }
  }
  *out = Tensor<const float>{values, frames * filters};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
