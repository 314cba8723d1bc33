// From the `model` of a request to a worker: an immutable table, replaced as a whole.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "serving/endpoint.h"

namespace atelier::serving {

struct RouteEntry {
  int64_t version = 0;
  int weight = 0;
  std::shared_ptr<const Lease> lease;  // nullptr: no worker is ready. Shared: see Lease
};

using Route = std::vector<RouteEntry>;

// One deployment's part of the table.
struct RoutedDeployment {
  std::string name;
  std::string model_name;
  int64_t latest_version = 0;
  std::map<std::string, int64_t> aliases;
  Route entries;
  std::vector<std::string> adapters{};  // their names
};

// A ready version, by weight: `uniform` in [0, 1) falls into one's share. A version that is not ready leaves its share
// to the others. nullptr: none with traffic is ready.
const RouteEntry* Pick(const Route& route, double uniform);

// A worker, and the adapter that was asked for with it; empty: none.
struct RoutedLease {
  std::shared_ptr<const Lease> lease;  // shared: see Lease
  std::string adapter{};
};

class RouteTable {
 public:
  RouteTable() = default;
  // A deployment's name wins over a model's, and that over an adapter's; of several deployments of one model the first
  // in order is meant.
  explicit RouteTable(const std::vector<RoutedDeployment>& deployments);

  // nullptr: unknown.
  const Route* Find(const std::string& model) const;
  // What answers a request for `model`. Errors: kNotFound "model_not_found", kUnavailable "model_loading".
  Result<RoutedLease> Choose(const std::string& model, double uniform) const;

 private:
  void AddModelNames(const RoutedDeployment& deployment);
  void AddAdapterNames(const RoutedDeployment& deployment);

  std::unordered_map<std::string, Route> routes_;
  std::unordered_map<std::string, std::string> adapters_;  // of the routes that lead to one
};

}  // namespace atelier::serving
