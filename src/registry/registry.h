// Models, their immutable versions with lineage, aliases, evaluations and the deployments that should exist.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/rng.h"
#include "storage/blob_store.h"
#include "storage/catalogue.h"

namespace atelier::registry {

std::span<const storage::Migration> Migrations();

struct Model {
  std::string id;    // model_...
  std::string name;  // unique
  int64_t created_ms = 0;
  int64_t latest_version = 0;
};

// A folder in Hugging Face's layout. `metadata` is its atelier.json: family, task, labels, signature, lineage
// (dataset, dataset_version, manifest sha256, code_version, seed, hyperparameters, job_id), metrics.
struct ModelVersion {
  std::string model_id;
  std::string model_name;
  int64_t version = 0;                            // 1, 2, ...
  std::map<std::string, storage::BlobRef> files;  // "config.json", "model.safetensors", ...
  boost::json::object metadata;
  int64_t created_ms = 0;
  std::string job_id;
};

struct Evaluation {
  std::string id;  // eval_...
  std::string model_name;
  int64_t model_version = 0;
  std::string dataset_name;
  int64_t dataset_version = 0;
  std::string split;
  boost::json::object metrics;
  int64_t created_ms = 0;
  std::string job_id;
  std::optional<storage::BlobRef>
      predictions{};  // row by row, where they were kept (learning/evaluation/predictions.h)
};

struct DeployedVersion {
  int64_t version = 0;
  int weight = 100;  // share of the traffic; weights of a deployment add up to 100
};

// A model version that changes what a deployed language model says, for requests that name it.
struct DeployedAdapter {
  std::string name;  // unique in its deployment
  std::string model_name;
  int64_t version = 0;
  int64_t created_ms = 0;
};

// The wish; serving makes it so.
struct Deployment {
  std::string id;    // dep_...
  std::string name;  // unique; `model` in a request
  std::string model_name;
  std::vector<DeployedVersion> versions;
  std::vector<DeployedVersion> previous;  // for a rollback; empty: none
  boost::json::object settings;           // max_batch, max_delay_us ...
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  std::vector<DeployedAdapter> adapters{};  // in order of their names
  boost::json::object gate{};               // the score demanded of its versions; empty: none
};

// What a deployment becomes.
struct DeploymentWish {
  std::string model_name;
  std::vector<DeployedVersion> versions;
  std::optional<boost::json::object> settings{};  // absent: those that it had
  std::optional<boost::json::object> gate{};      // absent: that which it had; empty: none
};

// Whether a version with these evaluations, the newest first, may pass the gate of a deployment. The registry knows no
// metrics: the composition says what a gate means.
using GateCheck = std::function<Status(const boost::json::object& gate, const std::string& version,
                                       std::span<const Evaluation> evaluations)>;

struct Page {
  std::string after;  // an id; empty: from the start. Unknown: kInvalidArgument on `after`
  int limit = 20;
  bool descending = true;
};

class Documents;

// Thread-safe. Errors: kNotFound "model_not_found", "model_version_not_found", "alias_not_found",
// "evaluation_not_found", "deployment_not_found", "adapter_not_found"; kAlreadyExists; kFailedPrecondition "in_use"
// (deleting what a deployment serves).
class Registry {
 public:
  // Without a check every version passes every gate.
  Registry(storage::Catalogue& catalogue, Clock& clock, Rng& rng, GateCheck check_gate = {})
      : catalogue_(catalogue), clock_(clock), rng_(rng), check_gate_(std::move(check_gate)) {}

  // Inside a job's commit: appends a version, creating the model where absent. Both let SQL exceptions out, for the
  // catalogue's Write to turn into errors. Errors: kInvalidArgument (name, files), kOutOfRange (metadata above 4 MiB).
  Result<ModelVersion> AddVersion(soci::session& session, const std::string& name,
                                  std::map<std::string, storage::BlobRef> files, boost::json::object metadata,
                                  const std::string& job_id);
  Result<Evaluation> AddEvaluation(soci::session& session, Evaluation evaluation);  // sets id and created_ms

  Result<Model> GetModel(const std::string& name_or_id);
  Result<std::vector<Model>> ListModels(const Page& page, bool& has_more);
  Result<std::vector<ModelVersion>> Versions(const std::string& name_or_id);
  // `reference` is "name" (latest), "name@3", "name@alias", "name@latest", or the same with an id for the name.
  Result<ModelVersion> Resolve(const std::string& reference);
  Status DeleteModel(const std::string& name_or_id);

  // An alias is a name that is neither a number nor "latest".
  Status SetAlias(const std::string& model, const std::string& alias, int64_t version);
  Status DeleteAlias(const std::string& model, const std::string& alias);
  Result<std::map<std::string, int64_t>> Aliases(const std::string& model);

  Result<Evaluation> GetEvaluation(const std::string& id);
  // `model`: empty for all, or a reference as in Resolve; without '@' the evaluations of every version.
  Result<std::vector<Evaluation>> ListEvaluations(const std::string& model, const Page& page, bool& has_more);

  // Creates or changes (same name); on a change the old versions become `previous` (none when the model changes; kept
  // when the versions stay). Adapters stay, unless the model changes. Errors: kInvalidArgument on `name`, `versions`,
  // `versions[i].weight`, `versions[i].version`; those of the gate's check for a version that has traffic.
  Result<Deployment> PutDeployment(const std::string& name, const DeploymentWish& wish);
  // The same inside a job's commit; lets SQL exceptions out, as AddVersion does.
  Result<Deployment> PutDeployment(soci::session& session, const std::string& name, const DeploymentWish& wish);
  // The same with all settings, and the gate that it had.
  Result<Deployment> PutDeployment(const std::string& name, const std::string& model_name,
                                   std::vector<DeployedVersion> versions, boost::json::object settings);
  // kFailedPrecondition where there is no previous; the gate counts here, too.
  Result<Deployment> Rollback(const std::string& name);
  Result<Deployment> GetDeployment(const std::string& name_or_id);
  Result<std::vector<Deployment>> ListDeployments();
  Status DeleteDeployment(const std::string& name_or_id);

  // Adds an adapter to a deployment that has fewer than `most`; created_ms is set. Nothing changes where it is there.
  // Errors: kInvalidArgument on `name`; kAlreadyExists "adapter_exists" (another one of that name), "name_taken" (a
  // deployment is called so); kFailedPrecondition "too_many_adapters".
  Result<Deployment> AddAdapter(const std::string& deployment, DeployedAdapter adapter, size_t most);
  // The same inside a job's commit; lets SQL exceptions out.
  Result<Deployment> AddAdapter(soci::session& session, const std::string& deployment, DeployedAdapter adapter,
                                size_t most);
  Status DeleteAdapter(const std::string& deployment, const std::string& adapter);

  // Of the same catalogue (registry/documents.h).
  Documents documents();

 private:
  Status CheckGate(soci::session& session, const Model& model, const Deployment& deployment) const;

  storage::Catalogue& catalogue_;
  Clock& clock_;
  Rng& rng_;
  GateCheck check_gate_;
};

// The model card as Markdown: what it is, data, training, evaluation, labels, lineage, files.
std::string ModelCard(const ModelVersion& version, const std::vector<Evaluation>& evaluations);

}  // namespace atelier::registry
