// Small models of random weights, of any architecture in the table.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/formats/memory_file.h"
#include "engine/model.h"

namespace atelier::engine::testing {

// The keys that architectures ask for, for a small model.
inline std::shared_ptr<MemoryFile> SmallMetadata(const std::string& architecture) {
  auto file = std::make_shared<MemoryFile>();
  const std::string prefix = architecture + ".";
  file->SetText("general.architecture", architecture);
  file->SetInteger(prefix + "context_length", 128);
  file->SetInteger(prefix + "embedding_length", 24);
  file->SetInteger(prefix + "block_count", 2);
  file->SetInteger(prefix + "feed_forward_length", 20);
  file->SetInteger(prefix + "attention.head_count", 4);
  file->SetInteger(prefix + "attention.head_count_kv", 2);
  file->SetInteger(prefix + "attention.key_length", 8);
  file->SetInteger(prefix + "attention.value_length", 8);
  file->SetInteger(prefix + "attention.sliding_window", 5);
  file->SetInteger(prefix + "attention.relative_buckets_count", 8);
  file->SetNumber(prefix + "attention.layer_norm_rms_epsilon", 1e-5);
  file->SetNumber(prefix + "attention.layer_norm_epsilon", 1e-5);
  return file;
}

// Adds a tensor of random numbers: those of norms around one, others such that activations keep their size.
inline void AddRandom(MemoryFile& file, const std::string& name, std::vector<int64_t> shape) {
  std::mt19937 random(static_cast<uint32_t>(std::hash<std::string>()(name)));
  std::normal_distribution<float> normal(0.0F, shape.size() == 1 ? 0.1F : 0.3F);
  size_t count = 1;
  for (const int64_t dimension : shape) {
    count *= static_cast<size_t>(dimension);
  }
  const bool around_one = name.find("norm") != std::string::npos && name.ends_with(".weight");
  std::vector<float> values(count);
  for (float& value : values) {
    value = normal(random) + (around_one ? 1.0F : 0.0F);
  }
  file.AddFloats(name, std::move(shape), std::move(values));
}

// "... not [3, 4]" to {3, 4}.
inline std::vector<int64_t> ExpectedShape(const std::string& message) {
  std::vector<int64_t> shape;
  for (size_t at = message.rfind("not [") + 4; at < message.size() && message[at] != ']';) {
    ++at;
    size_t digits = 0;
    shape.push_back(std::stoll(message.substr(at), &digits));
    at += digits;
  }
  return shape;
}

// Adds every tensor that loading says is missing, in the shape that it asks for. The error that is left, if any.
inline Result<std::unique_ptr<Model>> Complete(const std::shared_ptr<MemoryFile>& file, const ModelOptions& options) {
  for (int i = 0; i < 1000; ++i) {
    auto model = Model::Load(file, options);
    if (model.ok() || model.error().reason != "invalid_model_file" || model.error().param.empty()) {
      return model;
    }
    const std::string& message = model.error().message;
    if (message.ends_with("is missing") && message.find("tensor") != std::string::npos) {
      AddRandom(*file, model.error().param, {1});
    } else if (message.find(", not [") != std::string::npos) {
      AddRandom(*file, model.error().param, ExpectedShape(message));
    } else {
      return model;
    }
  }
  return Internal("the model is never complete");
}

inline std::shared_ptr<MemoryFile> SmallFile(const std::string& architecture) {
  auto file = SmallMetadata(architecture);
  AddRandom(*file, "token_embd.weight", {50, 24});
  return file;
}

}  // namespace atelier::engine::testing
