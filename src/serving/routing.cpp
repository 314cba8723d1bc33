#include "serving/routing.h"

#include <utility>

namespace atelier::serving {

const RouteEntry* Pick(const Route& route, double uniform) {
  int total = 0;
  for (const RouteEntry& entry : route) {
    if (entry.lease && entry.lease->usable()) {
      total += entry.weight;
    }
  }
  double left = uniform * total;
  const RouteEntry* last = nullptr;
  for (const RouteEntry& entry : route) {
    if (!entry.lease || !entry.lease->usable() || entry.weight <= 0) {
      continue;
    }
    last = &entry;
    left -= entry.weight;
    if (left < 0) {
      break;
    }
  }
  return last;
}

RouteTable::RouteTable(const std::vector<RoutedDeployment>& deployments) {
  for (const RoutedDeployment& deployment : deployments) {
    routes_.emplace(deployment.name, deployment.entries);
  }
  for (const RoutedDeployment& deployment : deployments) {
    AddModelNames(deployment);
  }
  for (const RoutedDeployment& deployment : deployments) {
    AddAdapterNames(deployment);
  }
}

void RouteTable::AddAdapterNames(const RoutedDeployment& deployment) {
  for (const std::string& adapter : deployment.adapters) {
    for (const std::string& name : {deployment.name + ":" + adapter, adapter}) {
      if (routes_.emplace(name, deployment.entries).second) {
        adapters_.emplace(name, adapter);
      }
    }
  }
}

void RouteTable::AddModelNames(const RoutedDeployment& deployment) {
  routes_.emplace(deployment.model_name, deployment.entries);
  for (const RouteEntry& entry : deployment.entries) {
    // Asked for by its version, it needs no share of the traffic.
    const Route pinned{{entry.version, 1, entry.lease}};
    const std::string prefix = deployment.model_name + "@";
    routes_.emplace(prefix + std::to_string(entry.version), pinned);
    routes_.emplace(deployment.name + "@" + std::to_string(entry.version), pinned);
    if (entry.version == deployment.latest_version) {
      routes_.emplace(prefix + "latest", pinned);
    }
    for (const auto& [alias, version] : deployment.aliases) {
      if (version == entry.version) {
        routes_.emplace(prefix + alias, pinned);
      }
    }
  }
}

const Route* RouteTable::Find(const std::string& model) const {
  const auto found = routes_.find(model);
  return found == routes_.end() ? nullptr : &found->second;
}

Result<RoutedLease> RouteTable::Choose(const std::string& model, double uniform) const {
  const Route* route = Find(model);
  if (route == nullptr) {
    Error error = NotFound("The model '" + model + "' does not exist or is not deployed", "model_not_found");
    error.param = "model";
    return error;
  }
  const RouteEntry* entry = Pick(*route, uniform);
  if (entry == nullptr) {
    return Unavailable("The model '" + model + "' is loading", "model_loading");
  }
  const auto adapter = adapters_.find(model);
  return RoutedLease{entry->lease, adapter == adapters_.end() ? "" : adapter->second};
}

}  // namespace atelier::serving
