// Where tests find the recorded data that is shared between projects.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace atelier::text::testing {

// $ATELIER_SHARED_DATA, or the folder shared/data in a folder above this source or the working directory; empty if
// there is none: then such tests are skipped.
inline std::filesystem::path SharedData() {
  if (const char* given = std::getenv("ATELIER_SHARED_DATA")) {
    return given;
  }
  for (auto start : {std::filesystem::path(__FILE__), std::filesystem::current_path() / "x"}) {
    for (auto folder = start.parent_path(); folder != folder.parent_path(); folder = folder.parent_path()) {
      if (std::filesystem::is_directory(folder / "shared" / "data")) {
        return folder / "shared" / "data";
      }
    }
  }
  return {};
}

}  // namespace atelier::text::testing
