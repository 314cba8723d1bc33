// Small adapters of random numbers, and what they make of a model, worked out by hand.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/formats/memory_file.h"

namespace atelier::engine::testing {

inline std::shared_ptr<MemoryFile> AdapterHeadFile(const std::string& architecture, double alpha) {
  auto file = std::make_shared<MemoryFile>();
  file->SetText("general.type", "adapter");
  file->SetText("general.architecture", architecture);
  file->SetText("adapter.type", "lora");
  file->SetNumber("adapter.lora.alpha", alpha);
  return file;
}

inline std::vector<float> RandomFloats(std::mt19937& random, int64_t count, float deviation) {
  std::normal_distribution<float> normal(0.0F, deviation);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) {
    value = normal(random);
  }
  return values;
}

// For every matrix of `model` whose name ends in one of `endings`.
inline std::shared_ptr<MemoryFile> RandomAdapter(const tensor::GgufFile& model, const std::vector<std::string>& endings,
                                                 uint32_t seed, int64_t rank = 3, double alpha = 6) {
  auto file = AdapterHeadFile(*model.Text("general.architecture"), alpha);
  std::mt19937 random(seed);
  for (const auto& [name, tensor] : model.tensors()) {
    for (const std::string& ending : endings) {
      if (name.ends_with(ending + ".weight")) {
        const int64_t rows = tensor.shape[0];
        const int64_t columns = tensor.shape[1];
        file->AddFloats(name + ".lora_a", {rank, columns}, RandomFloats(random, rank * columns, 0.2F));
        file->AddFloats(name + ".lora_b", {rows, rank}, RandomFloats(random, rows * rank, 0.2F));
      }
    }
  }
  return file;
}

inline std::vector<float> FloatsOf(const tensor::GgufTensor& tensor) {
  const auto* floats = reinterpret_cast<const float*>(tensor.bytes.data());
  return {floats, floats + tensor.bytes.size() / sizeof(float)};
}

// The model with W + alpha / rank * B A for each adapted W; all tensors are F32. Borrows from `model`.
inline std::shared_ptr<MemoryFile> Merged(const tensor::GgufFile& model, const tensor::GgufFile& adapter) {
  auto file = std::make_shared<MemoryFile>();
  for (const auto& [key, value] : model.metadata()) {
    file->Set(key, value);
  }
  const double alpha = *adapter.Number("adapter.lora.alpha");
  for (const auto& [name, tensor] : model.tensors()) {
    const auto* a = adapter.Find(name + ".lora_a");
    const auto* b = adapter.Find(name + ".lora_b");
    if (a == nullptr || b == nullptr) {
      file->AddTensor(name, tensor);
      continue;
    }
    auto weights = FloatsOf(tensor);
    const auto narrow = FloatsOf(*a);
    const auto wide = FloatsOf(*b);
    const auto rank = static_cast<size_t>(b->shape[1]);
    const auto columns = static_cast<size_t>(tensor.shape[1]);
    const double scale = alpha == 0 ? 1 : alpha / static_cast<double>(rank);
    for (size_t i = 0; i < weights.size(); ++i) {
      double sum = 0;
      for (size_t k = 0; k < rank; ++k) {
        sum +=
            static_cast<double>(wide[i / columns * rank + k]) * static_cast<double>(narrow[k * columns + i % columns]);
      }
      weights[i] += static_cast<float>(scale * sum);
    }
    file->AddFloats(name, tensor.shape, std::move(weights));
  }
  return file;
}

}  // namespace atelier::engine::testing
