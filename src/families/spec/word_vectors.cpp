#include "families/spec/word_vectors.h"

#include <array>

#include "base/json.h"

namespace atelier::families {
namespace {

constexpr auto kInteger = SettingKind::kInteger;

constexpr Setting kDimensions{
    .name = "dimensions", .kind = kInteger, .fallback = "100", .min = 1, .max = 4096, .help = "numbers of a vector"};
constexpr Setting kMinCount{.name = "min_count",
                            .kind = kInteger,
                            .fallback = "5",
                            .min = 1,
                            .max = 1e9,
                            .help = "words that occur less often are left out"};
constexpr Setting kMaxVocabulary{.name = "max_vocabulary",
                                 .kind = kInteger,
                                 .fallback = "1000000",
                                 .min = 2,
                                 .max = 1e7,
                                 .help = "at most so many words, the most frequent"};
constexpr Setting kTokens{.name = "tokens",
                          .kind = SettingKind::kWord,
                          .fallback = "\"words\"",
                          .words = "words|spaces",
                          .help =
                              "words: by Unicode's rules, Chinese by dictionary, without punctuation; spaces: what "
                              "stands between spaces"};
constexpr Setting kLowercase{
    .name = "lowercase", .kind = SettingKind::kFlag, .fallback = "true", .help = "the text in lower case"};
constexpr Setting kColumns{.name = "columns",
                           .kind = SettingKind::kList,
                           .fallback = "[]",
                           .help = "the columns to read; empty: all columns of text"};

constexpr Setting Window(std::string_view fallback) {
  return {.name = "window",
          .kind = kInteger,
          .fallback = fallback,
          .min = 1,
          .max = 1000,
          .help = "words on each side that count as near"};
}

constexpr std::array kWord2vec{
    Setting{.name = "algorithm",
            .kind = SettingKind::kWord,
            .fallback = "\"skip_gram\"",
            .words = "skip_gram|cbow",
            .help = "skip_gram: a word tells its neighbours; cbow: neighbours tell the word"},
    kDimensions,
    Window("5"),
    Setting{.name = "negative",
            .kind = kInteger,
            .fallback = "5",
            .min = 1,
            .max = 100,
            .help = "noise words beside each true one"},
    Setting{
        .name = "sample", .fallback = "0.001", .max = 1, .help = "share of the text above which words are thinned out"},
    Setting{.name = "min_learning_rate", .fallback = "0.0001", .max = 10, .help = "the rate at the end"},
    kMinCount,
    kMaxVocabulary,
    kTokens,
    kLowercase,
    kColumns};

constexpr std::array kGlove{
    kDimensions,
    Window("10"),
    Setting{.name = "x_max",
            .fallback = "100",
            .min = 1e-6,
            .max = 1e9,
            .help = "counts from which on pairs weigh no more"},
    Setting{
        .name = "alpha", .fallback = "0.75", .max = 10, .help = "power of the count by which rarer pairs weigh less"},
    Setting{.name = "max_pairs",
            .kind = kInteger,
            .fallback = "100000000",
            .min = 1,
            .max = 4e9,
            .help = "different pairs of words at most: 28 bytes of memory each"},
    kMinCount,
    kMaxVocabulary,
    kTokens,
    kLowercase,
    kColumns};

constexpr std::array kWord2vecDefaults{Default{"learning_rate", "0.025"}};
constexpr std::array kGloveDefaults{Default{"learning_rate", "0.05"}, Default{"epochs", "25"}};

bool HoldsText(const data::Column& column) {
  return column.type == data::ColumnType::kText || column.type == data::ColumnType::kCategory;
}

Result<json::array> AskedColumns(const json::array& asked, const data::Manifest& manifest) {
  json::array columns;
  for (const auto& name : asked) {
    const auto* column = name.is_string() ? manifest.Find(std::string_view(name.get_string())) : nullptr;
    if (column == nullptr || !HoldsText(*column)) {
      return Unfit("'settings.columns' names " + json::serialize(name) + ", which is no column of text",
                   "settings.columns");
    }
    columns.emplace_back(column->name);
  }
  return columns;
}

}  // namespace

std::span<const Setting> Word2vecSettings() { return kWord2vec; }
std::span<const Default> Word2vecDefaults() { return kWord2vecDefaults; }
std::span<const Setting> GloveSettings() { return kGlove; }
std::span<const Default> GloveDefaults() { return kGloveDefaults; }

Result<json::object> FitWordVectors(const FitInput& input) {
  ATELIER_TRY(CheckTrainRows(input));
  const auto& given = input.settings.at("columns");
  // A text is the name of one column.
  ATELIER_ASSIGN(columns, AskedColumns(given.is_array() ? given.get_array() : json::array{given}, input.manifest));
  if (columns.empty()) {
    for (const auto& column : input.manifest.columns) {
      if (column.type == data::ColumnType::kText) {
        columns.emplace_back(column.name);
      }
    }
  }
  if (columns.empty()) {
    return Unfit("the data set has no column of text");
  }
  json::object settings = input.settings;
  settings["columns"] = std::move(columns);
  return settings;
}

}  // namespace atelier::families
