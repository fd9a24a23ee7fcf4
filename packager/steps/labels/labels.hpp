#ifndef PACKAGER_CONTRACT_LABELS_HPP
#define PACKAGER_CONTRACT_LABELS_HPP

#include <math.h>

#include "contract_types.hpp"

namespace packager_contract {

/// float32 [1, n] -> the `top` best classes, best first, ties by lower index.
static inline Status labels(Tensor<const float> in, Strings names, int32_t top, Arena& arena, Classification* out) {
  if (in.size != static_cast<size_t>(names.size) || top < 1 || top > names.size) return Status::kWrongSize;
  LabelScore* best = arena.take<LabelScore>(static_cast<size_t>(top));
  if (best == nullptr) return Status::kWorkspaceTooSmall;
  int32_t size = 0;
  for (int32_t index = 0; index < names.size; ++index) {
    const float score = in.data[index];
    if (!isfinite(score)) return Status::kNotFinite;
    if (size == top && score <= best[size - 1].score) continue;
    int32_t place = size < top ? size++ : top - 1;
    for (; place > 0 && best[place - 1].score < score; --place) best[place] = best[place - 1];
    best[place] = LabelScore{names.data[index], score, index};
  }
  *out = Classification{best, size};
  return Status::kOk;
}

/// `labels`, of these the ones with a score of at least `threshold`.
static inline Status labels_above(Tensor<const float> in, Strings names, int32_t top, float threshold, Arena& arena,
                                  Classification* out) {
  const Status status = labels(in, names, top, arena, out);
  if (status != Status::kOk) return status;
  while (out->size > 0 && out->labels[out->size - 1].score < threshold) --out->size;
  return Status::kOk;
}

}  // namespace packager_contract

#endif
