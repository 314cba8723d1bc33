// Processing data sets: /v1/datasets/{name}/process, /preview and /split, and /v1/steps
#include <limits>

#include "api/handlers.h"
#include "api/platform/jobs.h"
#include "base/ids.h"
#include "data/steps/process.h"
#include "storage/blob_json.h"

namespace atelier::api::platform {
namespace {

constexpr int64_t kLatest = 0;
constexpr int64_t kMaxVersion = std::numeric_limits<int64_t>::max();
constexpr int64_t kPreviewRows = 20;

// The specification of a job over a version: the steps are checked against its columns, each after the ones before it.
// `steps`: {"steps", "seed"}. `as`: the data set that gets the new version; "": the same.
Result<json::object> StepsSpec(const Services& services, const data::DatasetVersion& version, const json::object& steps,
                               const std::string& as, const json::object& request) {
  if (!as.empty()) {
    ATELIER_TRY(ValidateName(as, "as"));
  }
  ATELIER_ASSIGN(manifest, LoadManifest(services, version));
  ATELIER_ASSIGN(checked, data::steps::CheckRequest(steps, data::steps::SchemaOf(manifest)));
  json::object spec = NewSpec(services, request);
  const std::string& name = as.empty() ? version.dataset_name : as;
  spec["name"] = name;
  if (name == version.dataset_name) {
    spec["version"] = version.version;
  }
  spec["manifest"] = storage::ToJson(version.manifest);
  spec["parent"] = {
      {"dataset", version.dataset_name}, {"version", version.version}, {"manifest_sha256", version.manifest.sha256}};
  spec["process"] = {{"steps", std::move(checked.steps)}, {"seed", checked.seed}};
  return spec;
}

// What is left of the request when what is not about the steps is taken out.
json::object Without(json::object request, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    request.erase(key);
  }
  return request;
}

Result<data::DatasetVersion> FindVersion(const Services& services, Request& request, Fields& fields) {
  ATELIER_ASSIGN(number, fields.IntOr("version", kLatest, 1, kMaxVersion));
  return services.datasets.GetVersion(request.Param("name"), number);
}

// A split's fields are those of the step of that name, so its errors name them without it.
Error AsFieldError(Error error) {
  constexpr std::string_view kStep = "steps[0].";
  for (std::string* text : {&error.param, &error.message}) {
    for (size_t at = text->find(kStep); at != std::string::npos; at = text->find(kStep)) {
      text->erase(at, kStep.size());
    }
  }
  return error;
}

// The step that {"fractions", "by", "column", "folds", "fold", "seed"} asks for; "stratify" is an older way to say
// "by".
Result<json::object> SplitSteps(const json::object& request) {
  json::object step = Without(request, {"version", "stratify"});
  Fields fields(request);
  if (fields.Has("stratify")) {
    ATELIER_ASSIGN(stratify, fields.BoolOr("stratify", true));
    if (fields.Has("by")) {
      return InvalidArgument("'stratify' and 'by' say the same thing: give one of them", "stratify");
    }
    step["by"] = stratify ? "auto" : "random";
  }
  step["step"] = "split";
  return json::object{{"steps", json::array{std::move(step)}}};
}

// The rows of a preview, when its job is done.
class PreviewAnswer final : public PendingAnswer {
 public:
  PreviewAnswer(const Services& services, std::string job) : services_(services), job_(std::move(job)) {}

  Result<std::optional<Response>> Poll() override {
    ATELIER_ASSIGN(job, services_.jobs.Get(job_));
    if (!jobs::IsFinal(job.state)) {
      return std::optional<Response>();
    }
    if (job.state != jobs::State::kSucceeded) {
      return job.error.value_or(MakeError(Code::kCancelled, "the preview was cancelled", "job_cancelled"));
    }
    json::object answer{{"object", "dataset.preview"}, {"job_id", job.id}};
    for (auto& member : job.result) {
      answer[member.key()] = std::move(member.value());
    }
    return std::optional(JsonResponse(answer));
  }
  const std::string& topic() const override { return job_; }

 private:
  const Services& services_;
  std::string job_;
};

}  // namespace

Result<json::object> ProcessSpec(const Services& services, const json::object& request) {
  Fields fields(request);
  ATELIER_ASSIGN(dataset, fields.String("dataset", 256));
  ATELIER_ASSIGN(as, fields.StringOr("as", "", 128));
  ATELIER_ASSIGN(reference, data::ParseReference(dataset, "dataset"));
  ATELIER_ASSIGN(version, services.datasets.GetVersion(reference.name, reference.version));
  return StepsSpec(services, version, Without(request, {"kind", "dataset", "as"}), as, request);
}

Result<Response> ProcessDataset(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(as, fields.StringOr("as", "", 128));
  ATELIER_ASSIGN(version, FindVersion(services, request, fields));
  ATELIER_ASSIGN(spec, StepsSpec(services, version, Without(body, {"version", "as"}), as, body));
  return StartJob(services, "process", std::move(spec));
}

Result<Response> SplitDataset(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(version, FindVersion(services, request, fields));
  ATELIER_ASSIGN(steps, SplitSteps(body));
  auto spec = StepsSpec(services, version, steps, "", body);
  return spec.ok() ? StartJob(services, "process", std::move(*spec)) : AsFieldError(std::move(spec).error());
}

Result<Response> PreviewDataset(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(rows, fields.IntOr("rows", kPreviewRows, 1, data::steps::kMaxPreviewRows));
  ATELIER_ASSIGN(version, FindVersion(services, request, fields));
  json::object steps = Without(body, {"version", "rows"});
  if (!steps.contains("steps")) {
    steps["steps"] = json::array();
  }
  ATELIER_ASSIGN(spec, StepsSpec(services, version, steps, "", body));
  spec["rows"] = rows;
  ATELIER_ASSIGN(job, services.jobs.Create("preview", std::move(spec)));
  Response response;
  response.pending = std::make_unique<PreviewAnswer>(services, job.id);
  return response;
}

Result<Response> ListSteps(const Services& /*services*/, Request& /*request*/) {
  json::array items;
  for (const data::steps::StepKind* kind : data::steps::StepKinds()) {
    json::object item = data::steps::Describe(*kind);
    item["id"] = kind->name;
    items.push_back(std::move(item));
  }
  return JsonResponse(ListObject(std::move(items), false));
}

}  // namespace atelier::api::platform
