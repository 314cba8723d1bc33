#include "base/json.h"
#include "base/log.h"
#include "serving/wishes.h"

namespace atelier::serving {
namespace {

// A deployment answers without it, too.
std::optional<registry::ModelVersion> DraftOf(registry::Registry& registry, const registry::Deployment& deployment) {
  const std::string reference = GetString(deployment.settings, "draft");
  if (reference.empty()) {
    return std::nullopt;
  }
  auto version = registry.Resolve(reference);
  if (!version.ok()) {
    LogError("a deployment goes without its draft model",
             {{"deployment", deployment.name}, {"draft", reference}, {"error", version.error().message}});
    return std::nullopt;
  }
  return std::move(*version);
}

Result<Wish> WishOf(registry::Registry& registry, registry::Deployment deployment) {
  Wish wish;
  ATELIER_ASSIGN(model, registry.GetModel(deployment.model_name));
  ATELIER_ASSIGN(aliases, registry.Aliases(deployment.model_name));
  for (const auto& deployed : deployment.versions) {
    ATELIER_ASSIGN(version, registry.Resolve(deployment.model_name + "@" + std::to_string(deployed.version)));
    wish.versions.push_back(std::move(version));
  }
  for (const auto& adapter : deployment.adapters) {
    ATELIER_ASSIGN(version, registry.Resolve(adapter.model_name + "@" + std::to_string(adapter.version)));
    wish.adapters.push_back(std::move(version));
  }
  wish.draft = DraftOf(registry, deployment);
  wish.deployment = std::move(deployment);
  wish.aliases = std::move(aliases);
  wish.latest_version = model.latest_version;
  return wish;
}

}  // namespace

WishSource RegistryWishes(registry::Registry& registry) {
  return [&registry]() -> Result<std::vector<Wish>> {
    ATELIER_ASSIGN(deployments, registry.ListDeployments());
    std::vector<Wish> wishes;
    for (auto& deployment : deployments) {
      const std::string name = deployment.name;
      auto wish = WishOf(registry, std::move(deployment));
      if (wish.ok()) {
        wishes.push_back(std::move(wish).value());
      } else if (wish.error().code == Code::kNotFound) {
        // The others must not suffer from one that names what is gone.
        LogError("a deployment names what does not exist", {{"deployment", name}, {"error", wish.error().message}});
      } else {
        return std::move(wish).error();
      }
    }
    return wishes;
  };
}

}  // namespace atelier::serving
