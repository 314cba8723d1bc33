// /v1/files
#include "api/platform/files.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "api/handlers.h"

namespace atelier::api::platform {

Status CheckPurpose(const std::string& purpose) {
  static constexpr std::array<std::string_view, 7> kPurposes{"dataset", "batch",     "fine-tune", "assistants",
                                                             "vision",  "user_data", "evals"};
  if (std::find(kPurposes.begin(), kPurposes.end(), purpose) == kPurposes.end()) {
    return InvalidArgument("'purpose' must be dataset, batch, fine-tune, assistants, vision, user_data or evals",
                           "purpose");
  }
  return {};
}

Result<int64_t> LifeSeconds(const json::object* expires_after) {
  constexpr int64_t kMinSeconds = 3600;
  constexpr int64_t kMaxSeconds = 30LL * 24 * 3600;
  if (expires_after == nullptr) {
    return 0;
  }
  Fields fields(*expires_after, "expires_after");
  ATELIER_ASSIGN(anchor, fields.String("anchor", 64));
  if (anchor != "created_at") {
    return InvalidArgument("'expires_after.anchor' must be created_at", "expires_after.anchor");
  }
  ATELIER_ASSIGN(seconds, fields.Int("seconds", kMinSeconds, kMaxSeconds));
  ATELIER_TRY(fields.RejectUnknown());
  return seconds;
}

namespace {

// The form's fields expires_after[...] as the object that JSON bodies have.
Result<int64_t> LifeOfForm(const http::Form& form) {
  ATELIER_ASSIGN(anchor, form.FieldOr("expires_after[anchor]", ""));
  ATELIER_ASSIGN(text, form.FieldOr("expires_after[seconds]", ""));
  if (anchor.empty() && text.empty()) {
    return 0;
  }
  int64_t seconds = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (code != std::errc() || end != text.data() + text.size()) {
    return InvalidArgument("'expires_after[seconds]' must be an integer", "expires_after.seconds");
  }
  const json::object object{{"anchor", anchor}, {"seconds", seconds}};
  return LifeSeconds(&object);
}

}  // namespace

json::object FileObject(const data::File& file) {
  json::object object{{"id", file.id},
                      {"object", "file"},
                      {"bytes", file.blob.size},
                      {"created_at", Seconds(file.created_ms)},
                      {"filename", file.filename},
                      {"purpose", file.purpose},
                      {"status", "processed"},
                      {"sha256", file.blob.sha256}};
  if (file.expires_ms > 0) {
    object["expires_at"] = Seconds(file.expires_ms);
  }
  return object;
}

Result<Response> CreateFile(const Services& services, Request& request) {
  ATELIER_TRY(request.form.RejectUnknown({"file", "purpose", "expires_after[anchor]", "expires_after[seconds]"}));
  ATELIER_ASSIGN(purpose, request.form.Field("purpose"));
  ATELIER_TRY(CheckPurpose(purpose));
  ATELIER_ASSIGN(life, LifeOfForm(request.form));
  ATELIER_ASSIGN(file, request.form.File("file"));
  ATELIER_ASSIGN(blob, file->writer->Commit());
  ATELIER_ASSIGN(added, services.files.Add(file->filename, purpose, blob, life));
  return JsonResponse(FileObject(added));
}

Result<Response> ListFiles(const Services& services, Request& request) {
  ATELIER_ASSIGN(query, ParsePage(request, data::kMaxPageRows, data::kMaxPageRows));
  const std::string purpose(request.Query("purpose").value_or(""));
  static constexpr std::array<std::string_view, 3> kOfJobs{"batch_output", "fine-tune-results", "assistants_output"};
  if (!purpose.empty() && std::find(kOfJobs.begin(), kOfJobs.end(), purpose) == kOfJobs.end()) {
    ATELIER_TRY(CheckPurpose(purpose));
  }
  bool has_more = false;
  ATELIER_ASSIGN(files, services.files.List(purpose, {query.after, query.limit, query.descending}, has_more));
  json::array items;
  for (const auto& file : files) {
    items.push_back(FileObject(file));
  }
  return JsonResponse(ListObject(std::move(items), has_more));
}

Result<Response> GetFile(const Services& services, Request& request) {
  ATELIER_ASSIGN(file, services.files.Get(request.Param("id")));
  return JsonResponse(FileObject(file));
}

Result<Response> FileContent(const Services& services, Request& request) {
  ATELIER_ASSIGN(file, services.files.Get(request.Param("id")));
  return BlobResponse(services, request, file.blob, file.filename);
}

Result<Response> DeleteFile(const Services& services, Request& request) {
  const std::string& id = request.Param("id");
  ATELIER_TRY(services.files.Delete(id));
  return JsonResponse({{"id", id}, {"object", "file"}, {"deleted", true}});
}

}  // namespace atelier::api::platform
