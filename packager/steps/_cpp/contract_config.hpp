#ifndef PACKAGER_CONTRACT_CONTRACT_CONFIG_HPP
#define PACKAGER_CONTRACT_CONTRACT_CONFIG_HPP

// Results are equal to the bit only in plain IEEE arithmetic. What no macro tells, contraction_probe.hpp finds out.
#if defined(__FAST_MATH__)
#error "build the contract without -ffast-math (and with -ffp-contract=off)"
#endif
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0
#error "build the contract with float arithmetic in float precision (for example -mfpmath=sse)"
#endif

#endif
