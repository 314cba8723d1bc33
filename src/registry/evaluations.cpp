// Evaluations of model versions.
#include "base/ids.h"
#include "registry/registry.h"
#include "registry/rows.h"
#include "storage/blob_json.h"

namespace atelier::registry {
namespace {

const std::string kColumns =
    "SELECT id, (SELECT name FROM models WHERE models.id = model_id), model_version, dataset_name, dataset_version, "
    "split, metrics, created_ms, job_id, predictions";

std::string BlobToText(const std::optional<storage::BlobRef>& blob) {
  return blob.has_value() ? boost::json::serialize(storage::ToJson(*blob)) : "";
}

Result<std::optional<storage::BlobRef>> BlobFromText(const std::string& text) {
  if (text.empty()) {
    return std::optional<storage::BlobRef>();
  }
  ATELIER_ASSIGN(object, ObjectFromText(text));
  ATELIER_ASSIGN(blob, storage::BlobRefFromJson(object, "predictions"));
  return std::optional(std::move(blob));
}

// Runs the prepared query and turns each row into an evaluation.
template <class Query>
Result<std::vector<Evaluation>> Fetch(Query&& query) {
  Evaluation row;
  std::string metrics;
  std::string predictions;
  soci::statement statement =
      (query, soci::into(row.id), soci::into(row.model_name), soci::into(row.model_version),
       soci::into(row.dataset_name), soci::into(row.dataset_version), soci::into(row.split), soci::into(metrics),
       soci::into(row.created_ms), soci::into(row.job_id), soci::into(predictions));
  std::vector<Evaluation> evaluations;
  statement.execute();
  while (statement.fetch()) {
    ATELIER_ASSIGN(parsed, ObjectFromText(metrics));
    ATELIER_ASSIGN(blob, BlobFromText(predictions));
    evaluations.push_back(row);
    evaluations.back().metrics = std::move(parsed);
    evaluations.back().predictions = std::move(blob);
  }
  return evaluations;
}

// What a list is narrowed to; the parameters are bound whether or not the filter is there.
struct Filter {
  std::string sql = "(:model_id = '' AND :version = 0)";
  std::string model_id;
  int64_t version = 0;
};

Result<Filter> MakeFilter(soci::session& session, const std::string& reference) {
  Filter filter;
  if (reference.empty()) {
    return filter;
  }
  const Reference parts = SplitReference(reference);
  ATELIER_ASSIGN(model, FindModel(session, parts.model));
  filter.model_id = model.id;
  filter.sql = "model_id = :model_id AND (:version = 0 OR model_version = :version)";
  if (!parts.selector.empty()) {
    ATELIER_ASSIGN(version, SelectVersion(session, model, parts.selector));
    filter.version = version;
  }
  return filter;
}

}  // namespace

Result<Evaluation> Registry::AddEvaluation(soci::session& session, Evaluation evaluation) {
  ATELIER_ASSIGN(metrics, ObjectToText(evaluation.metrics, "metrics"));
  const std::string predictions = BlobToText(evaluation.predictions);
  ATELIER_ASSIGN(model, FindModel(session, evaluation.model_name));
  if (!HasVersion(session, model, evaluation.model_version)) {
    return NotFound("model '" + model.name + "' has no version " + std::to_string(evaluation.model_version),
                    "model_version_not_found");
  }
  evaluation.id = NewId("eval_", rng_);
  evaluation.model_name = model.name;
  evaluation.created_ms = clock_.UnixMs();
  session << "INSERT INTO evaluations (id, model_id, model_version, dataset_name, dataset_version, split, metrics, "
             "job_id, created_ms, predictions) VALUES (:id, :model_id, :model_version, :dataset_name, "
             ":dataset_version, :split, :metrics, :job_id, :created_ms, :predictions)",
      soci::use(evaluation.id, "id"), soci::use(model.id, "model_id"),
      soci::use(evaluation.model_version, "model_version"), soci::use(evaluation.dataset_name, "dataset_name"),
      soci::use(evaluation.dataset_version, "dataset_version"), soci::use(evaluation.split, "split"),
      soci::use(metrics, "metrics"), soci::use(evaluation.job_id, "job_id"),
      soci::use(evaluation.created_ms, "created_ms"), soci::use(predictions, "predictions");
  return evaluation;
}

Result<std::vector<Evaluation>> FindEvaluations(soci::session& session, const Model& model, int64_t version) {
  return Fetch((session.prepare << kColumns + " FROM evaluations WHERE model_id = :model_id AND model_version = "
                                              ":version ORDER BY created_ms DESC, id DESC LIMIT 1000",
                soci::use(model.id, "model_id"), soci::use(version, "version")));
}

Result<Evaluation> Registry::GetEvaluation(const std::string& id) {
  Evaluation evaluation;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(found,
                   Fetch((session.prepare << kColumns + " FROM evaluations WHERE id = :id", soci::use(id, "id"))));
    if (found.empty()) {
      return NotFound("there is no evaluation '" + id + "'", "evaluation_not_found");
    }
    evaluation = std::move(found.front());
    return {};
  }));
  return evaluation;
}

Result<std::vector<Evaluation>> Registry::ListEvaluations(const std::string& model, const Page& page, bool& has_more) {
  std::vector<Evaluation> evaluations;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(filter, MakeFilter(session, model));
    ATELIER_ASSIGN(query, MakePageQuery(session, "evaluations", filter.sql, page));
    ATELIER_ASSIGN(rows, Fetch((session.prepare << kColumns + query.sql, soci::use(filter.model_id, "model_id"),
                                soci::use(filter.version, "version"), soci::use(query.after_ms, "after_ms"),
                                soci::use(query.after_id, "after_id"), soci::use(query.limit, "limit"))));
    evaluations = std::move(rows);
    has_more = TrimPage(evaluations, query);
    return {};
  }));
  return evaluations;
}

}  // namespace atelier::registry
