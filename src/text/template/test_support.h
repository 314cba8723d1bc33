// What the tests of templates share.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace atelier::text::testing {

// The folder of shared sample data, or empty: ATELIER_SHARED_DATA, or shared/data beside the checkout.
inline std::filesystem::path SharedData() {
  if (const char* given = std::getenv("ATELIER_SHARED_DATA")) {
    return given;
  }
  for (auto start : {std::filesystem::path(__FILE__), std::filesystem::current_path() / "x"}) {
    for (auto folder = start.parent_path(); !folder.empty(); folder = folder.parent_path()) {
      if (std::filesystem::is_directory(folder / "shared" / "data")) {
        return folder / "shared" / "data";
      }
      if (folder == folder.parent_path()) {
        break;
      }
    }
  }
  return {};
}

inline std::string ReadFile(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

}  // namespace atelier::text::testing
