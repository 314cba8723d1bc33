#include "families/word_vectors/training/run.h"

#include <cstring>

namespace atelier::families::word_vectors {

tensor::View ViewOf(const Table& table) {
  return {.type = tensor::DataType::kF32,
          .shape = {static_cast<int64_t>(table.rows()), static_cast<int64_t>(table.stride())},
          .bytes = std::as_bytes(std::span(table.data(), table.rows() * table.stride()))};
}

Status Restore(const std::map<std::string, tensor::View>& state, const std::string& name, Table& table) {
  const auto found = state.find(name);
  const tensor::View expected = ViewOf(table);
  if (found == state.end() || found->second.type != expected.type || found->second.shape != expected.shape) {
    return DataLoss("the checkpoint does not fit the training");
  }
  std::memcpy(table.data(), found->second.bytes.data(), found->second.bytes.size());
  return {};
}

}  // namespace atelier::families::word_vectors
