#include "families/spec/bert.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/json.h"

namespace atelier::families {
namespace {

constexpr auto kInteger = SettingKind::kInteger;
constexpr auto kWord = SettingKind::kWord;

constexpr std::array<Setting, 19> kSettings{{
    {.name = "task",
     .kind = kWord,
     .fallback = "\"auto\"",
     .words = "auto|classification|regression|token-classification|masked-lm|embedding",
     .help = "auto: by the data set's target, and without one by its text columns"},
    {.name = "text",
     .kind = SettingKind::kText,
     .fallback = "\"\"",
     .help = "column that is read; empty: the only one"},
    {.name = "text_pair",
     .kind = SettingKind::kText,
     .fallback = "\"\"",
     .help = "column that is read with it; empty: the other of two, where 'text' is empty too"},
    {.name = "target",
     .kind = SettingKind::kText,
     .fallback = "\"\"",
     .help = "tags of a token-classification, scores of an embedding; else the data set's target"},
    {.name = "width", .kind = kInteger, .fallback = "128", .min = 8, .max = 4096, .help = "of a model from scratch"},
    {.name = "layers", .kind = kInteger, .fallback = "2", .min = 1, .max = 64, .help = "of a model from scratch"},
    {.name = "heads", .kind = kInteger, .fallback = "2", .min = 1, .max = 64, .help = "of attention"},
    {.name = "hidden",
     .kind = kInteger,
     .fallback = "0",
     .max = 65536,
     .help = "width of the feed-forward part; 0: 4 times the width"},
    {.name = "vocabulary_size",
     .kind = kInteger,
     .fallback = "8000",
     .min = 64,
     .max = 200000,
     .help = "pieces of words that a model from scratch learns from the texts, at most"},
    {.name = "lowercase", .kind = SettingKind::kFlag, .fallback = "true", .help = "of a model from scratch"},
    {.name = "max_length",
     .kind = kInteger,
     .fallback = "128",
     .min = 8,
     .max = 4096,
     .help = "pieces that are read; longer texts are cut"},
    {.name = "dropout", .fallback = "0.1", .max = 0.9, .help = "of attention and of what each part adds"},
    {.name = "label_smoothing", .fallback = "0", .max = 0.9, .help = "share of the target that all labels get"},
    {.name = "masking", .fallback = "0.15", .min = 0.01, .max = 0.9, .help = "masked-lm: share of the pieces"},
    {.name = "pooling",
     .kind = kWord,
     .fallback = "\"mean\"",
     .words = "mean|first",
     .help = "embedding: the mean of all states, or the first one"},
    {.name = "temperature",
     .fallback = "0.05",
     .min = 1e-3,
     .max = 10,
     .help = "embedding: similarities are divided by it before they compete"},
    {.name = "token_budget",
     .kind = kInteger,
     .fallback = "16384",
     .min = 64,
     .max = 1e7,
     .help = "pieces in a batch, with padding"},
    {.name = "warmup",
     .fallback = "0.1",
     .max = 1,
     .help = "share of the steps in which the rate rises, where warmup_steps is 0"},
    {.name = "frozen_layers",
     .kind = kInteger,
     .fallback = "0",
     .max = 64,
     .help = "with a base: embeddings and so many layers stay as they are; 0: all learn"},
}};

constexpr std::array<Default, 9> kDefaults{{{"epochs", "10"},
                                            {"batch_size", "32"},
                                            {"optimizer", "\"adamw\""},
                                            {"learning_rate", "0.0005"},
                                            {"weight_decay", "0.01"},
                                            {"gradient_clip", "1"},
                                            {"schedule", "\"linear\""},
                                            {"early_stopping", "3"},
                                            {"validation", "0.1"}}};
constexpr std::array<Default, 9> kFineTuning{{{"epochs", "3"},
                                              {"batch_size", "32"},
                                              {"optimizer", "\"adamw\""},
                                              {"learning_rate", "5e-5"},
                                              {"weight_decay", "0.01"},
                                              {"gradient_clip", "1"},
                                              {"schedule", "\"linear\""},
                                              {"early_stopping", "2"},
                                              {"validation", "0.1"}}};

bool IsText(const data::Column* column) {
  return column != nullptr && (column->type == data::ColumnType::kText || column->type == data::ColumnType::kCategory);
}

bool IsNumber(const data::Column* column) {
  return column != nullptr && column->type == data::ColumnType::kNumber && column->shape.empty();
}

std::vector<std::string> TextColumns(const data::Manifest& manifest, std::string_view without) {
  std::vector<std::string> names;
  for (const auto& column : manifest.columns) {
    if (column.type == data::ColumnType::kText && column.name != without) {
      names.push_back(column.name);
    }
  }
  return names;
}

std::string TaskOf(const FitInput& input) {
  const std::string task = GetString(input.settings, "task", "auto");
  const auto& manifest = input.manifest;
  if (task != "auto") {
    return task;
  }
  if (IsText(manifest.Find("tokens")) && IsText(manifest.Find("tags")) &&
      (manifest.task == data::Task::kNone || manifest.target == "tags")) {
    return "token-classification";
  }
  if (manifest.task != data::Task::kNone) {
    return std::string(Name(manifest.task));
  }
  const size_t named = GetString(input.settings, "text_pair").empty() ? 0 : 2;
  return std::max(TextColumns(manifest, "").size(), named) == 2 ? "embedding" : "masked-lm";
}

// What is read: one column or two.
Status ResolveTexts(const FitInput& input, size_t most, json::object& settings) {
  const auto& manifest = input.manifest;
  std::string text = GetString(settings, "text");
  std::string pair = GetString(settings, "text_pair");
  if (text.empty() && pair.empty()) {
    const auto found = TextColumns(manifest, GetString(settings, "target"));
    if (found.empty() || found.size() > most) {
      return Unfit(found.empty() ? "the data set has no text column; import one with --type NAME=text"
                                 : "the data set has " + std::to_string(found.size()) +
                                       " text columns: say which to read with 'text'" +
                                       (most > 1 ? " and perhaps 'text_pair'" : ""),
                   found.empty() ? "dataset" : "settings.text");
    }
    text = found[0];
    pair = found.size() > 1 ? found[1] : "";
  }
  if (!pair.empty() && most < 2) {
    return Unfit("this task reads one column", "settings.text_pair");
  }
  for (const auto& [name, value] : {std::pair("text", &text), std::pair("text_pair", &pair)}) {
    const bool needless = value == &pair && pair.empty();
    if (!needless && (!IsText(manifest.Find(*value)) || *value == GetString(settings, "target"))) {
      return Unfit("the data set has no text column '" + value->substr(0, 100) + "' to read",
                   "settings." + std::string(name));
    }
    settings[name] = *value;
  }
  return text == pair ? Status(Unfit("'text' and 'text_pair' are the same column", "settings.text_pair")) : Status();
}

Status ResolveTagging(const FitInput& input, json::object& settings) {
  const auto& manifest = input.manifest;
  const std::string text = GetString(settings, "text");
  const std::string target = GetString(settings, "target");
  settings["text"] = text.empty() ? "tokens" : text;
  settings["target"] = !target.empty() ? target : manifest.target.empty() ? "tags" : manifest.target;
  for (const char* name : {"text", "target"}) {
    const std::string column = GetString(settings, name);
    const auto* found = manifest.Find(column);
    if (found == nullptr || found->type != data::ColumnType::kText) {
      return Unfit("tagging needs two text columns, tokens and tags; '" + column.substr(0, 100) + "' is not one",
                   std::string("settings.") + name);
    }
  }
  return settings["text"] == settings["target"]
             ? Status(Unfit("tokens and tags are the same column", "settings.target"))
             : Status();
}

Status ResolveEmbedding(const FitInput& input, json::object& settings) {
  const auto& manifest = input.manifest;
  if (GetString(settings, "target").empty() && IsNumber(manifest.Target())) {
    settings["target"] = manifest.target;
  }
  const std::string target = GetString(settings, "target");
  if (!target.empty()) {
    const auto* column = manifest.Find(target);
    if (!IsNumber(column) || column->statistics.minimum == column->statistics.maximum) {
      return Unfit("the scores of pairs must be numbers that vary; '" + target.substr(0, 100) + "' has none",
                   "settings.target");
    }
  }
  ATELIER_TRY(ResolveTexts(input, 2, settings));
  return GetString(settings, "text_pair").empty()
             ? Status(Unfit("an embedding is learnt from pairs of texts: 'text' and 'text_pair'", "settings.text_pair"))
             : Status();
}

Status Resolve(const FitInput& input, json::object& settings) {
  const std::string task = TaskOf(input);
  settings["task"] = task;
  if (task == "token-classification") {
    return ResolveTagging(input, settings);
  }
  if (task == "embedding") {
    return ResolveEmbedding(input, settings);
  }
  if (task == "masked-lm") {
    return ResolveTexts(input, 1, settings);
  }
  ATELIER_TRY(CheckTarget(input.manifest));
  if (Name(input.manifest.task) != task) {
    return Unfit("the data set is for " + std::string(Name(input.manifest.task)) + ", not for " + task,
                 "settings.task");
  }
  settings["target"] = input.manifest.target;
  return ResolveTexts(input, 2, settings);
}

Status CheckBase(const json::object& base) {
  const std::string family = GetString(base, "family");
  const std::string architecture = GetString(base, "architecture");
  if (family == "bert" || (family == "llm" && architecture == "bert")) {
    return {};
  }
  return InvalidArgument("the base must be an encoder of the architecture bert, not a model of the family '" + family +
                             "'" + (architecture.empty() ? "" : " and the architecture '" + architecture + "'"),
                         "base", "model_not_supported");
}

int64_t WarmupSteps(const FitInput& input) {
  const auto& rows = input.manifest.split_rows;
  auto train = static_cast<double>(rows[static_cast<size_t>(data::Split::kTrain)]);
  if (rows[static_cast<size_t>(data::Split::kValidation)] == 0) {
    train *= 1 - GetNumber(input.settings, "validation");
  }
  const double batch = static_cast<double>(GetInt(input.settings, "batch_size", 1)) *
                       static_cast<double>(GetInt(input.settings, "accumulation", 1));
  const double steps = std::ceil(train / batch) * static_cast<double>(GetInt(input.settings, "epochs", 1));
  return static_cast<int64_t>(std::min(1e9, std::ceil(steps * GetNumber(input.settings, "warmup"))));
}

}  // namespace

std::span<const Setting> BertSettings() { return kSettings; }
std::span<const Default> BertDefaults() { return kDefaults; }
std::span<const Default> BertFineTuning() { return kFineTuning; }

Result<json::object> FitBert(const FitInput& input) {
  ATELIER_TRY(CheckTrainRows(input));
  json::object settings = input.settings;
  ATELIER_TRY(Resolve(input, settings));
  if (input.base != nullptr) {
    ATELIER_TRY(CheckBase(*input.base));
  } else if (GetInt(settings, "frozen_layers") > 0) {
    return InvalidArgument("layers that stay as they are need a model to go on from: name it as 'base'",
                           "settings.frozen_layers");
  }
  const int64_t width = GetInt(settings, "width", 1);
  if (width % GetInt(settings, "heads", 1) != 0) {
    return InvalidArgument("'settings.width' must be a multiple of 'settings.heads'", "settings.heads");
  }
  if (GetInt(settings, "hidden") == 0) {
    settings["hidden"] = 4 * width;
  }
  if (GetInt(settings, "warmup_steps") == 0 && GetString(settings, "schedule") != "step") {
    settings["warmup_steps"] = WarmupSteps(input);
  }
  return settings;
}

}  // namespace atelier::families
