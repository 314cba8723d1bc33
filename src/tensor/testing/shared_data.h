// Where the tests find shared sample data; they skip what is absent.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace atelier::tensor::testing {

// The folder of shared sample data, or empty: ATELIER_SHARED_DATA, or shared/data beside the checkout.
inline std::filesystem::path SharedData() {
  if (const char* given = std::getenv("ATELIER_SHARED_DATA")) {
    return given;
  }
  for (auto folder = std::filesystem::path(__FILE__).parent_path(); folder != folder.root_path();
       folder = folder.parent_path()) {
    if (std::filesystem::is_directory(folder / "shared" / "data")) {
      return folder / "shared" / "data";
    }
  }
  return {};
}

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
