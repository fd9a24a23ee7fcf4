#ifndef PACKAGER_CONTRACT_HEAD_TAIL_HPP
#define PACKAGER_CONTRACT_HEAD_TAIL_HPP

#include "contract_types.hpp"

namespace packager_contract {

/// Space, or one of \t \n \v \f \r.
static inline bool is_space(uint8_t byte) { return byte == 32 || (byte >= 9 && byte <= 13); }

template <class T>
static inline Status take_ends(const Bytes& in, int32_t head, int32_t tail, int32_t block, bool strip, T pad,
                               Arena& arena, Tensor<const T>* out) {
  const size_t first = static_cast<size_t>(head);
  const size_t size = first + static_cast<size_t>(tail);
  T* values = arena.take<T>(size);
  if (values == nullptr) return Status::kWorkspaceTooSmall;
  for (size_t i = 0; i < size; ++i) values[i] = pad;
  const size_t seen = static_cast<size_t>(block) < in.size ? static_cast<size_t>(block) : in.size;
  size_t from = 0;
  while (strip && from < seen && is_space(in.data[from])) ++from;
  for (size_t i = 0; i < first && from + i < seen; ++i) values[i] = static_cast<T>(in.data[from + i]);
  size_t left = seen;
  const uint8_t* end = in.data + in.size;
  for (; strip && left > 0 && is_space(end[-1]); --left) --end;
  for (size_t i = 1; i <= static_cast<size_t>(tail) && i <= left; ++i) {
    values[size - i] = static_cast<T>(*(end - i));
  }
  *out = Tensor<const T>{values, size};
  return Status::kOk;
}

/// Bytes -> int32 [1, head + tail]: the first and the last bytes, `pad` for each that is not there. Only `block` bytes
/// at each end are looked at; with `strip`, white space around the content is left out.
static inline Status head_tail(const Bytes& in, int32_t head, int32_t tail, int32_t block, bool strip, int32_t pad,
                               Arena& arena, Tensor<const int32_t>* out) {
  return take_ends<int32_t>(in, head, tail, block, strip, pad, arena, out);
}

/// The same as float32.
static inline Status head_tail_floats(const Bytes& in, int32_t head, int32_t tail, int32_t block, bool strip,
                                      int32_t pad, Arena& arena, Tensor<const float>* out) {
  return take_ends<float>(in, head, tail, block, strip, static_cast<float>(pad), arena, out);
}

}  // namespace packager_contract

#endif
