#ifndef PACKAGER_CONTRACT_EMBEDDING_HPP
#define PACKAGER_CONTRACT_EMBEDDING_HPP

#include <math.h>

#include "contract_types.hpp"

namespace packager_contract {

/// float32 tensor -> a vector, of length 1 where `normalize` says so; one of zeros stays.
static inline Status as_embedding(Tensor<const float> in, bool normalize, Arena& arena, Embedding* out) {
  float* values = arena.take<float>(in.size);
  if (values == nullptr) return Status::kWorkspaceTooSmall;
  double sum = 0.0;
  for (size_t i = 0; i < in.size; ++i) {
    if (!isfinite(in.data[i])) return Status::kNotFinite;
    const double wide = static_cast<double>(in.data[i]);
    const double square = wide * wide;
    sum += square;
  }
  const double length = sqrt(sum);
  const bool scales = normalize && length > 0.0;
  for (size_t i = 0; i < in.size; ++i)
    values[i] = scales ? static_cast<float>(static_cast<double>(in.data[i]) / length) : in.data[i];
  *out = Embedding{values, static_cast<int32_t>(in.size)};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
