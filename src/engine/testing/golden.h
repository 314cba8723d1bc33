// The recorded outputs of an independent implementation: shared/data/golden/llm, see its index.json.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/testing/shared_data.h"
#include "tensor/testing/shared_data.h"

namespace atelier::engine::testing {

inline std::filesystem::path GoldenFolder() { return SharedData() / "golden" / "llm"; }

inline std::string ReadText(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// Its `models`; empty without shared data.
inline const json::array& GoldenModels() {
  static const json::array kModels = [] {
    auto parsed = ParseJson(ReadText(GoldenFolder() / "index.json"));
    return parsed.ok() ? parsed->at("models").as_array() : json::array();
  }();
  return kModels;
}

struct GoldenName {
  std::string text;  // "llama-F32"
  const json::object* entry;
};
inline void PrintTo(const GoldenName& name, std::ostream* out) { *out << name.text; }

// Those of a kind: "causal", "embedding", "encoder-decoder".
inline std::vector<GoldenName> GoldenNames(std::string_view kind) {
  std::vector<GoldenName> names;
  for (const auto& model : GoldenModels()) {
    const json::object& entry = model.as_object();
    if (std::string_view(entry.at("kind").as_string()) == kind) {
      names.push_back({std::filesystem::path(std::string(entry.at("model").as_string())).stem().string(), &entry});
    }
  }
  return names;
}

inline std::vector<int32_t> Ints(const json::value& array) {
  std::vector<int32_t> ints;
  for (const auto& item : array.as_array()) {
    ints.push_back(static_cast<int32_t>(item.as_int64()));
  }
  return ints;
}

inline std::vector<double> Doubles(const json::value& array) {
  std::vector<double> doubles;
  for (const auto& item : array.as_array()) {
    doubles.push_back(item.to_number<double>());
  }
  return doubles;
}

// The numbers of a NumPy 1.0 file of type T, whatever its shape.
template <class T>
std::vector<T> ReadNpy(const json::object& sequence, std::string_view key) {
  const std::string bytes = ReadText(GoldenFolder() / std::string(sequence.at(key).as_string()));
  uint16_t header = 0;
  std::memcpy(&header, bytes.data() + 8, sizeof(header));
  const size_t begin = 10 + header;
  std::vector<T> values((bytes.size() - begin) / sizeof(T));
  std::memcpy(values.data(), bytes.data() + begin, values.size() * sizeof(T));
  return values;
}

}  // namespace atelier::engine::testing
