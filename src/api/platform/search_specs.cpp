// Specifications of jobs that consist of trainings. Each training is checked as if it were asked for alone.
#include "api/platform/jobs.h"
#include "base/ids.h"
#include "data/manifest.h"
#include "learning/metrics/metrics.h"
#include "learning/search/plan.h"

namespace atelier::api::platform {
namespace {

constexpr int64_t kMostFolds = 100;
constexpr double kValidationShare = 0.2;  // where the data set has no validation rows to choose by
constexpr int64_t kDefaultTrials = 20;

Result<data::Manifest> FindManifest(const Services& services, const std::string& dataset) {
  ATELIER_ASSIGN(reference, data::ParseReference(dataset, "dataset"));
  ATELIER_ASSIGN(version, services.datasets.GetVersion(reference.name, reference.version));
  ATELIER_ASSIGN(value, ReadManifest(services, version));
  return data::ManifestFromJson(value);
}

// The training that all of them are, with the settings that they begin with.
struct Base {
  json::object request;
  json::object settings;
};

Result<Base> ReadBase(Fields& fields, std::string_view fallback_model) {
  ATELIER_ASSIGN(family, fields.String("family", 64));
  ATELIER_ASSIGN(dataset, fields.String("dataset", 256));
  ATELIER_ASSIGN(model, fallback_model.empty() ? fields.String("model", 128)
                                               : fields.StringOr("model", std::string(fallback_model), 128));
  ATELIER_ASSIGN(settings, fields.ObjectOr("settings"));
  ATELIER_ASSIGN(base, fields.StringOr("base", "", 300));
  json::object request{{"kind", "train"}, {"family", family}, {"dataset", dataset}, {"model", model}};
  if (!base.empty()) {
    request["base"] = base;
  }
  return Base{std::move(request), settings == nullptr ? json::object() : *settings};
}

// The specification of one training; an error says which one.
Result<json::object> TrialSpec(const Services& services, const Base& base, const learning::Trial& trial) {
  json::object request = base.request;
  json::object settings = base.settings;
  for (const auto& member : trial) {
    settings[member.key()] = member.value();
  }
  request["settings"] = std::move(settings);
  auto spec = TrainSpec(services, request);
  if (!spec.ok() && !trial.empty()) {
    Error error = std::move(spec).error();
    error.message += "; of the search's trial " + json::serialize(trial);
    return error;
  }
  return spec;
}

// {"plan","settings","train"}, each trial checked.
Result<json::object> SearchJob(const Services& services, const Base& base, const learning::Plan& plan,
                               const json::object& request) {
  json::array settings;
  json::object train;
  for (const auto& trial : plan.trials) {
    ATELIER_ASSIGN(spec, TrialSpec(services, base, trial));
    settings.push_back(std::move(spec.at("settings")));
    train = std::move(spec);
  }
  train.erase("settings");
  train.erase("request");
  return json::object{{"request", request},
                      {"model", base.request.at("model")},
                      {"plan", learning::ToJson(plan)},
                      {"settings", std::move(settings)},
                      {"train", std::move(train)}};
}

Result<std::string> ReadMetric(Fields& fields, const data::Manifest& manifest) {
  const std::string usual = manifest.task == data::Task::kClassification ? "accuracy"
                            : manifest.task == data::Task::kRegression   ? "rmse"
                                                                         : "loss";
  ATELIER_ASSIGN(metric, fields.StringOr("metric", usual, 128));
  if (metric.empty()) {
    return InvalidArgument("'metric' is empty", "metric");
  }
  return metric;
}

struct Wish {
  learning::Strategy strategy = learning::Strategy::kRandom;
  std::vector<learning::Dimension> space;
  size_t trials = 0;
  uint64_t seed = 1;
  int64_t factor = 3;
};

Result<Wish> ReadWish(Fields& fields) {
  Wish wish;
  ATELIER_ASSIGN(name, fields.StringOr("strategy", "random", 16));
  ATELIER_ASSIGN(strategy, learning::StrategyFromName(name));
  ATELIER_ASSIGN(object, fields.ObjectOr("space"));
  ATELIER_ASSIGN(trials, fields.IntOr("trials", kDefaultTrials, 1, static_cast<int64_t>(learning::kMostTrials)));
  ATELIER_ASSIGN(seed, fields.IntOr("seed", 1, 0, std::numeric_limits<int64_t>::max()));
  ATELIER_ASSIGN(factor, fields.IntOr("factor", 3, 2, 16));
  if (strategy == learning::Strategy::kFolds) {
    return InvalidArgument("'strategy' must be grid, random or halving", "strategy");
  }
  if (object == nullptr) {
    return InvalidArgument("'space' is missing: the settings to try, with their values", "space",
                           "missing_required_parameter");
  }
  ATELIER_ASSIGN(space, learning::SpaceFromJson(*object));
  return Wish{strategy, std::move(space), static_cast<size_t>(trials), static_cast<uint64_t>(seed), factor};
}

Result<std::vector<learning::Trial>> TrialsOf(const Wish& wish) {
  if (wish.strategy == learning::Strategy::kGrid) {
    return learning::GridTrials(wish.space);
  }
  return learning::RandomTrials(wish.space, wish.trials, wish.seed);
}

}  // namespace

Result<json::object> SearchSpec(const Services& services, const json::object& request) {
  Fields fields(request);
  ATELIER_TRY(fields.String("kind"));
  ATELIER_ASSIGN(base, ReadBase(fields, ""));
  ATELIER_ASSIGN(wish, ReadWish(fields));
  ATELIER_ASSIGN(manifest, FindManifest(services, GetString(base.request, "dataset")));
  ATELIER_ASSIGN(metric, ReadMetric(fields, manifest));
  ATELIER_ASSIGN(parallel, fields.IntOr("parallel", 1, 1, 64));
  ATELIER_TRY(fields.RejectUnknown());
  // The test rows are not for choosing.
  if (manifest.split_rows[static_cast<size_t>(data::Split::kValidation)] == 0 &&
      !base.settings.contains("validation")) {
    base.settings["validation"] = kValidationShare;
  }
  learning::Plan plan{.strategy = wish.strategy,
                      .metric = metric,
                      .lower_is_better = learning::LowerIsBetter(metric),
                      .parallel = static_cast<size_t>(parallel)};
  ATELIER_ASSIGN(trials, TrialsOf(wish));
  plan.trials = std::move(trials);
  plan.rungs = {{plan.trials.size(), 0}};
  ATELIER_ASSIGN(spec, SearchJob(services, base, plan, request));
  if (wish.strategy == learning::Strategy::kHalving) {
    int64_t epochs = 1;
    for (const auto& settings : spec.at("settings").as_array()) {
      epochs = std::max(epochs, GetInt(settings.as_object(), "epochs", 1));
    }
    plan.rungs = learning::HalvingRungs(plan.trials.size(), epochs, wish.factor);
    spec["plan"] = learning::ToJson(plan);
  }
  spec.at("train").as_object()["evaluate_on"] = "validation";
  return spec;
}

Result<json::object> FoldsSpec(const Services& services, const json::object& request) {
  Fields fields(request);
  ATELIER_TRY(fields.String("kind"));
  ATELIER_ASSIGN(base, ReadBase(fields, "cross-validation"));
  ATELIER_ASSIGN(folds, fields.IntOr("folds", 5, 2, kMostFolds));
  ATELIER_ASSIGN(seed, fields.IntOr("seed", 1, 0, std::numeric_limits<int64_t>::max()));
  ATELIER_ASSIGN(parallel, fields.IntOr("parallel", 1, 1, 64));
  ATELIER_TRY(fields.RejectUnknown());
  ATELIER_ASSIGN(manifest, FindManifest(services, GetString(base.request, "dataset")));
  const int64_t rows = manifest.split_rows[static_cast<size_t>(data::Split::kTrain)] +
                       manifest.split_rows[static_cast<size_t>(data::Split::kValidation)];
  if (rows < folds) {
    return InvalidArgument("the data set has fewer rows to train on than " + std::to_string(folds) + " folds", "folds",
                           "dataset_unsuitable");
  }
  learning::Plan plan{.strategy = learning::Strategy::kFolds, .parallel = static_cast<size_t>(parallel)};
  plan.trials.resize(1);  // one stands for all: they have the same settings
  ATELIER_ASSIGN(spec, SearchJob(services, base, plan, request));
  plan.trials.resize(static_cast<size_t>(folds));
  plan.rungs = {{plan.trials.size(), 0}};
  const json::value settings = spec.at("settings").at(0);
  spec["settings"] = json::array(static_cast<size_t>(folds), settings);
  spec["plan"] = learning::ToJson(plan);
  spec["fold"] = {{"count", folds}, {"seed", seed}};
  return spec;
}

}  // namespace atelier::api::platform
