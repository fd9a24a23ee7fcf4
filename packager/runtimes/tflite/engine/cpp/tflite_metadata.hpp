// Reads one metadata entry of a .tflite file. The C API has no call for it, so the few flatbuffer tables on the way
// are walked here; every offset is checked against the file's size, because a model file is input like any other.
// Layout: TensorFlow Lite schema version 3, tables Model, Metadata and Buffer.
#ifndef PACKAGER_CONTRACT_TFLITE_METADATA_HPP
#define PACKAGER_CONTRACT_TFLITE_METADATA_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace packager_contract {

class TfLiteMetadata {
 public:
  explicit TfLiteMetadata(const std::vector<char>& file) : file_(file) {}

  /// Text of the entry called `name`, or an empty text where there is none or the file is damaged.
  std::string text(const std::string& name) const {
    const std::size_t model = follow(0);
    const std::size_t buffers = vector_field(model, 4);
    const std::size_t entries = vector_field(model, 6);
    for (std::size_t i = 0; i < length(entries); ++i) {
      const std::size_t entry = element(entries, i);
      if (bytes(vector_field(entry, 0)) == name) {
        const std::size_t index = u32(field(entry, 1));
        return index < length(buffers) ? bytes(vector_field(element(buffers, index), 0)) : std::string();
      }
    }
    return {};
  }

 private:
  // Position 0 stands for "absent": the file starts with the root's offset, so no table lies there.
  std::size_t u16(std::size_t at) const { return number<std::uint16_t>(at); }
  std::size_t u32(std::size_t at) const { return number<std::uint32_t>(at); }

  template <class T>
  std::size_t number(std::size_t at) const {
    T value = 0;
    if (at + sizeof value <= file_.size()) std::memcpy(&value, file_.data() + at, sizeof value);
    return value;
  }

  std::size_t follow(std::size_t at) const {
    const std::size_t target = at + u32(at);
    return target < file_.size() ? target : 0;
  }

  /// Position of field `slot` of the table at `table`.
  std::size_t field(std::size_t table, std::size_t slot) const {
    if (table == 0) return 0;
    std::int32_t back = 0;
    if (table + sizeof back > file_.size()) return 0;
    std::memcpy(&back, file_.data() + table, sizeof back);
    const std::int64_t vtable = static_cast<std::int64_t>(table) - back;
    if (vtable <= 0 || vtable >= static_cast<std::int64_t>(file_.size())) return 0;
    const std::size_t start = static_cast<std::size_t>(vtable);
    const std::size_t entry = 4 + 2 * slot;
    if (entry + 2 > u16(start)) return 0;
    const std::size_t offset = u16(start + entry);
    return offset == 0 ? 0 : table + offset;
  }

  std::size_t vector_field(std::size_t table, std::size_t slot) const {
    const std::size_t at = field(table, slot);
    return at == 0 ? 0 : follow(at);
  }

  std::size_t length(std::size_t vector) const {
    const std::size_t count = vector == 0 ? 0 : u32(vector);
    return count <= file_.size() ? count : 0;
  }

  std::size_t element(std::size_t vector, std::size_t index) const { return follow(vector + 4 + 4 * index); }

  std::string bytes(std::size_t vector) const {
    const std::size_t count = length(vector);
    if (vector == 0 || vector + 4 + count > file_.size()) return {};
    return std::string(file_.data() + vector + 4, count);
  }

  const std::vector<char>& file_;
};

}  // namespace packager_contract

#endif  // PACKAGER_CONTRACT_TFLITE_METADATA_HPP
