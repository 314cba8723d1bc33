// Recorded outputs of other implementations (tests/golden/metrics.py).
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/json.h"

namespace atelier::learning::testing {

// A file of testdata/, found from the working directory upwards.
inline json::value Golden(const std::string& name) {
  const std::filesystem::path file = "src/learning/metrics/testdata/" + name + ".json";
  auto folder = std::filesystem::current_path();
  while (!std::filesystem::exists(folder / file) && folder != folder.parent_path()) {
    folder = folder.parent_path();
  }
  std::ostringstream text;
  text << std::ifstream(folder / file).rdbuf();
  auto value = ParseJson(text.str());
  EXPECT_TRUE(value.ok()) << file;
  return value.ok() ? std::move(value).value() : json::value();
}

template <class T>
std::vector<T> List(const json::value& array) {
  std::vector<T> list;
  for (const auto& value : array.as_array()) {
    list.push_back(value.to_number<T>());
  }
  return list;
}

inline std::vector<std::string> Texts(const json::value& array) {
  std::vector<std::string> list;
  for (const auto& value : array.as_array()) {
    list.emplace_back(value.as_string());
  }
  return list;
}

}  // namespace atelier::learning::testing
