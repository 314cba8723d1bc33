// Files that clients gave us, whole or as uploads in parts that can be resumed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/rng.h"
#include "data/store.h"
#include "storage/blob_store.h"
#include "storage/catalogue.h"

namespace atelier::data {

struct File {
  std::string id;        // file-...
  std::string filename;  // for display: control characters and path separators replaced, at most 255 bytes
  std::string purpose;
  storage::BlobRef blob;
  int64_t created_ms = 0;
  int64_t expires_ms = 0;  // 0: never
};

struct UploadPart {
  std::string id;  // part_...
  storage::BlobRef blob;
};

struct Upload {
  std::string id;  // upload_...
  std::string filename;
  std::string purpose;
  uint64_t bytes = 0;             // of the whole file
  std::string sha256;             // of the whole file, where the client said it; else empty
  std::string status;             // "pending" | "completed" | "cancelled" | "expired"
  std::vector<UploadPart> parts;  // in order of arrival
  std::string file_id;            // once completed
  int64_t life_s = 0;             // of the file; 0: for ever
  int64_t created_ms = 0;
  int64_t expires_ms = 0;
};

inline constexpr uint64_t kMaxPartBytes = 64ULL << 20U;

// Thread-safe. The tables are part of data::Migrations().
class Files {
 public:
  Files(storage::Catalogue& catalogue, storage::BlobStore& blobs, Clock& clock, Rng& rng)
      : catalogue_(catalogue), blobs_(blobs), clock_(clock), rng_(rng) {}

  // The blob is durable already; makes it visible as a file, for `life_s` seconds (0: for ever). `purpose` is one of
  // OpenAI's, also those of files that jobs write, or "dataset".
  Result<File> Add(const std::string& filename, const std::string& purpose, const storage::BlobRef& blob,
                   int64_t life_s = 0);
  Result<File> Get(const std::string& id);  // kNotFound "file_not_found"
  Result<std::vector<File>> List(const std::string& purpose, const Page& page, bool& has_more);
  Status Delete(const std::string& id);

  // With a sha256 and a pending upload of the same sha256, size and filename: that one, so that a client can go on.
  Result<Upload> CreateUpload(const std::string& filename, const std::string& purpose, uint64_t bytes,
                              const std::string& sha256, int64_t life_s = 0);
  Result<Upload> GetUpload(const std::string& id);  // kNotFound "upload_not_found"
  // kFailedPrecondition "upload_not_pending"; kInvalidArgument when the parts exceed the declared size.
  Result<UploadPart> AddPart(const std::string& upload_id, const storage::BlobRef& blob);
  // Joins the parts in the given order; empty sums are not checked. kInvalidArgument "checksum_mismatch" |
  // "size_mismatch" | unknown or repeated part; a repeated call with the same parts gives the same file.
  Result<File> Complete(const std::string& upload_id, const std::vector<std::string>& part_ids,
                        const std::string& sha256, const std::string& md5 = "");
  Status Cancel(const std::string& upload_id);

 private:
  storage::Catalogue& catalogue_;
  storage::BlobStore& blobs_;
  Clock& clock_;
  Rng& rng_;
};

}  // namespace atelier::data
