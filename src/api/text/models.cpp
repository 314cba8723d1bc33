#include "api/text/models.h"

#include <utility>

#include "serving/deployments.h"

namespace atelier::api::text {
namespace {

constexpr size_t kMaxModelBytes = 300;

const char* Missing(const engine::GenerativeDescription& description, Use use) {
  switch (use) {
    case Use::kGenerate:
      return description.generates ? nullptr : "generate text";
    case Use::kEmbed:
      return description.embeds ? nullptr : "embed texts";
    case Use::kRerank:
      return description.reranks ? nullptr : "rank documents";
    case Use::kTokens:
      return nullptr;
  }
  return nullptr;
}

}  // namespace

Result<std::string> ReadModel(Fields& fields) {
  ATELIER_ASSIGN(model, fields.String("model", kMaxModelBytes));
  if (model.empty()) {
    return InvalidArgument("'model' is empty", "model");
  }
  return model;
}

Result<std::shared_ptr<serving::LanguageModel>> Pin(const Services& services, const std::string& model, Use use) {
  ATELIER_ASSIGN(pinned, services.serving.Pin(model));
  if (const char* missing = Missing(pinned->description(), use); missing != nullptr) {
    return InvalidArgument("the model '" + model + "' does not " + missing, "model", "model_not_supported");
  }
  return pinned;
}

}  // namespace atelier::api::text
