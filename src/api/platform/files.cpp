// /v1/files
#include "api/platform/files.h"

#include <algorithm>
#include <array>

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

json::object FileObject(const data::File& file) {
  return {{"id", file.id},
          {"object", "file"},
          {"bytes", file.blob.size},
          {"created_at", Seconds(file.created_ms)},
          {"filename", file.filename},
          {"purpose", file.purpose},
          {"status", "processed"},
          {"sha256", file.blob.sha256}};
}

Result<Response> CreateFile(const Services& services, Request& request) {
  ATELIER_TRY(request.form.RejectUnknown({"file", "purpose"}));
  ATELIER_ASSIGN(purpose, request.form.Field("purpose"));
  ATELIER_TRY(CheckPurpose(purpose));
  ATELIER_ASSIGN(file, request.form.File("file"));
  ATELIER_ASSIGN(blob, file->writer->Commit());
  ATELIER_ASSIGN(added, services.files.Add(file->filename, purpose, blob));
  return JsonResponse(FileObject(added));
}

Result<Response> ListFiles(const Services& services, Request& request) {
  ATELIER_ASSIGN(query, ParsePage(request));
  const std::string purpose(request.Query("purpose").value_or(""));
  if (!purpose.empty()) {
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
