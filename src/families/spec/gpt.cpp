#include "families/spec/gpt.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "base/json.h"

namespace atelier::families {
namespace {

constexpr auto kInteger = SettingKind::kInteger;
constexpr auto kWord = SettingKind::kWord;

constexpr std::array<Setting, 18> kSettings{{
    {.name = "architecture",
     .kind = kWord,
     .fallback = "\"llama\"",
     .words = "llama|gpt2",
     .help = "shape of a model from scratch; one with a base keeps that of its base"},
    {.name = "width", .kind = kInteger, .fallback = "192", .min = 8, .max = 16384, .help = "of the states"},
    {.name = "layers", .kind = kInteger, .fallback = "6", .min = 1, .max = 256, .help = "blocks"},
    {.name = "heads", .kind = kInteger, .fallback = "6", .min = 1, .max = 1024, .help = "of attention"},
    {.name = "kv_heads", .kind = kInteger, .fallback = "0", .max = 1024, .help = "of keys and values; 0: as heads"},
    {.name = "hidden",
     .kind = kInteger,
     .fallback = "0",
     .max = 1e6,
     .help = "width of the feed-forward part; 0: 8/3 of width (llama) or 4 (gpt2)"},
    {.name = "context",
     .kind = kInteger,
     .fallback = "256",
     .min = 8,
     .max = 131072,
     .help = "tokens of a row, and the longest text of a model from scratch"},
    {.name = "dropout", .fallback = "0", .max = 0.9, .help = "of embeddings and of what each part adds"},
    {.name = "label_smoothing", .fallback = "0", .max = 0.9, .help = "share of the target that all tokens get"},
    {.name = "tokenizer",
     .kind = kWord,
     .fallback = "\"bpe\"",
     .words = "bpe|characters",
     .help = "what a model from scratch learns of the texts"},
    {.name = "vocabulary_size", .kind = kInteger, .fallback = "1024", .min = 259, .max = 1e6, .help = "tokens at most"},
    {.name = "separator",
     .kind = SettingKind::kText,
     .fallback = "\"\"",
     .help = "put between texts; empty: the token that ends a text"},
    {.name = "method",
     .kind = kWord,
     .fallback = "\"full\"",
     .words = "full|lora|qlora",
     .help = "all weights, or an adapter of the base, which qlora keeps in four bits meanwhile"},
    {.name = "rank", .kind = kInteger, .fallback = "8", .min = 1, .max = 1024, .help = "of an adapter"},
    {.name = "alpha", .fallback = "16", .min = 1e-3, .max = 1e5, .help = "an adapter counts alpha / rank times"},
    {.name = "lora_dropout", .fallback = "0", .max = 0.9, .help = "of what goes into an adapter"},
    {.name = "lora_targets",
     .kind = kWord,
     .fallback = "\"all\"",
     .words = "all|attention",
     .help = "maps that an adapter is added to"},
    {.name = "preference_beta",
     .fallback = "0.1",
     .min = 1e-4,
     .max = 100,
     .help = "how far preferences may lead away from the base (DPO)"},
}};

constexpr std::array<Default, 9> kDefaults{{{"epochs", "8"},
                                            {"batch_size", "16"},
                                            {"optimizer", "\"adamw\""},
                                            {"learning_rate", "0.003"},
                                            {"beta2", "0.95"},
                                            {"weight_decay", "0.1"},
                                            {"gradient_clip", "1"},
                                            {"warmup_steps", "20"},
                                            {"final_rate", "0.05"}}};

Error Wrong(std::string_view setting, const std::string& what) {
  return InvalidArgument(what, "settings." + std::string(setting));
}

Status CheckBase(const FitInput& input, Material material) {
  const std::string method = GetString(input.settings, "method");
  if (input.base == nullptr) {
    if (method != "full") {
      return Wrong("method", "'" + method + "' makes an adapter of a model: name it as 'base'");
    }
    return material == Material::kPreferences
               ? InvalidArgument("preferences teach a model that already answers: name it as 'base'", "base",
                                 "missing_required_parameter")
               : Status();
  }
  const std::string family = GetString(*input.base, "family");
  const std::string architecture = GetString(*input.base, "architecture");
  if (family != "llm") {
    return InvalidArgument("the base must be a language model (family llm), not one of the family '" + family + "'",
                           "base", "model_not_supported");
  }
  if (architecture != "llama" && architecture != "gpt2") {
    return InvalidArgument("models of the architecture '" + architecture + "' cannot be trained here: only llama, gpt2",
                           "base", "model_not_supported");
  }
  return {};
}

// Numbers that follow from others.
Status CompleteShape(json::object& settings) {
  const int64_t width = GetInt(settings, "width");
  const int64_t heads = GetInt(settings, "heads");
  const bool llama = GetString(settings, "architecture") == "llama";
  if (width % heads != 0 || (llama && (width / heads) % 2 != 0)) {
    return Wrong("heads", "a width of " + std::to_string(width) + " does not make " + std::to_string(heads) +
                              " heads of " + (llama ? "an even" : "one") + " size");
  }
  if (GetInt(settings, "kv_heads") == 0 || !llama) {
    settings["kv_heads"] = heads;
  }
  if (heads % GetInt(settings, "kv_heads") != 0) {
    return Wrong("kv_heads", "it must divide 'heads'");
  }
  if (GetInt(settings, "hidden") == 0) {
    settings["hidden"] = llama ? (width * 8 / 3 + 31) / 32 * 32 : 4 * width;
  }
  return {};
}

}  // namespace

std::string_view Name(Material material) {
  constexpr std::string_view kNames[] = {"text", "instructions", "chat", "completions", "preferences"};
  return kNames[static_cast<size_t>(material)];
}

Result<Material> MaterialOf(const data::Manifest& manifest) {
  const auto all = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::all_of(names, [&](std::string_view name) {
      const data::Column* column = manifest.Find(name);
      return column != nullptr &&
             (column->type == data::ColumnType::kText || column->type == data::ColumnType::kCategory);
    });
  };
  if (all({"chosen", "rejected"}) && (all({"prompt"}) || all({"conversations"}))) {
    return Material::kPreferences;
  }
  if (all({"messages"}) || all({"conversations"})) {
    return Material::kChat;
  }
  if (all({"instruction", "output"})) {
    return Material::kInstructions;
  }
  if (all({"prompt", "completion"})) {
    return Material::kCompletions;
  }
  if (all({"text"})) {
    return Material::kText;
  }
  return Unfit(
      "a language model learns from a column 'text'; from 'instruction', 'output' and perhaps 'input'; from "
      "'messages'; from 'prompt' and 'completion'; or from 'prompt', 'chosen' and 'rejected'; the data set has none of "
      "these");
}

std::span<const Setting> GptSettings() { return kSettings; }
std::span<const Default> GptDefaults() { return kDefaults; }

Result<json::object> FitGpt(const FitInput& input) {
  ATELIER_ASSIGN(material, MaterialOf(input.manifest));
  ATELIER_TRY(CheckTrainRows(input));
  ATELIER_TRY(CheckBase(input, material));
  json::object settings = input.settings;
  ATELIER_TRY(CompleteShape(settings));
  return settings;
}

}  // namespace atelier::families
