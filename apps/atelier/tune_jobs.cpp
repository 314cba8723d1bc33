#include "tune_jobs.h"

#include <algorithm>

#include "base/json.h"

namespace atelier::apps {
namespace {

constexpr int64_t kMinRows = 10;
constexpr int64_t kContext = 512;  // tokens of a row, where the client says nothing
constexpr int64_t kBytesOfToken = 3;
constexpr int64_t kWantedSteps = 60;
constexpr int64_t kMaxWarmup = 20;

Error BadFile(const std::string& message, const std::string& param) {
  return InvalidArgument(message, param, "invalid_training_file");
}

Status CheckChildren(std::span<const jobs::Job> children) {
  for (const jobs::Job& child : children) {
    if (child.state == jobs::State::kCancelled) {
      return MakeError(Code::kCancelled, "a part of the job was cancelled", "cancelled");
    }
    if (child.state != jobs::State::kFailed) {
      continue;
    }
    const Error error = child.error.value_or(Internal("a part of the job failed"));
    const bool file = child.kind == "import" && error.code == Code::kInvalidArgument;
    return file ? BadFile(error.message,
                          error.message.starts_with("validation_file") ? "validation_file" : "training_file")
                : error;
  }
  return {};
}

// A number that the client gave, or this.
int64_t Or(const json::object& hyperparameters, std::string_view key, int64_t automatic) {
  const json::value* value = hyperparameters.if_contains(key);
  return value != nullptr && value->is_int64() ? value->get_int64() : automatic;
}

struct Resolved {
  json::object hyperparameters{};
  json::object settings{};  // of the family gpt
};

// Small sets are seen more often, large ones in larger batches.
Resolved Resolve(const json::object& spec, int64_t rows) {
  const json::object& asked = GetObject(spec, "tuning");
  const json::object& given = GetObject(asked, "hyperparameters");
  const json::object& wanted = GetObject(spec, "settings");
  const bool preferences = GetString(asked, "method") == "dpo";
  const bool full = GetString(wanted, "method") == "full";
  const int64_t context = GetInt(wanted, "context", kContext);
  const int64_t packed = GetInt(asked, "training_bytes") / kBytesOfToken / std::max<int64_t>(context, 1);
  const int64_t blocks = preferences ? rows : std::clamp<int64_t>(packed, 1, rows);
  const int64_t batch = Or(given, "batch_size", std::clamp<int64_t>(blocks / 32, 1, 16));
  const int64_t steps = (blocks + batch - 1) / batch;
  const int64_t epochs = Or(given, "n_epochs", std::clamp<int64_t>((kWantedSteps + steps - 1) / steps, 3, 25));
  const double multiplier = GetNumber(given, "learning_rate_multiplier", 1);
  const double rate = (full ? 2e-4 : 1e-3) * (preferences ? 0.1 : 1) * multiplier;
  Resolved out{
      .hyperparameters = {{"n_epochs", epochs}, {"batch_size", batch}, {"learning_rate_multiplier", multiplier}},
      .settings = {{"epochs", epochs},
                   {"batch_size", batch},
                   {"learning_rate", rate},
                   {"warmup_steps", std::min(kMaxWarmup, epochs * steps / 10)},
                   {"context", context},
                   {"seed", GetInt(asked, "seed")}}};
  if (preferences) {
    const double beta = GetNumber(given, "beta", 0.1);
    out.hyperparameters["beta"] = beta;
    out.settings["preference_beta"] = beta;
  }
  for (const auto& setting : wanted) {
    out.settings[setting.key()] = setting.value();
  }
  return out;
}

json::object TrainingSpec(const json::object& spec, const json::object& imported, json::object settings) {
  json::object train = GetObject(spec, "train");
  train["dataset"] = {{"name", GetString(imported, "dataset")},
                      {"version", GetInt(imported, "version")},
                      {"manifest", GetObject(imported, "manifest")}};
  train["settings"] = std::move(settings);
  return train;
}

}  // namespace

Result<jobs::Step> AdvanceTune(const jobs::Job& job, std::span<const jobs::Job> children) {
  ATELIER_TRY(CheckChildren(children));
  jobs::Step step;
  if (children.empty()) {
    step.create.push_back({"import", GetObject(job.spec, "import")});
    return step;
  }
  if (children.front().state != jobs::State::kSucceeded) {
    return step;
  }
  const json::object& imported = children.front().result;
  const json::object& rows = GetObject(imported, "split_rows");
  const int64_t train_rows = GetInt(rows, "train");
  if (train_rows < kMinRows) {
    return BadFile(
        "the training file has " + std::to_string(train_rows) + " rows; it takes at least " + std::to_string(kMinRows),
        "training_file");
  }
  Resolved resolved = Resolve(job.spec, train_rows);
  step.progress = {{"stage", "training"},
                   {"hyperparameters", std::move(resolved.hyperparameters)},
                   {"train_rows", train_rows},
                   {"validation_rows", GetInt(rows, "validation")}};
  if (children.size() == 1) {
    step.create.push_back({"trial", TrainingSpec(job.spec, imported, std::move(resolved.settings))});
  } else if (children[1].state == jobs::State::kSucceeded) {
    step.result = children[1].result;
  }
  return step;
}

}  // namespace atelier::apps
