// From the paths that someone names to the files that are sent.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "atelier/cli/source.h"
#include "base/result.h"

namespace atelier::cli {

struct Outgoing {
  std::string path;  // as the server is told, with folders: "train/cat/001.png"
  std::unique_ptr<Source> source;
};

struct Collection {
  std::vector<Outgoing> files;       // sorted within a folder
  std::vector<std::string> skipped;  // what was left out of folders: hidden files, licences, read-me files
};

// A file is sent under its own name, the files of a folder under their paths in it (with the folder's name before them
// where several paths are given). A folder of more than kTarFrom files becomes one archive FOLDER.tar.
// Errors: kInvalidArgument "usage" (nothing there, unreadable, two files of one path).
inline constexpr size_t kTarFrom = 8;
Result<Collection> Collect(const std::vector<std::string>& paths);

}  // namespace atelier::cli
