// The engine over the TensorFlow Lite C API.
#include <fstream>
#include <iterator>
#include <vector>

#include "engine.hpp"
#include "tflite_metadata.hpp"

#if __has_include("tensorflow/lite/c/c_api.h")
#include "tensorflow/lite/c/c_api.h"
#else
#include "tflite_c_api_minimal.h"
#endif

namespace packager_contract {
namespace {

template <auto Delete>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Delete(object);
  }
};

std::vector<char> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> data{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file || data.empty()) throw EngineError("cannot read the model file " + path);
  return data;
}

class TfLiteEngine final : public Engine {
 public:
  TfLiteEngine(const std::string& path, const EngineOptions& options)
      : file_(read_file(path)),
        contract_(TfLiteMetadata(file_).text("packager.contract")),
        model_(TfLiteModelCreate(file_.data(), file_.size())),
        options_(TfLiteInterpreterOptionsCreate()) {
    if (!model_) throw EngineError(path + " is not a TensorFlow Lite model");
    TfLiteInterpreterOptionsSetNumThreads(options_.get(), options.threads);
    interpreter_.reset(TfLiteInterpreterCreate(model_.get(), options_.get()));
    if (!interpreter_ || TfLiteInterpreterAllocateTensors(interpreter_.get()) != kTfLiteOk)
      throw EngineError("this TensorFlow Lite cannot prepare " + path);
  }

  void set_input(const char* name, const void* data, std::size_t bytes) override {
    if (TfLiteTensorCopyFromBuffer(input(name), data, bytes) != kTfLiteOk)
      throw EngineError(std::string("input ") + name + " does not take " + std::to_string(bytes) + " bytes");
  }

  void invoke() override {
    if (TfLiteInterpreterInvoke(interpreter_.get()) != kTfLiteOk) throw EngineError("inference failed");
  }

  void get_output(const char* name, void* data, std::size_t bytes) const override {
    if (TfLiteTensorCopyToBuffer(output(name), data, bytes) != kTfLiteOk)
      throw EngineError(std::string("output ") + name + " does not give " + std::to_string(bytes) + " bytes");
  }

  const std::string& contract() const override { return contract_; }

 private:
  TfLiteTensor* input(const std::string& name) const {
    for (int i = 0; i < TfLiteInterpreterGetInputTensorCount(interpreter_.get()); ++i) {
      TfLiteTensor* tensor = TfLiteInterpreterGetInputTensor(interpreter_.get(), i);
      if (name == TfLiteTensorName(tensor)) return tensor;
    }
    throw EngineError("the model has no input " + name);
  }

  const TfLiteTensor* output(const std::string& name) const {
    for (int i = 0; i < TfLiteInterpreterGetOutputTensorCount(interpreter_.get()); ++i) {
      const TfLiteTensor* tensor = TfLiteInterpreterGetOutputTensor(interpreter_.get(), i);
      if (name == TfLiteTensorName(tensor)) return tensor;
    }
    throw EngineError("the model has no output " + name);
  }

  std::vector<char> file_;  // the runtime reads weights from here for as long as it lives
  std::string contract_;
  std::unique_ptr<TfLiteModel, Deleter<TfLiteModelDelete>> model_;
  std::unique_ptr<TfLiteInterpreterOptions, Deleter<TfLiteInterpreterOptionsDelete>> options_;
  std::unique_ptr<TfLiteInterpreter, Deleter<TfLiteInterpreterDelete>> interpreter_;
};

}  // namespace

std::unique_ptr<Engine> Engine::open(const std::string& path, const EngineOptions& options) {
  return std::make_unique<TfLiteEngine>(path, options);
}

}  // namespace packager_contract
