#include "families/gpt/folder.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <vector>

#include "base/json.h"
#include "families/gpt/weights.h"
#include "families/weights.h"
#include "text/spec_json.h"

namespace atelier::families::gpt {
namespace {

constexpr size_t kMaxConfigBytes = 8U << 20U;
constexpr size_t kMaxTokenizerBytes = 128U << 20U;
constexpr const char* kTokenizerConfigFile = "tokenizer_config.json";

Result<std::string> TextOf(const ModelFiles& files, const std::string& name, size_t max_bytes) {
  ATELIER_ASSIGN(path, FileOf(files, name));
  std::error_code failed;
  if (std::filesystem::file_size(path, failed) > max_bytes || failed) {
    return InvalidArgument(name + " cannot be read or is too large", name, "invalid_model_file");
  }
  std::ifstream stream(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

// Empty where it is absent.
Result<std::string> TextOrNone(const ModelFiles& files, const std::string& name) {
  return files.contains(name) ? TextOf(files, name, kMaxConfigBytes) : Result<std::string>(std::string());
}

// A text, or the first of several named ones.
std::string TemplateOf(const json::object& config) {
  const json::value* value = config.if_contains("chat_template");
  if (value != nullptr && value->is_array() && !value->get_array().empty() && value->get_array()[0].is_object()) {
    return GetString(value->get_array()[0].get_object(), "template");
  }
  return GetString(config, "chat_template");
}

void SetIds(const text::TokenizerSpec& spec, json::object& to) {
  const std::pair<const char*, std::optional<int32_t>> ids[] = {
      {"bos_token_id", spec.bos}, {"eos_token_id", spec.eos}, {"pad_token_id", spec.padding}};
  for (const auto& [key, id] : ids) {
    if (id) {
      to[key] = *id;
    }
  }
}

// One module's maps, each of a part of its outputs.
struct Parts {
  std::vector<torch::Tensor> narrow;  // A [rank, inputs]
  std::vector<torch::Tensor> wide;    // B [outputs, rank]
};

}  // namespace

Result<Language> ReadLanguage(TokenizerTexts texts) {
  Language out{.texts = std::move(texts)};
  ATELIER_ASSIGN(spec, text::ReadTokenizerJson({.tokenizer_json = out.texts.tokenizer_json,
                                                .tokenizer_config_json = out.texts.tokenizer_config_json,
                                                .special_tokens_map_json = out.texts.special_tokens_map_json}));
  ATELIER_ASSIGN(tokenizer, text::Tokenizer::Make(std::move(spec)));
  out.tokenizer = std::move(tokenizer);
  if (!out.texts.tokenizer_config_json.empty()) {
    ATELIER_ASSIGN(config, ParseJson(out.texts.tokenizer_config_json, {.max_bytes = kMaxConfigBytes}));
    out.chat_template = config.is_object() ? TemplateOf(config.get_object()) : "";
  }
  return out;
}

Result<Opened> OpenModel(const ModelFiles& files) {
  ATELIER_ASSIGN(config, JsonFile(files, kConfigFile));
  ATELIER_ASSIGN(shape, ShapeFromConfig(config));
  TokenizerTexts texts;
  ATELIER_ASSIGN(tokenizer, TextOf(files, kTokenizerFile, kMaxTokenizerBytes));
  ATELIER_ASSIGN(tokenizer_config, TextOrNone(files, kTokenizerConfigFile));
  ATELIER_ASSIGN(map, TextOrNone(files, "special_tokens_map.json"));
  ATELIER_ASSIGN(jinja, TextOrNone(files, "chat_template.jinja"));
  ATELIER_ASSIGN(language, ReadLanguage({std::move(tokenizer), std::move(tokenizer_config), std::move(map)}));
  if (language.tokenizer->size() > shape.vocabulary) {
    return InvalidArgument("tokenizer.json has " + std::to_string(language.tokenizer->size()) +
                               " tokens, config.json " + std::to_string(shape.vocabulary),
                           kTokenizerFile, "invalid_model_file");
  }
  if (!jinja.empty()) {
    language.chat_template = std::move(jinja);
  }
  return Opened{shape, std::move(language)};
}

Result<StoredFiles> StoreModel(const NetworkImpl& network, const Language& language, storage::BlobStore& blobs) {
  json::object config = ToConfig(network.shape());
  json::object generation;
  SetIds(language.tokenizer->spec(), config);
  SetIds(language.tokenizer->spec(), generation);
  auto given = ParseJson(language.texts.tokenizer_config_json, {.max_bytes = kMaxConfigBytes});
  json::object names = given.ok() && given->is_object() ? given->get_object() : json::object();
  names["model_max_length"] = network.shape().context;
  if (!language.chat_template.empty()) {
    names["chat_template"] = language.chat_template;
  }
  ATELIER_ASSIGN(weights, StoreTensors(blobs, ToHuggingFace(network)));
  ATELIER_ASSIGN(config_file, StoreJson(blobs, config));
  ATELIER_ASSIGN(generation_file, StoreJson(blobs, generation));
  ATELIER_ASSIGN(names_file, StoreJson(blobs, names));
  ATELIER_ASSIGN(tokenizer, storage::PutBytes(blobs, language.texts.tokenizer_json));
  return StoredFiles{{kConfigFile, config_file},
                     {"generation_config.json", generation_file},
                     {kWeightsFile, weights},
                     {kTokenizerFile, tokenizer},
                     {kTokenizerConfigFile, names_file}};
}

Result<StoredFiles> StoreAdapter(const NetworkImpl& network, const std::string& base, storage::BlobStore& blobs) {
  torch::NoGradGuard guard;
  constexpr std::string_view kNarrow = ".lora_a";
  std::map<std::string, Parts> modules;
  for (const auto& item : network.named_parameters()) {
    const std::string& name = item.key();
    const bool narrow = name.ends_with(kNarrow);
    if (!narrow && !name.ends_with(".lora_b")) {
      continue;
    }
    const ModulePlace place = ModuleOf(network.shape(), name.substr(0, name.size() - kNarrow.size()) + ".weight");
    auto& list = narrow ? modules[place.module].narrow : modules[place.module].wide;
    list.resize(static_cast<size_t>(place.parts));
    list[static_cast<size_t>(place.part)] = item.value().detach();
  }
  Tensors tensors;
  std::set<std::string> targets;
  json::object ranks;
  json::object alphas;
  const layers::LoraOptions options = network.lora().value_or(layers::LoraOptions());
  for (const auto& [module, parts] : modules) {
    const std::string name = module.substr(module.rfind('.') + 1);
    const auto count = static_cast<int64_t>(parts.narrow.size());
    targets.insert(name);
    if (count > 1) {  // the parts' maps beside each other: a rank of all, with the same scale
      ranks[name] = count * options.rank;
      alphas[name] = static_cast<double>(count) * options.alpha;
    }
    tensors["base_model.model." + module + ".lora_A.weight"] = torch::cat(parts.narrow, 0).contiguous();
    tensors["base_model.model." + module + ".lora_B.weight"] = torch::block_diag(parts.wide).contiguous();
  }
  ATELIER_ASSIGN(weights, StoreTensors(blobs, tensors));
  ATELIER_ASSIGN(config, StoreJson(blobs, {{"peft_type", "LORA"},
                                           {"task_type", "CAUSAL_LM"},
                                           {"base_model_name_or_path", base},
                                           {"r", options.rank},
                                           {"lora_alpha", options.alpha},
                                           {"lora_dropout", options.dropout},
                                           {"bias", "none"},
                                           {"fan_in_fan_out", network.shape().kind == Kind::kGpt2},
                                           {"target_modules", json::array(targets.begin(), targets.end())},
                                           {"rank_pattern", ranks},
                                           {"alpha_pattern", alphas},
                                           {"inference_mode", true}}));
  return StoredFiles{{kAdapterConfigFile, config}, {kAdapterWeightsFile, weights}};
}

}  // namespace atelier::families::gpt
