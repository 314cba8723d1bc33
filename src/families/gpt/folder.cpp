#include "families/gpt/folder.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "base/file_sink.h"
#include "base/json.h"
#include "families/gpt/weights.h"
#include "storage/files.h"
#include "tensor/safetensors.h"
#include "text/spec_json.h"

namespace atelier::families::gpt {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxConfigBytes = 8U << 20U;
constexpr size_t kMaxTokenizerBytes = 128U << 20U;

// Empty where it is absent.
Result<std::string> TextOf(const fs::path& file, size_t max_bytes) {
  auto text = storage::ReadSmallFile(file, max_bytes);
  return !text.ok() && text.error().code == Code::kNotFound ? Result<std::string>(std::string()) : text;
}

Status WriteText(const fs::path& file, std::string_view text) {
  FileSink sink(file);
  ATELIER_TRY(sink.Write(std::as_bytes(std::span(text))));
  return sink.Close();
}

Status WriteJson(const fs::path& file, const json::object& object) {
  return WriteText(file, json::serialize(object) + "\n");
}

Status WriteTensors(const fs::path& file, const std::map<std::string, torch::Tensor>& tensors) {
  std::map<std::string, tensor::View> views;
  for (const auto& [name, numbers] : tensors) {
    const std::span floats(numbers.data_ptr<float>(), static_cast<size_t>(numbers.numel()));
    views[name] = {tensor::DataType::kF32, numbers.sizes().vec(), std::as_bytes(floats)};
  }
  FileSink sink(file);
  ATELIER_TRY(tensor::WriteSafetensors(views, {{"format", "pt"}},
                                       [&](std::span<const std::byte> bytes) { return sink.Write(bytes); }));
  return sink.Close();
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

Result<Opened> OpenTexts(TokenizerTexts texts) {
  Opened out;
  out.texts = std::move(texts);
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

Result<Opened> OpenFolder(const fs::path& folder) {
  TokenizerTexts texts;
  ATELIER_ASSIGN(config_text, storage::ReadSmallFile(folder / "config.json", kMaxConfigBytes));
  ATELIER_ASSIGN(tokenizer, storage::ReadSmallFile(folder / "tokenizer.json", kMaxTokenizerBytes));
  ATELIER_ASSIGN(tokenizer_config, TextOf(folder / "tokenizer_config.json", kMaxConfigBytes));
  ATELIER_ASSIGN(map, TextOf(folder / "special_tokens_map.json", kMaxConfigBytes));
  ATELIER_ASSIGN(jinja, TextOf(folder / "chat_template.jinja", kMaxConfigBytes));
  ATELIER_ASSIGN(config, ParseJson(config_text, {.max_bytes = kMaxConfigBytes}));
  if (!config.is_object()) {
    return InvalidArgument("config.json is no object", "config.json", "invalid_model_file");
  }
  ATELIER_ASSIGN(shape, ShapeFromConfig(config.get_object()));
  ATELIER_ASSIGN(out, OpenTexts({std::move(tokenizer), std::move(tokenizer_config), std::move(map)}));
  if (out.tokenizer->size() > shape.vocabulary) {
    return InvalidArgument("tokenizer.json has " + std::to_string(out.tokenizer->size()) + " tokens, config.json " +
                               std::to_string(shape.vocabulary),
                           "tokenizer.json", "invalid_model_file");
  }
  out.shape = shape;
  out.chat_template = jinja.empty() ? out.chat_template : jinja;
  return out;
}

Status WriteFolder(const NetworkImpl& network, const Opened& model, const fs::path& folder) {
  ATELIER_TRY(WriteTensors(folder / "model.safetensors", ToHuggingFace(network)));
  json::object config = ToConfig(network.shape());
  json::object generation;
  SetIds(model.tokenizer->spec(), config);
  SetIds(model.tokenizer->spec(), generation);
  ATELIER_TRY(WriteJson(folder / "generation_config.json", generation));
  ATELIER_TRY(WriteText(folder / "tokenizer.json", model.texts.tokenizer_json));
  auto tokenizer_config = ParseJson(model.texts.tokenizer_config_json, {.max_bytes = kMaxConfigBytes});
  json::object names =
      tokenizer_config.ok() && tokenizer_config->is_object() ? tokenizer_config->get_object() : json::object();
  names["model_max_length"] = network.shape().context;
  if (!model.chat_template.empty()) {
    names["chat_template"] = model.chat_template;
  }
  ATELIER_TRY(WriteJson(folder / "tokenizer_config.json", names));
  return WriteJson(folder / "config.json", config);  // last: a folder with it is whole
}

Status WriteAdapter(const NetworkImpl& network, const std::string& base, const fs::path& folder) {
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
  std::map<std::string, torch::Tensor> tensors;
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
  ATELIER_TRY(WriteTensors(folder / "adapter_model.safetensors", tensors));
  return WriteJson(folder / "adapter_config.json", {{"peft_type", "LORA"},
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
                                                    {"inference_mode", true}});
}

}  // namespace atelier::families::gpt
