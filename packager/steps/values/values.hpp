#ifndef PACKAGER_CONTRACT_VALUES_HPP
#define PACKAGER_CONTRACT_VALUES_HPP

#include <math.h>

#include "contract_types.hpp"

namespace packager_contract {

/// float32 tensor -> its numbers with their shape and unit; they stay where they are.
static inline Status as_values(Tensor<const float> in, Ints shape, const char* unit, Arena& arena, Values* out) {
  static_cast<void>(arena);
  for (size_t i = 0; i < in.size; ++i)
    if (!isfinite(in.data[i])) return Status::kNotFinite;
  *out = Values{in.data, static_cast<int32_t>(in.size), shape, unit};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
