#include "families/spec/translation.h"

#include <array>

#include "base/json.h"

namespace atelier::families {
namespace {

constexpr auto kInteger = SettingKind::kInteger;

constexpr std::array<Setting, 15> kSettings{{
    {.name = "source", .kind = SettingKind::kText, .fallback = "\"\"", .help = "column to translate from"},
    {.name = "target", .kind = SettingKind::kText, .fallback = "\"\"", .help = "column to translate to"},
    {.name = "width", .kind = kInteger, .fallback = "256", .min = 16, .max = 4096, .help = "numbers of a position"},
    {.name = "heads", .kind = kInteger, .fallback = "4", .min = 1, .max = 64, .help = "of attention"},
    {.name = "hidden",
     .kind = kInteger,
     .fallback = "512",
     .min = 16,
     .max = 16384,
     .help = "of the feed-forward parts"},
    {.name = "encoder_layers", .kind = kInteger, .fallback = "3", .min = 1, .max = 24, .help = "of the reading side"},
    {.name = "decoder_layers", .kind = kInteger, .fallback = "3", .min = 1, .max = 24, .help = "of the writing side"},
    {.name = "dropout", .fallback = "0.1", .max = 0.9, .help = "of embeddings and of what each part adds"},
    {.name = "label_smoothing", .fallback = "0.1", .max = 0.9, .help = "share of the target that all tokens have"},
    {.name = "tokenizer",
     .kind = SettingKind::kWord,
     .fallback = "\"bpe\"",
     .words = "bpe|unigram|byte_bpe|characters",
     .help = "one for both columns, learned from them"},
    {.name = "vocabulary_size", .kind = kInteger, .fallback = "6000", .min = 64, .max = 200000, .help = "tokens"},
    {.name = "max_length", .kind = kInteger, .fallback = "128", .min = 8, .max = 2048, .help = "tokens of a text"},
    {.name = "token_budget",
     .kind = kInteger,
     .fallback = "3072",
     .min = 64,
     .max = 1e6,
     .help = "tokens of one side in a batch, with padding"},
    {.name = "beam", .kind = kInteger, .fallback = "4", .min = 1, .max = 32, .help = "hypotheses of the search"},
    {.name = "length_penalty", .fallback = "0.6", .max = 5, .help = "0: shorter texts win; higher: longer ones"},
}};

constexpr std::array<Default, 7> kDefaults{{{"epochs", "8"},
                                            {"batch_size", "256"},
                                            {"learning_rate", "0.003"},
                                            {"beta2", "0.98"},
                                            {"warmup_steps", "300"},
                                            {"gradient_clip", "1"},
                                            {"final_rate", "0.02"}}};

bool IsText(const data::Column& column) {
  return column.type == data::ColumnType::kText || column.type == data::ColumnType::kCategory;
}

Status CheckColumn(const data::Manifest& manifest, const std::string& name, const std::string& param) {
  const data::Column* column = manifest.Find(name);
  if (column == nullptr || !IsText(*column)) {
    return Unfit("the data set has no column of texts '" + name.substr(0, 100) + "'", param);
  }
  return {};
}

Status CheckBase(const json::object& base, const json::object& settings) {
  if (GetString(base, "family") != "translation") {
    return InvalidArgument("the model to go on from is of the family " + GetString(base, "family"), "base",
                           "model_not_supported");
  }
  for (const char* side : {"source", "target"}) {
    if (GetString(base, side) != GetString(settings, side)) {
      return InvalidArgument(
          "the model to go on from translates " + GetString(base, "source") + " to " + GetString(base, "target"),
          "settings." + std::string(side));
    }
  }
  return {};
}

}  // namespace

std::span<const Setting> TranslationSettings() { return kSettings; }
std::span<const Default> TranslationDefaults() { return kDefaults; }

Result<json::object> FitTranslation(const FitInput& input) {
  ATELIER_TRY(CheckTrainRows(input));
  json::object settings = input.settings;
  std::string source = GetString(settings, "source");
  std::string target = GetString(settings, "target");
  if (source.empty() || target.empty()) {
    std::vector<std::string> texts;
    for (const auto& column : input.manifest.columns) {
      if (IsText(column)) {
        texts.push_back(column.name);
      }
    }
    const auto other = [&](const std::string& one) { return texts[0] == one ? texts[1] : texts[0]; };
    if (texts.size() != 2 || (source.empty() && target.empty())) {
      return Unfit("say which columns to translate from and to: source and target", "settings.source");
    }
    source = source.empty() ? other(target) : source;
    target = target.empty() ? other(source) : target;
  }
  ATELIER_TRY(CheckColumn(input.manifest, source, "settings.source"));
  ATELIER_TRY(CheckColumn(input.manifest, target, "settings.target"));
  if (source == target) {
    return Unfit("source and target are the same column", "settings.target");
  }
  settings["source"] = source;
  settings["target"] = target;
  const int64_t width = GetInt(settings, "width", 1);
  if (width % GetInt(settings, "heads", 1) != 0 || width % 2 != 0) {
    return InvalidArgument("'settings.width' must be even and a multiple of 'settings.heads'", "settings.width");
  }
  if (input.base != nullptr) {
    ATELIER_TRY(CheckBase(*input.base, settings));
  }
  return settings;
}

}  // namespace atelier::families
