// The golden models among the shared sample data.
#pragma once

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/testing/shared_data.h"

namespace atelier::tensor::testing {

// Every model of the golden data, by name; empty without shared data.
inline std::vector<std::filesystem::path> GoldenModels() {
  std::vector<std::filesystem::path> models;
  const auto folder = SharedData() / "golden" / "llm" / "models";
  if (std::filesystem::is_directory(folder)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      models.push_back(entry.path());
    }
  }
  std::ranges::sort(models);
  return models;
}

}  // namespace atelier::tensor::testing
