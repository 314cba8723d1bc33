// Where tests find the sample data that is shared between projects; they skip what is absent.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace atelier {

// $ATELIER_SHARED_DATA, or shared/data in a folder above this source or the working directory; empty: there is none.
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

}  // namespace atelier
