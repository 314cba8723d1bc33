// The adapters of deployments.
#include <algorithm>

#include "base/ids.h"
#include "registry/registry.h"
#include "registry/rows.h"

namespace atelier::registry {
namespace {

Status CheckName(soci::session& session, const std::string& name) {
  ATELIER_TRY(ValidateName(name, "name"));
  int count = 0;
  session << "SELECT COUNT(*) FROM deployments WHERE name = :name", soci::use(name, "name"), soci::into(count);
  return count == 0
             ? Status()
             : Status(MakeError(Code::kAlreadyExists, "a deployment is called '" + name + "'", "name_taken", "name"));
}

}  // namespace

std::vector<DeployedAdapter> FindAdapters(soci::session& session, const std::string& deployment_id) {
  std::vector<DeployedAdapter> adapters;
  DeployedAdapter row;
  soci::statement query =
      (session.prepare << "SELECT name, (SELECT name FROM models WHERE models.id = model_id), version, created_ms FROM "
                          "deployment_adapters WHERE deployment_id = :id ORDER BY name",
       soci::use(deployment_id, "id"), soci::into(row.name), soci::into(row.model_name), soci::into(row.version),
       soci::into(row.created_ms));
  query.execute();
  while (query.fetch()) {
    adapters.push_back(row);
  }
  return adapters;
}

Result<Deployment> Registry::AddAdapter(const std::string& deployment, DeployedAdapter adapter, size_t most) {
  Deployment changed;
  ATELIER_TRY(catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(found, AddAdapter(session, deployment, adapter, most));
    changed = std::move(found);
    return {};
  }));
  return changed;
}

Result<Deployment> Registry::AddAdapter(soci::session& session, const std::string& deployment, DeployedAdapter adapter,
                                        size_t most) {
  ATELIER_ASSIGN(changed, FindDeployment(session, deployment));
  const auto same = std::ranges::find(changed.adapters, adapter.name, &DeployedAdapter::name);
  if (same != changed.adapters.end()) {
    return same->model_name == adapter.model_name && same->version == adapter.version
               ? Result<Deployment>(std::move(changed))
               : MakeError(Code::kAlreadyExists,
                           "the deployment has another adapter '" + adapter.name + "'; unload it first",
                           "adapter_exists", "name");
  }
  ATELIER_TRY(CheckName(session, adapter.name));
  if (changed.adapters.size() >= most) {
    return FailedPrecondition(
        "the deployment has " + std::to_string(most) + " adapters already, as many as its setting max_adapters allows",
        "too_many_adapters");
  }
  ATELIER_ASSIGN(model, FindModel(session, adapter.model_name));
  ATELIER_ASSIGN(version, FindVersion(session, model, adapter.version));
  adapter.model_name = version.model_name;
  adapter.created_ms = clock_.UnixMs();
  session << "INSERT INTO deployment_adapters (deployment_id, name, model_id, version, created_ms) "
             "VALUES (:deployment_id, :name, :model_id, :version, :created_ms)",
      soci::use(changed.id, "deployment_id"), soci::use(adapter.name, "name"), soci::use(model.id, "model_id"),
      soci::use(adapter.version, "version"), soci::use(adapter.created_ms, "created_ms");
  changed.adapters = FindAdapters(session, changed.id);
  return changed;
}

Status Registry::DeleteAdapter(const std::string& deployment, const std::string& adapter) {
  return catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(found, FindDeployment(session, deployment));
    soci::statement statement =
        (session.prepare << "DELETE FROM deployment_adapters WHERE deployment_id = :id AND name = :name",
         soci::use(found.id, "id"), soci::use(adapter, "name"));
    statement.execute(true);
    if (statement.get_affected_rows() == 0) {
      return NotFound("deployment '" + found.name + "' has no adapter '" + adapter + "'", "adapter_not_found");
    }
    return {};
  });
}

}  // namespace atelier::registry
