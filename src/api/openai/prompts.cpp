#include "api/openai/prompts.h"

#include <string>
#include <utility>

#include "api/openai/sampling_fields.h"

namespace atelier::api::openai {
namespace {

Error Wrong(const std::string& path) {
  return InvalidArgument("'" + path + "' must be a string, a list of strings, a list of token ids or a list of those",
                         path);
}

Result<engine::Prompt> OnePrompt(const json::value& value, const std::string& path, bool add_special) {
  if (value.is_string()) {
    return engine::Prompt(engine::TextPrompt{std::string(value.get_string()), add_special});
  }
  if (!value.is_array() || value.get_array().empty()) {
    return Wrong(path);
  }
  ATELIER_ASSIGN(tokens, ReadTokens(value.get_array(), path));
  return engine::Prompt(engine::TokenPrompt{std::move(tokens)});
}

}  // namespace

Result<std::vector<engine::Prompt>> ReadPrompts(const json::object& body, std::string_view name, bool add_special) {
  const std::string path(name);
  const auto* value = body.if_contains(name);
  if (value == nullptr || value->is_null()) {
    return InvalidArgument("'" + path + "' is missing: a string, a list of strings or token ids", path,
                           "missing_required_parameter");
  }
  std::vector<engine::Prompt> prompts;
  const auto* list = value->if_array();
  if (list == nullptr || (!list->empty() && list->front().is_number())) {
    ATELIER_ASSIGN(prompt, OnePrompt(*value, path, add_special));
    prompts.push_back(std::move(prompt));
    return prompts;
  }
  if (list->empty() || list->size() > kMaxPrompts) {
    return InvalidArgument("'" + path + "' must have 1 to " + std::to_string(kMaxPrompts) + " items", path);
  }
  for (size_t i = 0; i < list->size(); ++i) {
    const auto& item = (*list)[i];
    if (item.is_string() != list->front().is_string()) {
      return Wrong(path);
    }
    ATELIER_ASSIGN(prompt, OnePrompt(item, path + "[" + std::to_string(i) + "]", add_special));
    prompts.push_back(std::move(prompt));
  }
  return prompts;
}

}  // namespace atelier::api::openai
