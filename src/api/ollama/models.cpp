// GET /api/tags, /api/ps, /api/version and POST /api/show: what is there, in Ollama's shape.
#include <optional>
#include <utility>

#include "api/handlers.h"
#include "api/ollama/fields.h"
#include "registry/registry.h"
#include "serving/deployments.h"

namespace atelier::api::ollama {
namespace {

json::array Capabilities(const engine::GenerativeDescription& description) {
  json::array out;
  if (description.generates) {
    out.push_back("completion");
  }
  if (description.embeds) {
    out.push_back("embedding");
  }
  if (description.uses_tools) {
    out.push_back("tools");
  }
  if (description.uses_reasoning) {
    out.push_back("thinking");
  }
  return out;
}

// What is known of the files of the version with the most traffic.
struct Files {
  int64_t size = 0;
  std::string digest;  // of the largest
  std::string format;
};

Files FilesOf(const Services& services, const registry::Deployment& deployment) {
  Files files;
  if (deployment.versions.empty()) {
    return files;
  }
  const auto version =
      services.registry.Resolve(deployment.model_name + "@" + std::to_string(deployment.versions.front().version));
  if (!version.ok()) {
    return files;
  }
  uint64_t largest = 0;
  for (const auto& [name, blob] : version->files) {
    files.size += static_cast<int64_t>(blob.size);
    if (blob.size >= largest) {
      largest = blob.size;
      files.digest = blob.sha256;
      files.format = name.ends_with(".gguf") ? "gguf" : "safetensors";
    }
  }
  return files;
}

json::object Details(const engine::GenerativeDescription& description, const Files& files) {
  return {{"parent_model", ""},
          {"format", files.format},
          {"family", description.architecture},
          {"families", json::array{json::value(description.architecture)}},
          {"parameter_size", ""},
          {"quantization_level", ""},
          {"context_length", description.max_context}};
}

// What both lists say of a deployment; nothing where it has no language model.
std::optional<json::object> Listed(const Services& services, const serving::DeploymentStatus& status) {
  if (status.signature == nullptr || !status.signature->generative.has_value()) {
    return std::nullopt;
  }
  const Files files = FilesOf(services, status.deployment);
  return json::object{{"name", status.deployment.name},
                      {"model", status.deployment.name},
                      {"size", files.size},
                      {"digest", files.digest},
                      {"details", Details(*status.signature->generative, files)}};
}

}  // namespace

Result<Response> Tags(const Services& services, Request& /*request*/) {
  json::array models;
  for (const auto& status : services.serving.All()) {
    if (auto model = Listed(services, status); model.has_value()) {
      (*model)["modified_at"] = Rfc3339(status.deployment.updated_ms);
      (*model)["capabilities"] = Capabilities(*status.signature->generative);
      models.push_back(std::move(*model));
    }
  }
  return JsonResponse({{"models", std::move(models)}});
}

// Those that are in memory, with what their workers take of it; they stay there.
Result<Response> Running(const Services& services, Request& /*request*/) {
  json::array models;
  for (const auto& status : services.serving.All()) {
    auto model = Listed(services, status);
    if (!model.has_value() || !status.ready) {
      continue;
    }
    uint64_t bytes = 0;
    for (const auto& worker : status.workers) {
      bytes += worker.resident_bytes;
    }
    (*model)["size"] = bytes;
    (*model)["size_vram"] = 0;
    (*model)["expires_at"] = "9999-12-31T23:59:59Z";
    (*model)["context_length"] = status.signature->generative->max_context;
    models.push_back(std::move(*model));
  }
  return JsonResponse({{"models", std::move(models)}});
}

Result<Response> Show(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(model, ReadModel(fields));
  const auto status = services.serving.GetStatus(model);
  if (!status.ok() || status->signature == nullptr || !status->signature->generative.has_value()) {
    return NotFound("model '" + model + "' not found", "model_not_found");
  }
  const auto& description = *status->signature->generative;
  const std::string& family = description.architecture;
  return JsonResponse({{"modelfile", ""},
                       {"parameters", ""},
                       {"template", ""},
                       {"license", ""},
                       {"details", Details(description, FilesOf(services, status->deployment))},
                       {"model_info",
                        {{"general.architecture", family},
                         {family + ".context_length", description.max_context},
                         {family + ".embedding_length", description.embedding_width},
                         {family + ".vocab_size", description.vocabulary}}},
                       {"capabilities", Capabilities(description)},
                       {"modified_at", Rfc3339(status->deployment.updated_ms)}});
}

Result<Response> Version(const Services& services, Request& /*request*/) {
  return JsonResponse({{"version", services.code_version}});
}

}  // namespace atelier::api::ollama
