// Runs one model file. One engine per model; not thread-safe, the model class locks.
#ifndef PACKAGER_CONTRACT_ENGINE_HPP
#define PACKAGER_CONTRACT_ENGINE_HPP

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>

namespace packager_contract {

/// The model file or its runtime cannot be used; the text says why.
class EngineError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct EngineOptions {
  int threads = 1;
};

class Engine {
 public:
  virtual ~Engine() = default;

  /// Copies raw elements into the input called `name`. Throws EngineError where name or size do not fit.
  virtual void set_input(const char* name, const void* data, std::size_t bytes) = 0;

  /// Runs the model once. Throws EngineError where the runtime reports a failure.
  virtual void invoke() = 0;

  /// Copies the raw elements of the output called `name`. Throws EngineError where name or size do not fit.
  virtual void get_output(const char* name, void* data, std::size_t bytes) const = 0;

  /// The contract hash that was written into the model file, or an empty text.
  virtual const std::string& contract() const = 0;

  /// Opens a model file. Throws EngineError where it cannot be read or prepared.
  static std::unique_ptr<Engine> open(const std::string& path, const EngineOptions& options);
};

}  // namespace packager_contract

#endif  // PACKAGER_CONTRACT_ENGINE_HPP
