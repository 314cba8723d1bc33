// A model in memory that looks like a GGUF file: what other formats are turned into, to be run or written as GGUF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tensor/gguf.h"

namespace atelier::engine {

// Built by one thread, then immutable. Tensors added as spans stay the caller's, who keeps them for as long.
class MemoryFile final : public tensor::GgufFile {
 public:
  const std::map<std::string, tensor::GgufValue, std::less<>>& metadata() const override { return metadata_; }
  const std::map<std::string, tensor::GgufTensor, std::less<>>& tensors() const override { return tensors_; }

  // Replaces what has the key or name.
  void Set(const std::string& key, tensor::GgufValue value) { metadata_[key] = std::move(value); }
  void SetInteger(const std::string& key, uint64_t value) { Set(key, {value}); }
  void SetNumber(const std::string& key, double value) { Set(key, {value}); }
  void SetText(const std::string& key, std::string value) { Set(key, {std::move(value)}); }
  void AddTensor(const std::string& name, tensor::GgufTensor tensor) { tensors_[name] = std::move(tensor); }
  void AddFloats(const std::string& name, std::vector<int64_t> shape, std::vector<float> values);
  void Keep(std::shared_ptr<const void> owner) { owners_.push_back(std::move(owner)); }  // of added tensors' bytes
  void Remove(const std::string& tensor) { tensors_.erase(tensor); }

 private:
  std::map<std::string, tensor::GgufValue, std::less<>> metadata_;
  std::map<std::string, tensor::GgufTensor, std::less<>> tensors_;
  std::map<std::string, std::vector<float>> floats_;
  std::vector<std::shared_ptr<const void>> owners_;
};

inline void MemoryFile::AddFloats(const std::string& name, std::vector<int64_t> shape, std::vector<float> values) {
  auto& kept = floats_[name];
  kept = std::move(values);
  AddTensor(name, {tensor::GgmlType::kF32, std::move(shape), std::as_bytes(std::span(kept))});
}

}  // namespace atelier::engine
