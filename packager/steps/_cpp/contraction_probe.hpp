#ifndef PACKAGER_CONTRACT_CONTRACTION_PROBE_HPP
#define PACKAGER_CONTRACT_CONTRACTION_PROBE_HPP

#include "contract_config.hpp"

namespace packager_contract {

/// Whether this file's build rounds after a multiplication as the contract needs it, not only after the addition that
/// follows. No compiler says so in a macro.
static inline bool contraction_is_off() {
  volatile const float factor = 1.000244140625F;  // 1 + 2^-12: its square needs one bit more than a float has
  const float first = factor;
  volatile const float rounded = first * first;
  const float second = factor;  // read again, so that no compiler takes the product from above
  const float minus = -rounded;
  volatile const float sum = second * second + minus;
  return sum == 0.0F;
}

}  // namespace packager_contract

#endif
