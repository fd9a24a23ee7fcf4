// Reads golden/index.txt and the arrays beside it.
#ifndef GOLDEN_HPP
#define GOLDEN_HPP

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace golden {

struct Record {
  std::string sample, stage, name, dtype;
  std::vector<std::size_t> shape;
  std::string file;
  double absolute = 0, relative = 0;
  std::vector<std::string> rest;  // stage result: what follows the tolerances

  float number(std::size_t index) const { return std::strtof(rest.at(index).c_str(), nullptr); }

  bool allows(double expected, double found) const {
    const double distance = expected < found ? found - expected : expected - found;
    const double size = expected < 0 ? -expected : expected;
    return distance <= absolute + relative * size;  // false for a NaN
  }
};

inline std::string unescape(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char next = text[++i];
    out += next == 't' ? '\t' : next == 'n' ? '\n' : next;
  }
  return out;
}

inline std::vector<Record> read_index(const std::string& folder) {
  std::ifstream file(folder + "/index.txt");
  if (!file) throw std::runtime_error("cannot read " + folder + "/index.txt");
  std::vector<Record> records;
  for (std::string line; std::getline(file, line);) {
    std::vector<std::string> fields;
    std::istringstream stream(line);
    for (std::string field; std::getline(stream, field, '\t');) fields.push_back(unescape(field));
    if (fields.size() < 8) throw std::runtime_error("bad line in index.txt: " + line);
    Record record;
    record.sample = fields[0];
    record.stage = fields[1];
    record.name = fields[2];
    record.dtype = fields[3];
    std::istringstream shape(fields[4]);
    for (std::string size; std::getline(shape, size, 'x');) record.shape.push_back(std::strtoull(size.c_str(), nullptr, 10));
    record.file = folder + "/" + fields[5];
    record.absolute = std::strtod(fields[6].c_str(), nullptr);
    record.relative = std::strtod(fields[7].c_str(), nullptr);
    record.rest.assign(fields.begin() + 8, fields.end());
    records.push_back(record);
  }
  return records;
}

/// The elements of a record's array; the files are little-endian, as every supported board is.
template <class T>
std::vector<T> read_array(const Record& record) {
  std::ifstream file(record.file, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file.good() && bytes.empty()) throw std::runtime_error("cannot read " + record.file);
  std::vector<T> elements(bytes.size() / sizeof(T));
  char* target = reinterpret_cast<char*>(elements.data());
  for (std::size_t i = 0; i < elements.size() * sizeof(T); ++i) target[i] = bytes[i];
  return elements;
}

}  // namespace golden

#endif  // GOLDEN_HPP
