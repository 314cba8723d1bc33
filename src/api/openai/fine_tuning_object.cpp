#include <algorithm>
#include <utility>

#include "api/openai/fine_tuning.h"
#include "base/codes.h"
#include "base/json.h"

namespace atelier::api::openai {
namespace {

constexpr size_t kTraining = 1;  // among the parts
constexpr int kMaxParts = 16;

json::value ValueAt(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr ? *value : json::value(nullptr);
}

std::string StatusOf(const TuningJob& tuning) {
  const jobs::Job& job = tuning.job;
  if (job.paused) {
    return "paused";
  }
  if (jobs::IsFinal(job.state)) {
    return std::string(jobs::Name(job.state));
  }
  if (tuning.parts.size() <= kTraining) {
    return "validating_files";
  }
  return tuning.parts[kTraining].state == jobs::State::kQueued ? "queued" : "running";
}

json::value ErrorOf(const jobs::Job& job) {
  if (!job.error) {
    return nullptr;
  }
  const Error& error = *job.error;
  return json::object{{"code", ReasonOf(error)},
                      {"message", error.message},
                      {"param", error.param.empty() ? json::value(nullptr) : json::value(error.param)}};
}

json::value EstimatedFinish(const TuningJob& tuning, int64_t now_ms) {
  if (tuning.parts.size() <= kTraining || tuning.parts[kTraining].state != jobs::State::kRunning) {
    return nullptr;
  }
  const json::object& progress = tuning.parts[kTraining].progress;
  return progress.contains("eta_s") ? json::value(Seconds(now_ms) + static_cast<int64_t>(GetNumber(progress, "eta_s")))
                                    : json::value(nullptr);
}

}  // namespace

Result<TuningJob> WithParts(const Services& services, jobs::Job job) {
  jobs::Filter filter;
  filter.parent = job.id;
  filter.limit = kMaxParts;
  filter.descending = false;
  bool more = false;
  ATELIER_ASSIGN(parts, services.jobs.List(filter, more));
  return TuningJob{std::move(job), std::move(parts)};
}

Result<TuningJob> FindTuningJob(const Services& services, const std::string& id) {
  ATELIER_ASSIGN(job, services.jobs.Get(id));
  if (job.kind != kFineTuneKind) {
    return NotFound("the job '" + job.id + "' is no fine-tuning", "job_not_found");
  }
  return WithParts(services, std::move(job));
}

json::object TuningObject(const TuningJob& tuning, int64_t now_ms) {
  const jobs::Job& job = tuning.job;
  const json::object& asked = GetObject(job.spec, "tuning");
  const json::object& resolved = GetObject(job.progress, "hyperparameters");
  const json::object& hyperparameters = resolved.empty() ? GetObject(asked, "hyperparameters") : resolved;
  const std::string type = GetString(asked, "method");
  const bool done = job.state == jobs::State::kSucceeded;
  const json::value* validation = asked.if_contains("validation_file");
  const json::value* files = job.result.if_contains("result_files");
  return {{"id", job.id},
          {"object", "fine_tuning.job"},
          {"created_at", Seconds(job.created_ms)},
          {"finished_at", jobs::IsFinal(job.state) && !job.paused ? json::value(Seconds(job.finished_ms)) : nullptr},
          {"model", GetString(asked, "model")},
          {"fine_tuned_model", done ? json::value(GetString(job.result, "model")) : nullptr},
          {"organization_id", "atelier"},
          {"status", StatusOf(tuning)},
          {"training_file", GetString(asked, "training_file")},
          {"validation_file", validation == nullptr ? json::value(nullptr) : *validation},
          {"result_files", files == nullptr ? json::value(json::array()) : *files},
          {"trained_tokens", nullptr},
          {"hyperparameters", hyperparameters},
          {"method", {{"type", type}, {type, {{"hyperparameters", hyperparameters}}}}},
          {"seed", GetInt(asked, "seed")},
          {"integrations", json::array()},
          {"estimated_finish", EstimatedFinish(tuning, now_ms)},
          {"error", ErrorOf(job)},
          {"metadata", GetObject(asked, "metadata")},
          {"settings", GetObject(job.spec, "settings")},
          {"deployment", done ? ValueAt(job.result, "deployment") : nullptr},
          {"not_served", done ? ValueAt(job.result, "not_served") : nullptr}};
}

json::array TuningCheckpoints(const TuningJob& tuning) {
  const jobs::Job& job = tuning.job;
  const json::object& training = GetObject(GetObject(job.result, "metadata"), "training");
  const json::value* history = training.if_contains("history");
  const auto best = static_cast<size_t>(GetInt(training, "best_epoch"));
  if (job.state != jobs::State::kSucceeded || history == nullptr || !history->is_array() || best < 1 ||
      best > history->get_array().size() || !history->get_array()[best - 1].is_object()) {
    return {};
  }
  const json::object& epoch = history->get_array()[best - 1].get_object();
  const int64_t step = static_cast<int64_t>(best) * GetInt(training, "steps_per_epoch", 1);
  json::object metrics{{"step", step}, {"train_loss", GetNumber(epoch, "loss")}};
  if (epoch.contains("validation_loss")) {
    metrics["valid_loss"] = epoch.at("validation_loss");
    metrics["full_valid_loss"] = epoch.at("validation_loss");
  }
  return {json::object{{"id", "ftckpt-" + job.id},
                       {"object", "fine_tuning.job.checkpoint"},
                       {"created_at", Seconds(job.finished_ms)},
                       {"fine_tuned_model_checkpoint", GetString(job.result, "model")},
                       {"fine_tuning_job_id", job.id},
                       {"step_number", step},
                       {"metrics", std::move(metrics)}}};
}

}  // namespace atelier::api::openai
