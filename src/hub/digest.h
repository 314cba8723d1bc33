// Hashes of files, as the hubs name them.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"

namespace atelier::hub {

struct Digests {
  std::string sha256;
  std::string git_sha1;  // git's id of a blob: SHA-1 of "blob SIZE\0" and the bytes
};

// Of a regular file that is no symbolic link, both in one pass. Errors: as storage::FileError; kCancelled when
// `cancelled`, which may be empty, says so.
Result<Digests> DigestFile(const std::filesystem::path& file, const std::function<bool()>& cancelled);

}  // namespace atelier::hub
