#ifndef PACKAGER_CONTRACT_THRESHOLD_HPP
#define PACKAGER_CONTRACT_THRESHOLD_HPP

#include <math.h>

#include "contract_types.hpp"

namespace packager_contract {

/// One number -> one label with the number as its score: the second name above the limit, else the first.
static inline Status threshold(Tensor<const float> in, Strings names, float limit, Arena& arena, Classification* out) {
  if (in.size != 1 || names.size != 2) return Status::kWrongSize;
  const float score = in.data[0];
  if (!isfinite(score)) return Status::kNotFinite;
  LabelScore* label = arena.take<LabelScore>(1);
  if (label == nullptr) return Status::kWorkspaceTooSmall;
  const int32_t index = score > limit ? 1 : 0;
  *label = LabelScore{names.data[index], score, index};
  *out = Classification{label, 1};
  return Status::kOk;
}

}  // namespace packager_contract

#endif
