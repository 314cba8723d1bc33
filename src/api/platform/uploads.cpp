// /v1/uploads: large files in parts, resumable.
#include "api/handlers.h"
#include "api/platform/files.h"
#include "base/clock.h"
#include "base/ids.h"

namespace atelier::api::platform {
namespace {

constexpr int64_t kMaxUploadBytes = 8LL << 30U;
constexpr size_t kMaxUploadParts = 10'000;

json::object UploadObject(const data::Upload& upload) {
  json::array parts;
  for (const auto& part : upload.parts) {
    parts.push_back({{"id", part.id}, {"bytes", part.blob.size}, {"sha256", part.blob.sha256}});
  }
  return {{"id", upload.id},
          {"object", "upload"},
          {"bytes", upload.bytes},
          {"created_at", Seconds(upload.created_ms)},
          {"filename", upload.filename},
          {"purpose", upload.purpose},
          {"status", upload.status},
          {"expires_at", Seconds(upload.expires_ms)},
          {"parts", std::move(parts)}};
}

Result<std::string> Sha256Field(Fields& fields) {
  ATELIER_ASSIGN(sha256, fields.StringOr("sha256", "", 64));
  if (!sha256.empty() && !IsSha256(sha256)) {
    return InvalidArgument("'sha256' must be 64 lower-case hexadecimal digits", "sha256");
  }
  return sha256;
}

}  // namespace

Result<Response> CreateUpload(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(filename, fields.String("filename", 4096));
  ATELIER_ASSIGN(purpose, fields.String("purpose"));
  ATELIER_TRY(CheckPurpose(purpose));
  ATELIER_ASSIGN(bytes, fields.Int("bytes", 0, kMaxUploadBytes));
  ATELIER_ASSIGN(mime_type, fields.StringOr("mime_type", "", 256));
  ATELIER_ASSIGN(sha256, Sha256Field(fields));
  ATELIER_ASSIGN(expires_after, fields.ObjectOr("expires_after"));
  ATELIER_ASSIGN(life, LifeSeconds(expires_after));
  ATELIER_TRY(fields.RejectUnknown());
  ATELIER_ASSIGN(upload, services.files.CreateUpload(filename, purpose, static_cast<uint64_t>(bytes), sha256, life));
  return JsonResponse(UploadObject(upload));
}

Result<Response> GetUpload(const Services& services, Request& request) {
  ATELIER_ASSIGN(upload, services.files.GetUpload(request.Param("id")));
  return JsonResponse(UploadObject(upload));
}

Result<Response> AddUploadPart(const Services& services, Request& request) {
  const std::string& id = request.Param("id");
  ATELIER_ASSIGN(upload, services.files.GetUpload(id));
  if (upload.parts.size() >= kMaxUploadParts) {
    return InvalidArgument("the upload has too many parts", "data");
  }
  ATELIER_TRY(request.form.RejectUnknown({"data"}));
  ATELIER_ASSIGN(file, request.form.File("data"));
  ATELIER_ASSIGN(blob, file->writer->Commit());
  ATELIER_ASSIGN(part, services.files.AddPart(id, blob));
  return JsonResponse({{"id", part.id},
                       {"object", "upload.part"},
                       {"created_at", Seconds(services.clock.UnixMs())},
                       {"upload_id", id},
                       {"bytes", part.blob.size},
                       {"sha256", part.blob.sha256}});
}

Result<Response> CompleteUpload(const Services& services, Request& request) {
  const std::string& id = request.Param("id");
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  if (!fields.Has("part_ids")) {
    return InvalidArgument("'part_ids' is missing: a list of strings", "part_ids", "missing_required_parameter");
  }
  ATELIER_ASSIGN(part_ids, fields.StringsOr("part_ids", {}, kMaxUploadParts));
  ATELIER_ASSIGN(sha256, Sha256Field(fields));
  ATELIER_ASSIGN(md5, fields.StringOr("md5", "", 64));
  ATELIER_TRY(fields.RejectUnknown());
  ATELIER_ASSIGN(file, services.files.Complete(id, part_ids, sha256, md5));
  ATELIER_ASSIGN(upload, services.files.GetUpload(id));
  auto object = UploadObject(upload);
  object["file"] = FileObject(file);
  return JsonResponse(object);
}

Result<Response> CancelUpload(const Services& services, Request& request) {
  const std::string& id = request.Param("id");
  ATELIER_TRY(services.files.Cancel(id));
  return GetUpload(services, request);
}

}  // namespace atelier::api::platform
