#ifndef PACKAGER_CONTRACT_TRANSPOSE_HPP
#define PACKAGER_CONTRACT_TRANSPOSE_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// float32 [rows, columns] -> [columns, rows].
static inline Status transpose(Tensor<const float> in, int32_t rows, int32_t columns, Arena& arena,
                               Tensor<const float>* out) {
  const size_t height = static_cast<size_t>(rows);
  const size_t width = static_cast<size_t>(columns);
  if (in.size != height * width) return Status::kWrongSize;
  float* values = arena.take<float>(in.size);
  if (values == nullptr) return Status::kWorkspaceTooSmall;
  for (size_t y = 0; y < height; ++y) {
    for (size_t x = 0; x < width; ++x) values[x * height + y] = in.data[y * width + x];
  }
  *out = Tensor<const float>{values, in.size};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
