#include "data/upload_rows.h"

namespace atelier::data {

File ToFile(const soci::row& row) {
  File out;
  out.id = row.get<std::string>(0);
  out.filename = row.get<std::string>(1);
  out.purpose = row.get<std::string>(2);
  out.blob = {row.get<std::string>(3), static_cast<uint64_t>(row.get<long long>(4))};
  out.created_ms = row.get<long long>(5);
  out.expires_ms = row.get<long long>(6);
  return out;
}

Result<File> FindFile(soci::session& session, const std::string& id, int64_t now_ms) {
  soci::row row;
  session << "SELECT " << kFileColumns << " FROM files WHERE id = :id", soci::use(id, "id"), soci::into(row);
  const auto missing = [&] { return NotFound("there is no file '" + id + "'", "file_not_found"); };
  if (!session.got_data()) {
    return missing();
  }
  File file = ToFile(row);
  return file.expires_ms == 0 || file.expires_ms > now_ms ? Result<File>(std::move(file)) : missing();
}

void InsertFile(soci::session& session, const File& file) {
  const auto size = static_cast<long long>(file.blob.size);
  const long long created = file.created_ms;
  const long long expires = file.expires_ms;
  session << "INSERT INTO files (id, filename, purpose, sha256, size, created_ms, expires_ms) "
             "VALUES (:id, :filename, :purpose, :sha, :size, :created, :expires)",
      soci::use(file.id, "id"), soci::use(file.filename, "filename"), soci::use(file.purpose, "purpose"),
      soci::use(file.blob.sha256, "sha"), soci::use(size, "size"), soci::use(created, "created"),
      soci::use(expires, "expires");
}

Result<UploadRow> FindUpload(soci::session& session, const std::string& id, int64_t now_ms) {
  soci::row row;
  session << "SELECT filename, purpose, size, sha256, status, joined, file_id, created_ms, expires_ms, life_s "
             "FROM uploads "
             "WHERE id = :id",
      soci::use(id, "id"), soci::into(row);
  if (!session.got_data()) {
    return NotFound("there is no upload '" + id + "'", "upload_not_found");
  }
  UploadRow out;
  Upload& upload = out.upload;
  upload.id = id;
  upload.filename = row.get<std::string>(0);
  upload.purpose = row.get<std::string>(1);
  upload.bytes = static_cast<uint64_t>(row.get<long long>(2));
  upload.sha256 = row.get<std::string>(3);
  upload.status = row.get<std::string>(4);
  out.joined = row.get<std::string>(5);
  upload.file_id = row.get<std::string>(6);
  upload.created_ms = row.get<long long>(7);
  upload.expires_ms = row.get<long long>(8);
  upload.life_s = row.get<long long>(9);
  if (upload.status == "pending" && now_ms >= upload.expires_ms) {
    upload.status = "expired";
  }
  soci::rowset<soci::row> parts =
      (session.prepare << "SELECT id, sha256, size FROM upload_parts WHERE upload_id = :id ORDER BY position",
       soci::use(id, "id"));
  for (const auto& part : parts) {
    upload.parts.push_back(
        {part.get<std::string>(0), {part.get<std::string>(1), static_cast<uint64_t>(part.get<long long>(2))}});
  }
  return out;
}

void InsertUpload(soci::session& session, const Upload& upload) {
  const auto size = static_cast<long long>(upload.bytes);
  const long long created = upload.created_ms;
  const long long expires = upload.expires_ms;
  const long long life = upload.life_s;
  session
      << "INSERT INTO uploads (id, filename, purpose, size, sha256, status, joined, file_id, created_ms, "
         "expires_ms, life_s) VALUES (:id, :filename, :purpose, :size, :sha, 'pending', '', '', :created, :expires, "
         ":life)",
      soci::use(upload.id, "id"), soci::use(upload.filename, "filename"), soci::use(upload.purpose, "purpose"),
      soci::use(size, "size"), soci::use(upload.sha256, "sha"), soci::use(created, "created"),
      soci::use(expires, "expires"), soci::use(life, "life");
}

std::string FindPending(soci::session& session, const Upload& wanted, int64_t now_ms) {
  const auto size = static_cast<long long>(wanted.bytes);
  const long long now = now_ms;
  std::string id;
  session << "SELECT id FROM uploads WHERE sha256 = :sha AND size = :size AND filename = :filename AND "
             "purpose = :purpose AND status = 'pending' AND expires_ms > :now ORDER BY created_ms LIMIT 1",
      soci::use(wanted.sha256, "sha"), soci::use(size, "size"), soci::use(wanted.filename, "filename"),
      soci::use(wanted.purpose, "purpose"), soci::use(now, "now"), soci::into(id);
  return session.got_data() ? id : "";
}

Status CheckPending(const Upload& upload) {
  if (upload.status != "pending") {
    return FailedPrecondition("upload '" + upload.id + "' is " + upload.status, "upload_not_pending");
  }
  return {};
}

}  // namespace atelier::data
