#include "data/files.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/ids.h"
#include "data/paging.h"
#include "data/upload_rows.h"

namespace atelier::data {
namespace {

constexpr int64_t kUploadLifeMs = 24 * 3600 * 1000;
constexpr size_t kMaxParts = 10000;
constexpr size_t kMaxFilenameBytes = 255;
constexpr size_t kCopyBytes = size_t{1} << 20U;
constexpr std::array<std::string_view, 10> kPurposes{
    "dataset",   "batch", "fine-tune",    "assistants",        "vision",
    "user_data", "evals", "batch_output", "fine-tune-results", "assistants_output"};

Status CheckPurpose(const std::string& purpose) {
  if (std::ranges::find(kPurposes, purpose) == kPurposes.end()) {
    return InvalidArgument("'purpose' is none of dataset, batch, fine-tune, assistants, vision, user_data, evals",
                           "purpose");
  }
  return {};
}

// Replaces what reorders text or breaks lines on a screen: U+0080..9F, U+061C, U+200E..200F, U+2028..202E,
// U+2066..2069.
std::string WithoutDirections(std::string text) {
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    const auto byte = [&](size_t k) { return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0U; };
    const bool two = (byte(0) == 0xC2 && byte(1) < 0xA0) || (byte(0) == 0xD8 && byte(1) == 0x9C);
    const bool three =
        byte(0) == 0xE2 &&
        ((byte(1) == 0x80 && ((byte(2) >= 0xA8 && byte(2) <= 0xAE) || byte(2) == 0x8E || byte(2) == 0x8F)) ||
         (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9));
    if (two || three) {
      text.replace(i, two ? 2 : 3, "_");
    }
  }
  return text;
}

// For display only: no control characters, no path separators, well-formed, not too long.
std::string CleanFilename(const std::string& filename) {
  std::string out = IsUtf8(filename) ? WithoutDirections(filename) : "file";
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '/' || c == '\\') {
      c = '_';
    }
  }
  if (out.size() > kMaxFilenameBytes) {
    out.resize(kMaxFilenameBytes);
    while (!out.empty() && !IsUtf8(out)) {
      out.pop_back();
    }
  }
  return out.empty() ? "file" : out;
}

std::string Joined(const std::vector<std::string>& part_ids) {
  std::string out;
  for (const auto& id : part_ids) {
    out += out.empty() ? id : "," + id;
  }
  return out;
}

// The parts in the wanted order. Errors: kInvalidArgument.
Result<std::vector<storage::BlobRef>> Choose(const Upload& upload, const std::vector<std::string>& part_ids) {
  std::vector<storage::BlobRef> out;
  std::set<std::string> seen;
  uint64_t total = 0;
  for (const auto& id : part_ids) {
    const auto part = std::ranges::find(upload.parts, id, &UploadPart::id);
    if (part == upload.parts.end() || !seen.insert(id).second) {
      return InvalidArgument(
          "part '" + id + "' is " + (part == upload.parts.end() ? "no part of this upload" : "named twice"),
          "part_ids");
    }
    total += part->blob.size;
    out.push_back(part->blob);
  }
  if (total != upload.bytes) {
    return InvalidArgument("the parts have " + std::to_string(total) + " bytes, the upload was declared with " +
                               std::to_string(upload.bytes),
                           "part_ids", "size_mismatch");
  }
  return out;
}

Status Copy(storage::BlobStore& blobs, const storage::BlobRef& part, storage::BlobWriter& writer) {
  ATELIER_ASSIGN(reader, blobs.Open(part.sha256));
  std::vector<std::byte> buffer(kCopyBytes);
  while (true) {
    ATELIER_ASSIGN(count, reader->Read(buffer));
    if (count == 0) {
      return {};
    }
    ATELIER_TRY(writer.Append(std::span(buffer).first(count)));
  }
}

Result<storage::BlobRef> Join(storage::BlobStore& blobs, const std::vector<storage::BlobRef>& parts) {
  if (parts.size() == 1) {
    return parts.front();
  }
  ATELIER_ASSIGN(writer, blobs.Create());
  for (const auto& part : parts) {
    ATELIER_TRY(Copy(blobs, part, *writer));
  }
  return writer->Commit();
}

// Of a blob's bytes, as 32 hexadecimal digits. It is a sum that clients know, and protects from nothing.
Result<std::string> Md5Of(storage::BlobStore& blobs, const storage::BlobRef& blob) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  ATELIER_ASSIGN(reader, blobs.Open(blob.sha256));
  std::vector<std::byte> buffer(kCopyBytes);
  std::array<std::byte, 16> digest{};
  bool good = EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr) == 1;
  while (good) {
    ATELIER_ASSIGN(count, reader->Read(buffer));
    if (count == 0) {
      break;
    }
    good = EVP_DigestUpdate(context.get(), buffer.data(), count) == 1;
  }
  if (!good || EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr) != 1) {
    return Unavailable("this system computes no MD5");
  }
  return Hex(digest);
}

Status CheckSha256(const std::string& sha256) {
  return sha256.empty() || IsSha256(sha256)
             ? Status()
             : InvalidArgument("'sha256' takes 64 lower-case hexadecimal digits", "sha256");
}

int64_t EndOfLife(int64_t now_ms, int64_t life_s) { return life_s == 0 ? 0 : now_ms + life_s * 1000; }

}  // namespace

Result<File> Files::Add(const std::string& filename, const std::string& purpose, const storage::BlobRef& blob,
                        int64_t life_s) {
  ATELIER_TRY(CheckPurpose(purpose));
  const int64_t now = clock_.UnixMs();
  const File file{NewId("file-", rng_), CleanFilename(filename), purpose, blob, now, EndOfLife(now, life_s)};
  ATELIER_TRY(catalogue_.Write([&](soci::session& session) -> Status {
    const long long expired = now;
    session << "DELETE FROM files WHERE expires_ms > 0 AND expires_ms <= :now", soci::use(expired, "now");
    InsertFile(session, file);
    return {};
  }));
  return file;
}

Result<File> Files::Get(const std::string& id) {
  File out;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(file, FindFile(session, id, clock_.UnixMs()));
    out = std::move(file);
    return {};
  }));
  return out;
}

Result<std::vector<File>> Files::List(const std::string& purpose, const Page& page, bool& has_more) {
  std::vector<File> out;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    out.clear();
    ATELIER_ASSIGN(cursor, FindCursor(session, "files", page));
    const long long created = cursor.created_ms;
    const long long now = clock_.UnixMs();
    soci::rowset<soci::row> rows =
        (session.prepare << "SELECT " << kFileColumns << " FROM files WHERE (purpose = :p OR :p2 = '') AND "
                         << "(expires_ms = 0 OR expires_ms > :now) AND " << PageClause(page),
         soci::use(purpose, "p"), soci::use(purpose, "p2"), soci::use(now, "now"), soci::use(created, "t"),
         soci::use(created, "t2"), soci::use(cursor.id, "i"));
    for (const auto& row : rows) {
      out.push_back(ToFile(row));
    }
    return {};
  }));
  CutPage(out, page, has_more);
  return out;
}

Status Files::Delete(const std::string& id) {
  return catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(file, FindFile(session, id, clock_.UnixMs()));
    session << "DELETE FROM files WHERE id = :id", soci::use(file.id, "id");
    return {};
  });
}

Result<Upload> Files::CreateUpload(const std::string& filename, const std::string& purpose, uint64_t bytes,
                                   const std::string& sha256, int64_t life_s) {
  ATELIER_TRY(CheckPurpose(purpose));
  ATELIER_TRY(CheckSha256(sha256));
  if (bytes > kMaxParts * kMaxPartBytes) {
    return MakeError(Code::kOutOfRange,
                     "an upload takes at most " + std::to_string(kMaxParts * kMaxPartBytes) + " bytes",
                     "request_too_large", "bytes");
  }
  Upload upload;
  upload.id = NewId("upload_", rng_);
  upload.filename = CleanFilename(filename);
  upload.purpose = purpose;
  upload.bytes = bytes;
  upload.sha256 = sha256;
  upload.status = "pending";
  upload.created_ms = clock_.UnixMs();
  upload.expires_ms = upload.created_ms + kUploadLifeMs;
  upload.life_s = life_s;
  Upload out;
  ATELIER_TRY(catalogue_.Write([&](soci::session& session) -> Status {
    out = upload;
    const std::string pending = sha256.empty() ? "" : FindPending(session, upload, upload.created_ms);
    if (pending.empty()) {
      InsertUpload(session, upload);
      return {};
    }
    ATELIER_ASSIGN(row, FindUpload(session, pending, upload.created_ms));
    out = std::move(row.upload);
    return {};
  }));
  return out;
}

Result<Upload> Files::GetUpload(const std::string& id) {
  Upload out;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(row, FindUpload(session, id, clock_.UnixMs()));
    out = std::move(row.upload);
    return {};
  }));
  return out;
}

Result<UploadPart> Files::AddPart(const std::string& upload_id, const storage::BlobRef& blob) {
  const UploadPart part{NewId("part_", rng_), blob};
  ATELIER_TRY(catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(row, FindUpload(session, upload_id, clock_.UnixMs()));
    const Upload& upload = row.upload;
    ATELIER_TRY(CheckPending(upload));
    uint64_t total = blob.size;
    for (const auto& other : upload.parts) {
      total += other.blob.size;
    }
    if (blob.size > kMaxPartBytes || total > upload.bytes || upload.parts.size() >= kMaxParts) {
      return InvalidArgument("the parts would have " + std::to_string(total) + " bytes; the upload was declared with " +
                                 std::to_string(upload.bytes) + " in at most " + std::to_string(kMaxParts) + " parts",
                             "data", "size_mismatch");
    }
    const auto position = static_cast<long long>(upload.parts.size());
    const auto size = static_cast<long long>(blob.size);
    session << "INSERT INTO upload_parts (id, upload_id, position, sha256, size) VALUES (:id, :up, :pos, :sha, :size)",
        soci::use(part.id, "id"), soci::use(upload_id, "up"), soci::use(position, "pos"), soci::use(blob.sha256, "sha"),
        soci::use(size, "size");
    return {};
  }));
  return part;
}

Result<File> Files::Complete(const std::string& upload_id, const std::vector<std::string>& part_ids,
                             const std::string& sha256, const std::string& md5) {
  ATELIER_TRY(CheckSha256(sha256));
  ATELIER_ASSIGN(upload, GetUpload(upload_id));
  const std::string joined = Joined(part_ids);
  const int64_t now = clock_.UnixMs();
  File file{NewId("file-", rng_), upload.filename, upload.purpose, {}, now, EndOfLife(now, upload.life_s)};
  if (upload.status != "completed") {
    ATELIER_TRY(CheckPending(upload));
    ATELIER_ASSIGN(parts, Choose(upload, part_ids));
    ATELIER_ASSIGN(blob, Join(blobs_, parts));
    for (const std::string& expected : {upload.sha256, sha256}) {
      if (!expected.empty() && expected != blob.sha256) {
        return InvalidArgument("the joined parts have the SHA-256 " + blob.sha256 + ", not " + expected, "sha256",
                               "checksum_mismatch");
      }
    }
    if (!md5.empty()) {
      ATELIER_ASSIGN(sum, Md5Of(blobs_, blob));
      if (sum != md5) {
        return InvalidArgument("the joined parts have the MD5 " + sum + ", not " + md5, "md5", "checksum_mismatch");
      }
    }
    file.blob = blob;
  }
  ATELIER_TRY(catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(row, FindUpload(session, upload_id, clock_.UnixMs()));
    if (row.upload.status == "completed" && row.joined == joined) {  // a client that asks again
      ATELIER_ASSIGN(same, FindFile(session, row.upload.file_id, now));
      file = std::move(same);
      return {};
    }
    ATELIER_TRY(CheckPending(row.upload));
    InsertFile(session, file);
    session << "UPDATE uploads SET status = 'completed', joined = :joined, file_id = :file WHERE id = :id",
        soci::use(joined, "joined"), soci::use(file.id, "file"), soci::use(upload_id, "id");
    return {};
  }));
  return file;
}

Status Files::Cancel(const std::string& upload_id) {
  return catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(row, FindUpload(session, upload_id, clock_.UnixMs()));
    if (row.upload.status == "cancelled") {
      return {};
    }
    ATELIER_TRY(CheckPending(row.upload));
    session << "UPDATE uploads SET status = 'cancelled' WHERE id = :id", soci::use(upload_id, "id");
    return {};
  });
}

}  // namespace atelier::data
