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
  for (size_t t = 0; t < frames; ++t) {
    const float* row = in.data + t * width;
    const float* weight = weights.data;
    for (size_t i = 0; i < filters; ++i) {
      double sum = 0.0;
      for (int32_t k = 0; k < counts.data[i]; ++k) {
        sum += static_cast<double>(row[starts.data[i] + k]) * static_cast<double>(*weight++);
      }
      values[t * filters + i] = static_cast<float>(sum);
    }
  }
  *out = Tensor<const float>{values, frames * filters};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
