// A model for tests: takes tensors of two values, answers {constant, sum}, and misbehaves when asked to.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/guarded.h"
#include "serving/predictor.h"

namespace atelier::serving::testing {

// First values of an instance that mean something.
inline constexpr float kCrash = -1001;   // the process ends
inline constexpr float kHang = -1002;    // the batch never ends
inline constexpr float kRefuse = -1003;  // the batch fails
inline constexpr float kThrow = -1004;   // the batch throws

struct FakeBehaviour {
  float constant = 0;
  int compute_us = 0;
};

struct FakePrepared final : Prepared {
  explicit FakePrepared(std::vector<float> numbers) : values(std::move(numbers)) {}
  std::vector<float> values;
};

class FakePredictor final : public Predictor {
 public:
  explicit FakePredictor(FakeBehaviour behaviour) : behaviour_(behaviour) {
    signature_.family = "fake";
    signature_.task = "regression";
    signature_.inputs = {{"input", "FP32", {-1, 2}}};
    signature_.outputs = {{"output", "FP32", {-1, 2}}};
    signature_.output_fields = {"constant", "sum"};
  }

  const Signature& signature() const override { return signature_; }

  Result<std::unique_ptr<Prepared>> Prepare(const Instance& instance) const override {
    const auto* tensor = std::get_if<Tensor>(&instance);
    if (tensor == nullptr || tensor->values.size() != 2) {
      return InvalidArgument("an instance is a tensor of 2 values");
    }
    return std::unique_ptr<Prepared>(std::make_unique<FakePrepared>(tensor->values));
  }

  Result<std::vector<Answer>> Predict(std::span<const Prepared* const> batch) override {
    batches_.With([&](auto& sizes) { sizes.push_back(static_cast<int>(batch.size())); });
    if (behaviour_.compute_us > 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(behaviour_.compute_us));
    }
    std::vector<Answer> out;
    for (const Prepared* prepared : batch) {
      const auto& values = static_cast<const FakePrepared*>(prepared)->values;
      if (values[0] == kCrash) {
        _exit(3);
      }
      while (values[0] == kHang) {
        std::this_thread::sleep_for(std::chrono::seconds(1));
      }
      if (values[0] == kRefuse) {
        return Internal("refused");
      }
      if (values[0] == kThrow) {
        throw std::runtime_error("thrown");
      }
      out.push_back({.values = {behaviour_.constant, values[0] + values[1]}});
    }
    return out;
  }

  std::vector<int> batches() const {
    return batches_.With([](const auto& sizes) { return sizes; });
  }
  int largest_batch() const {
    const auto sizes = batches();
    return sizes.empty() ? 0 : *std::max_element(sizes.begin(), sizes.end());
  }

 private:
  FakeBehaviour behaviour_;
  Signature signature_;
  Guarded<std::vector<int>> batches_;
};

inline Tensor Pair(float a, float b) { return Tensor{{2}, {a, b}}; }

template <class Condition>
bool WaitFor(Condition&& condition, int timeout_ms = 20000) {
  for (int waited = 0; waited < timeout_ms; waited += 5) {
    if (condition()) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return condition();
}

// A folder that goes with the test.
class TempDir {
 public:
  TempDir() {
    char name[] = "/tmp/serving-test-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace atelier::serving::testing
