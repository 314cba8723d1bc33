// What should be served, as the registry says it, read in one go so that the rest of serving never asks a catalogue.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "registry/registry.h"
#include "serving/batch_options.h"
#include "serving/generative_options.h"

namespace atelier::serving {

struct Wish {
  registry::Deployment deployment;
  std::vector<registry::ModelVersion> versions;    // of deployment.versions, in its order
  std::vector<registry::ModelVersion> adapters{};  // of deployment.adapters, in its order
  std::optional<registry::ModelVersion> draft{};   // the model that its setting "draft" names, if it is there
  std::map<std::string, int64_t> aliases;          // of its model
  int64_t latest_version = 0;                      // of its model
};

using WishSource = std::function<Result<std::vector<Wish>>()>;

// Borrows the registry.
WishSource RegistryWishes(registry::Registry& registry);

// The deployment's settings over the defaults, each within its range.
BatchOptions BatchOptionsOf(const boost::json::object& settings, const BatchOptions& defaults);
GenerativeOptions GenerativeOptionsOf(const boost::json::object& settings);

}  // namespace atelier::serving
