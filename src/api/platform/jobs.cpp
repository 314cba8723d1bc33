// /v1/jobs
#include "api/platform/jobs.h"

#include <algorithm>

#include "api/handlers.h"
#include "base/codes.h"

namespace atelier::api::platform {
namespace {

constexpr size_t kMaxLogBytes = 1U << 20U;

// The kinds that POST /v1/jobs makes.
struct CreatableKind {
  std::string_view name;
  Result<json::object> (*spec)(const Services& services, const json::object& request);
};
constexpr CreatableKind kCreatable[] = {
    {"train", TrainSpec},
    {"search", SearchSpec},
    {"cross_validate", FoldsSpec},
    {"evaluate",
     [](const Services& services, const json::object& request) { return EvaluateSpec(services, request, true); }},
    {"process", ProcessSpec},
    {"import_model", ImportModelSpec},
    {"quantize_model", QuantizeModelSpec},
    {"pull_model", PullModelSpec},
    {"train_tagger", TrainTaggerSpec}};

json::value TimeOrNull(int64_t unix_ms) { return unix_ms == 0 ? json::value(nullptr) : json::value(Seconds(unix_ms)); }
json::value ObjectOrNull(const json::object& object) {
  return object.empty() ? json::value(nullptr) : json::value(object);
}

json::value ErrorOrNull(const std::optional<Error>& error) {
  if (!error.has_value()) {
    return nullptr;
  }
  json::object object{{"code", ReasonOf(*error)}, {"message", error->message}};
  if (!error->param.empty()) {
    object["param"] = error->param;
  }
  return object;
}

}  // namespace

json::object JobObject(const jobs::Job& job) {
  const auto* request = job.spec.if_contains("request");
  return {{"id", job.id},
          {"object", "job"},
          {"kind", job.kind},
          {"parent", job.parent.empty() ? json::value(nullptr) : json::value(job.parent)},
          {"status", jobs::Name(job.state)},
          {"created_at", Seconds(job.created_ms)},
          {"started_at", TimeOrNull(job.started_ms)},
          {"finished_at", TimeOrNull(job.finished_ms)},
          {"paused", job.paused},
          {"attempt", job.attempt},
          {"request", request == nullptr ? json::value(json::object()) : *request},
          {"progress", ObjectOrNull(job.progress)},
          {"result", ObjectOrNull(job.result)},
          {"error", ErrorOrNull(job.error)}};
}

Result<Response> StartJob(const Services& services, const std::string& kind, json::object spec) {
  ATELIER_ASSIGN(job, services.jobs.Create(kind, std::move(spec)));
  return JsonResponse(JobObject(job));
}

Result<Response> CreateJob(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(kind, fields.String("kind", 32));
  if (kind == "train" && body.contains("folds")) {
    kind = "cross_validate";
  }
  const auto* found = std::ranges::find(kCreatable, std::string_view(kind), &CreatableKind::name);
  if (found == std::end(kCreatable)) {
    return InvalidArgument(
        "'kind' must be train, search, cross_validate, evaluate, process, import_model, pull_model, quantize_model or "
        "train_tagger; POST /v1/datasets imports data",
        "kind");
  }
  ATELIER_ASSIGN(spec, found->spec(services, body));
  return StartJob(services, kind, std::move(spec));
}

Result<Response> ListJobs(const Services& services, Request& request) {
  ATELIER_ASSIGN(page, ParsePage(request));
  jobs::Filter filter;
  filter.kind = request.Query("kind").value_or("");
  filter.state = request.Query("status").value_or("");
  filter.parent = request.Query("parent").value_or("");
  filter.after = page.after;
  filter.limit = page.limit;
  filter.descending = page.descending;
  if (!filter.state.empty() && !jobs::StateFromName(filter.state).ok()) {
    return InvalidArgument("'status' must be queued, running, succeeded, failed or cancelled", "status");
  }
  bool has_more = false;
  ATELIER_ASSIGN(found, services.jobs.List(filter, has_more));
  json::array items;
  for (const auto& job : found) {
    items.push_back(JobObject(job));
  }
  return JsonResponse(ListObject(std::move(items), has_more));
}

Result<Response> GetJob(const Services& services, Request& request) {
  ATELIER_ASSIGN(job, services.jobs.Get(request.Param("id")));
  return JsonResponse(JobObject(job));
}

Result<Response> CancelJob(const Services& services, Request& request) {
  ATELIER_ASSIGN(job, services.jobs.Cancel(request.Param("id")));
  return JsonResponse(JobObject(job));
}

Result<Response> ResumeJob(const Services& services, Request& request) {
  ATELIER_ASSIGN(job, services.jobs.Resume(request.Param("id")));
  return JsonResponse(JobObject(job));
}

Result<Response> JobLog(const Services& services, Request& request) {
  ATELIER_TRY(services.jobs.Get(request.Param("id")));
  ATELIER_ASSIGN(text, services.jobs.Log(request.Param("id"), kMaxLogBytes));
  Response response;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(text);
  return response;
}

}  // namespace atelier::api::platform
