// One file from its URL onto the disk: in parts, over several connections, and again where that helps.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"
#include "hub/http.h"
#include "hub/plan.h"

namespace atelier::hub {

// Bytes of the file so far and altogether (0: not known).
using DownloadProgress = std::function<void(uint64_t done, uint64_t total)>;

struct DownloadOptions {
  int connections = 4;
  uint64_t part_bytes = 32U << 20U;
  uint64_t max_bytes = UINT64_MAX;         // of this file
  const Credential* credential = nullptr;  // borrowed
  bool foreign = false;                    // as in HttpRequest
  std::function<bool()> cancelled{};       // may be empty
  DownloadProgress progress{};             // called about four times a second; may be empty
};

// What a file turned out to be.
struct Downloaded {
  uint64_t size = 0;
  std::string sha256;
};

// Makes `path`, whole and verified: its size, its SHA-256 (the plan's, or Hugging Face's X-Linked-Etag), git's SHA-1.
// Where `path` is there it is verified only; bytes of an earlier attempt beside it are gone on with. A source that
// changes in between is begun again, once.
// Errors: kDataLoss "checksum_mismatch" (the bytes are removed); kAborted "source_changed"; kOutOfRange
// "model_too_large"; kResourceExhausted "storage_full"; kCancelled; those of Http::Get and ErrorOfStatus. What was got
// stays beside `path` for the next attempt.
Result<Downloaded> DownloadFile(const Http& http, const PlannedFile& file, const std::filesystem::path& path,
                                const DownloadOptions& options);

}  // namespace atelier::hub
