// Rows of files, uploads and their parts.
#pragma once

#include <soci/soci.h>

#include <string>
#include <vector>

#include "data/files.h"

namespace atelier::data {

inline constexpr const char* kFileColumns = "id, filename, purpose, sha256, size, created_ms, expires_ms";

File ToFile(const soci::row& row);
// kNotFound "file_not_found", also where its time is over.
Result<File> FindFile(soci::session& session, const std::string& id, int64_t now_ms);
void InsertFile(soci::session& session, const File& file);

struct UploadRow {
  Upload upload;
  std::string joined;  // the ids of the parts that were joined, with commas; once completed
};
// With its parts; pending beyond its time shows as expired. kNotFound "upload_not_found".
Result<UploadRow> FindUpload(soci::session& session, const std::string& id, int64_t now_ms);
void InsertUpload(soci::session& session, const Upload& upload);
// The id of a pending upload of the same content and filename; empty: none.
std::string FindPending(soci::session& session, const Upload& wanted, int64_t now_ms);
// kFailedPrecondition "upload_not_pending".
Status CheckPending(const Upload& upload);

}  // namespace atelier::data
