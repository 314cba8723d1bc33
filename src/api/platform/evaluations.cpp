// /v1/evaluations
#include <charconv>

#include "api/handlers.h"
#include "api/platform/files.h"
#include "api/platform/jobs.h"
#include "learning/evaluation/bias.h"
#include "learning/evaluation/comparison.h"
#include "learning/evaluation/errors.h"
#include "learning/evaluation/report.h"
#include "registry/registry.h"

namespace atelier::api::platform {
namespace {

constexpr int64_t kMostWorst = 1000;

json::object EvaluationObject(const registry::Evaluation& evaluation) {
  return {{"id", evaluation.id},
          {"object", "evaluation"},
          {"model", evaluation.model_name + "@" + std::to_string(evaluation.model_version)},
          {"dataset", evaluation.dataset_name + "@" + std::to_string(evaluation.dataset_version)},
          {"split", evaluation.split},
          {"metrics", evaluation.metrics},
          {"has_predictions", evaluation.predictions.has_value()},
          {"created_at", Seconds(evaluation.created_ms)},
          {"job_id", evaluation.job_id}};
}

Result<storage::BlobRef> PredictionsBlob(const registry::Evaluation& evaluation) {
  if (!evaluation.predictions.has_value()) {
    return NotFound("the evaluation '" + evaluation.id + "' kept no predictions; evaluate the model again",
                    "predictions_not_found");
  }
  return *evaluation.predictions;
}

Result<learning::Predictions> FindPredictions(const Services& services, const registry::Evaluation& evaluation) {
  ATELIER_ASSIGN(blob, PredictionsBlob(evaluation));
  return learning::LoadPredictions(services.blobs, blob);
}

// What analyses of one evaluation begin with.
json::object Heading(const registry::Evaluation& evaluation, std::string_view object) {
  auto heading = EvaluationObject(evaluation);
  heading["object"] = object;
  heading["evaluation"] = evaluation.id;
  for (const char* key : {"id", "metrics", "has_predictions", "created_at", "job_id"}) {
    heading.erase(key);
  }
  return heading;
}

void Merge(json::object& into, json::object from) {
  for (auto& member : from) {
    into[member.key()] = std::move(member.value());
  }
}

Result<int64_t> IntQuery(const Request& request, std::string_view name, int64_t fallback, int64_t most) {
  const auto text = request.Query(name);
  if (!text.has_value()) {
    return fallback;
  }
  int64_t value = -1;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < 0 || value > most) {
    return InvalidArgument("'" + std::string(name) + "' must be a number from 0 to " + std::to_string(most),
                           std::string(name));
  }
  return value;
}

Result<registry::Evaluation> FindEvaluation(const Services& services, Fields& fields, std::string_view key) {
  ATELIER_ASSIGN(id, fields.String(key, 128));
  auto evaluation = services.registry.GetEvaluation(id);
  if (!evaluation.ok()) {
    Error error = std::move(evaluation).error();
    error.param = key;
    return error;
  }
  return evaluation;
}

}  // namespace

Result<Response> CreateEvaluation(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  ATELIER_ASSIGN(spec, EvaluateSpec(services, body, false));
  return StartJob(services, "evaluate", std::move(spec));
}

Result<Response> ListEvaluations(const Services& services, Request& request) {
  ATELIER_ASSIGN(query, ParsePage(request));
  const std::string model(request.Query("model").value_or(""));
  bool has_more = false;
  ATELIER_ASSIGN(found,
                 services.registry.ListEvaluations(model, {query.after, query.limit, query.descending}, has_more));
  json::array items;
  for (const auto& evaluation : found) {
    items.push_back(EvaluationObject(evaluation));
  }
  return JsonResponse(ListObject(std::move(items), has_more));
}

Result<Response> GetEvaluation(const Services& services, Request& request) {
  ATELIER_ASSIGN(evaluation, services.registry.GetEvaluation(request.Param("id")));
  return JsonResponse(EvaluationObject(evaluation));
}

Result<Response> GetEvaluationErrors(const Services& services, Request& request) {
  ATELIER_ASSIGN(evaluation, services.registry.GetEvaluation(request.Param("id")));
  ATELIER_ASSIGN(limit, IntQuery(request, "limit", 20, kMostWorst));
  ATELIER_ASSIGN(predictions, FindPredictions(services, evaluation));
  const learning::ErrorQuery query{std::string(request.Query("slice").value_or("")), static_cast<size_t>(limit)};
  ATELIER_ASSIGN(report, learning::ErrorReport(predictions, query));
  auto answer = Heading(evaluation, "evaluation.errors");
  Merge(answer, std::move(report));
  return JsonResponse(answer);
}

Result<Response> GetEvaluationBias(const Services& services, Request& request) {
  ATELIER_ASSIGN(evaluation, services.registry.GetEvaluation(request.Param("id")));
  ATELIER_ASSIGN(least, IntQuery(request, "least_rows", 10, 1'000'000'000));
  learning::BiasQuery query{.group = std::string(request.Query("group").value_or("")),
                            .positive = std::string(request.Query("positive").value_or("")),
                            .least_rows = static_cast<size_t>(std::max<int64_t>(least, 1))};
  if (query.group.empty()) {
    return InvalidArgument("'group' is missing: the column that tells the groups", "group",
                           "missing_required_parameter");
  }
  ATELIER_ASSIGN(predictions, FindPredictions(services, evaluation));
  ATELIER_ASSIGN(report, learning::BiasReport(predictions, query));
  auto answer = Heading(evaluation, "evaluation.bias");
  Merge(answer, std::move(report));
  return JsonResponse(answer);
}

Result<Response> GetEvaluationPredictions(const Services& services, Request& request) {
  ATELIER_ASSIGN(evaluation, services.registry.GetEvaluation(request.Param("id")));
  ATELIER_ASSIGN(blob, PredictionsBlob(evaluation));
  return BlobResponse(services, request, blob, evaluation.id + ".safetensors");
}

Result<Response> CompareEvaluations(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(a, FindEvaluation(services, fields, "a"));
  ATELIER_ASSIGN(b, FindEvaluation(services, fields, "b"));
  ATELIER_ASSIGN(seed, fields.IntOr("seed", 1, 0, std::numeric_limits<int64_t>::max()));
  ATELIER_TRY(fields.RejectUnknown());
  if (a.dataset_name != b.dataset_name || a.dataset_version != b.dataset_version) {
    return InvalidArgument("the evaluations are of different data: " + a.dataset_name + "@" +
                               std::to_string(a.dataset_version) + " and " + b.dataset_name + "@" +
                               std::to_string(b.dataset_version),
                           "b");
  }
  ATELIER_ASSIGN(first, FindPredictions(services, a));
  ATELIER_ASSIGN(second, FindPredictions(services, b));
  learning::ResamplingOptions options;
  options.seed = static_cast<uint64_t>(seed);
  ATELIER_ASSIGN(report, learning::Compare(first, second, options));
  json::object answer{{"object", "evaluation.comparison"}, {"a", EvaluationObject(a)}, {"b", EvaluationObject(b)}};
  for (const char* side : {"a", "b"}) {
    answer.at(side).as_object().erase("metrics");
  }
  Merge(answer, std::move(report));
  return JsonResponse(answer);
}

}  // namespace atelier::api::platform
