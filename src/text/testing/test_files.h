// Files that tests of this module read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/json.h"

namespace atelier::text::testing {

inline std::string Slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A file of testdata/, parsed; null if it is not found from the working directory upwards.
inline json::value TestData(const std::string& name) {
  auto folder = std::filesystem::current_path();
  while (!std::filesystem::exists(folder / "src/text/testdata" / name) && folder != folder.parent_path()) {
    folder = folder.parent_path();
  }
  auto parsed = ParseJson(Slurp(folder / "src/text/testdata" / name));
  return parsed.ok() ? std::move(parsed).value() : json::value();
}

inline std::string TextOf(const json::value& value) { return std::string(std::string_view(value.as_string())); }

inline std::vector<int32_t> IdsOf(const json::value& value) {
  std::vector<int32_t> ids;
  for (const auto& id : value.as_array()) {
    ids.push_back(static_cast<int32_t>(id.as_int64()));
  }
  return ids;
}

}  // namespace atelier::text::testing
