// The deployments that should exist.
#include <algorithm>
#include <set>

#include "base/ids.h"
#include "registry/registry.h"
#include "registry/rows.h"

namespace atelier::registry {
namespace {

constexpr size_t kMaxVersions = 16;
constexpr int kAllTraffic = 100;

const std::string kSelect =
    "SELECT id, name, (SELECT name FROM models WHERE models.id = model_id), versions, previous, settings, created_ms, "
    "updated_ms, gate FROM deployments";

template <class Query>
Result<std::vector<Deployment>> Fetch(soci::session& session, Query&& query) {
  Deployment row;
  std::string versions;
  std::string previous;
  std::string settings;
  std::string gate;
  soci::statement statement = (query, soci::into(row.id), soci::into(row.name), soci::into(row.model_name),
                               soci::into(versions), soci::into(previous), soci::into(settings),
                               soci::into(row.created_ms), soci::into(row.updated_ms), soci::into(gate));
  std::vector<Deployment> deployments;
  statement.execute();
  while (statement.fetch()) {
    ATELIER_ASSIGN(parsed_versions, VersionsFromText(versions));
    ATELIER_ASSIGN(parsed_previous, VersionsFromText(previous));
    ATELIER_ASSIGN(parsed_settings, ObjectFromText(settings));
    deployments.push_back(row);
    deployments.back().versions = std::move(parsed_versions);
    deployments.back().previous = std::move(parsed_previous);
    deployments.back().settings = std::move(parsed_settings);
    if (!gate.empty()) {
      ATELIER_ASSIGN(parsed_gate, ObjectFromText(gate));
      deployments.back().gate = std::move(parsed_gate);
    }
  }
  for (Deployment& deployment : deployments) {
    deployment.adapters = FindAdapters(session, deployment.id);
  }
  return deployments;
}

Status ValidateTraffic(const std::vector<DeployedVersion>& versions) {
  if (versions.empty() || versions.size() > kMaxVersions) {
    return InvalidArgument("a deployment has 1 to 16 versions", "versions");
  }
  std::set<int64_t> seen;
  int total = 0;
  for (size_t i = 0; i < versions.size(); ++i) {
    const std::string where = "versions[" + std::to_string(i) + "]";
    if (versions[i].weight < 0 || versions[i].weight > kAllTraffic) {
      return InvalidArgument("a weight is between 0 and 100", where + ".weight");
    }
    if (!seen.insert(versions[i].version).second) {
      return InvalidArgument("version " + std::to_string(versions[i].version) + " is named twice", where + ".version");
    }
    total += versions[i].weight;
  }
  if (total != kAllTraffic) {
    return InvalidArgument("the weights add up to " + std::to_string(total) + ", not to 100", "versions");
  }
  return {};
}

Status CheckVersionsExist(soci::session& session, const Model& model, const std::vector<DeployedVersion>& versions) {
  for (const auto& version : versions) {
    if (!HasVersion(session, model, version.version)) {
      return NotFound("model '" + model.name + "' has no version " + std::to_string(version.version),
                      "model_version_not_found");
    }
  }
  return {};
}

bool SameTraffic(const std::vector<DeployedVersion>& a, const std::vector<DeployedVersion>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.version == y.version && x.weight == y.weight; });
}

Status Save(soci::session& session, const Deployment& deployment, const std::string& model_id) {
  ATELIER_ASSIGN(settings, ObjectToText(deployment.settings, "settings"));
  ATELIER_ASSIGN(gate, ObjectToText(deployment.gate, "gate"));
  const std::string versions = VersionsToText(deployment.versions);
  const std::string previous = VersionsToText(deployment.previous);
  session << "INSERT INTO deployments (id, name, model_id, versions, previous, settings, created_ms, updated_ms, gate) "
             "VALUES (:id, :name, :model_id, :versions, :previous, :settings, :created_ms, :updated_ms, :gate) "
             "ON CONFLICT (id) DO UPDATE SET model_id = excluded.model_id, versions = excluded.versions, "
             "previous = excluded.previous, settings = excluded.settings, updated_ms = excluded.updated_ms, "
             "gate = excluded.gate",
      soci::use(deployment.id, "id"), soci::use(deployment.name, "name"), soci::use(model_id, "model_id"),
      soci::use(versions, "versions"), soci::use(previous, "previous"), soci::use(settings, "settings"),
      soci::use(deployment.created_ms, "created_ms"), soci::use(deployment.updated_ms, "updated_ms"),
      soci::use(gate, "gate");
  return {};
}

}  // namespace

Result<Deployment> FindDeployment(soci::session& session, const std::string& name_or_id) {
  ATELIER_ASSIGN(found,
                 Fetch(session, (session.prepare << kSelect + " WHERE id = :key OR name = :key "
                                                              "ORDER BY CASE WHEN id = :key THEN 0 ELSE 1 END LIMIT 1",
                                 soci::use(name_or_id, "key"))));
  if (found.empty()) {
    return NotFound("there is no deployment '" + name_or_id + "'", "deployment_not_found");
  }
  return std::move(found.front());
}

Status Registry::CheckGate(soci::session& session, const Model& model, const Deployment& deployment) const {
  if (deployment.gate.empty() || !check_gate_) {
    return {};
  }
  for (const DeployedVersion& version : deployment.versions) {
    if (version.weight > 0) {
      ATELIER_ASSIGN(evaluations, FindEvaluations(session, model, version.version));
      ATELIER_TRY(check_gate_(deployment.gate, model.name + "@" + std::to_string(version.version), evaluations));
    }
  }
  return {};
}

Result<Deployment> Registry::PutDeployment(const std::string& name, const std::string& model_name,
                                           std::vector<DeployedVersion> versions, boost::json::object settings) {
  return PutDeployment(name, {model_name, std::move(versions), std::move(settings)});
}

Result<Deployment> Registry::PutDeployment(const std::string& name, const DeploymentWish& wish) {
  Deployment saved;
  ATELIER_TRY(catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(deployment, PutDeployment(session, name, wish));
    saved = std::move(deployment);
    return {};
  }));
  return saved;
}

Result<Deployment> Registry::PutDeployment(soci::session& session, const std::string& name,
                                           const DeploymentWish& wish) {
  ATELIER_TRY(ValidateName(name, "name"));
  ATELIER_TRY(ValidateTraffic(wish.versions));
  const int64_t now_ms = clock_.UnixMs();
  ATELIER_ASSIGN(model, FindModel(session, wish.model_name));
  ATELIER_TRY(CheckVersionsExist(session, model, wish.versions));
  auto found = FindDeployment(session, name);
  if (!found.ok() && found.error().code != Code::kNotFound) {
    return found.error();
  }
  if (found.ok() && found->name != name) {
    return InvalidArgument("a deployment may not be named like another one's id", "name");
  }
  Deployment next = found.ok() ? *found : Deployment{NewId("dep_", rng_), name, "", {}, {}, {}, now_ms, now_ms};
  next.settings = wish.settings.value_or(next.settings);
  next.gate = wish.gate.value_or(next.gate);
  if (next.model_name != model.name) {
    next.previous.clear();  // versions of another model are nothing to roll back to
    next.adapters.clear();  // nor are its adapters ones of this
    session << "DELETE FROM deployment_adapters WHERE deployment_id = :id", soci::use(next.id, "id");
  } else if (!SameTraffic(next.versions, wish.versions)) {
    next.previous = next.versions;
  }
  next.model_name = model.name;
  next.versions = wish.versions;
  next.updated_ms = now_ms;
  ATELIER_TRY(CheckGate(session, model, next));
  ATELIER_TRY(Save(session, next, model.id));
  return next;
}

Result<Deployment> Registry::Rollback(const std::string& name) {
  Deployment saved;
  const int64_t now_ms = clock_.UnixMs();
  ATELIER_TRY(catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(deployment, FindDeployment(session, name));
    if (deployment.previous.empty()) {
      return FailedPrecondition("deployment '" + deployment.name + "' has no earlier versions to go back to",
                                "nothing_to_roll_back");
    }
    ATELIER_ASSIGN(model, FindModel(session, deployment.model_name));
    std::swap(deployment.versions, deployment.previous);
    deployment.updated_ms = now_ms;
    ATELIER_TRY(CheckGate(session, model, deployment));
    ATELIER_TRY(Save(session, deployment, model.id));
    saved = std::move(deployment);
    return {};
  }));
  return saved;
}

Result<Deployment> Registry::GetDeployment(const std::string& name_or_id) {
  Deployment deployment;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(found, FindDeployment(session, name_or_id));
    deployment = std::move(found);
    return {};
  }));
  return deployment;
}

Result<std::vector<Deployment>> Registry::ListDeployments() {
  std::vector<Deployment> deployments;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(found, Fetch(session, (session.prepare << kSelect + " ORDER BY created_ms, id")));
    deployments = std::move(found);
    return {};
  }));
  return deployments;
}

Status Registry::DeleteDeployment(const std::string& name_or_id) {
  return catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(deployment, FindDeployment(session, name_or_id));
    session << "DELETE FROM deployments WHERE id = :id", soci::use(deployment.id, "id");
    return {};
  });
}

}  // namespace atelier::registry
