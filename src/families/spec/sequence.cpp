#include "families/spec/sequence.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace atelier::families {
namespace {

constexpr auto kInteger = SettingKind::kInteger;
constexpr auto kWord = SettingKind::kWord;

constexpr int64_t kMaxUnits = 4096;
constexpr int64_t kMaxLayers = 16;
constexpr int64_t kMaxLength = 65536;
constexpr int64_t kMaxVocabulary = 1 << 22;
constexpr int64_t kMaxWidths = 16;

constexpr Setting kTask{.name = "task",
                        .kind = kWord,
                        .fallback = "\"auto\"",
                        .words = "auto|classification|regression|token-classification|forecasting",
                        .help = "auto: as the data set says; columns tokens and tags are tagged"};
constexpr Setting kColumn{.name = "column",
                          .kind = SettingKind::kText,
                          .fallback = "\"\"",
                          .help = "the text column, or the series to forecast; empty: the only one, or the target"};
constexpr Setting kTokens{.name = "tokens",
                          .kind = kWord,
                          .fallback = "\"auto\"",
                          .words = "auto|word|character",
                          .help = "auto: words, of Chinese and Japanese single characters"};
constexpr Setting kLowercase{.name = "lowercase", .kind = SettingKind::kFlag, .fallback = "true", .help = "of words"};
constexpr Setting kMinCount{.name = "min_count",
                            .kind = kInteger,
                            .fallback = "2",
                            .min = 1,
                            .max = 1e6,
                            .help = "how often a word is in the training rows to be known"};
constexpr Setting kVocabulary{.name = "vocabulary_size",
                              .kind = kInteger,
                              .fallback = "50000",
                              .min = 16,
                              .max = 1e6,
                              .help = "words at most, the most frequent"};
constexpr Setting kLength{.name = "max_length",
                          .kind = kInteger,
                          .fallback = "256",
                          .min = 1,
                          .max = kMaxLength,
                          .help = "tokens of a text that are read"};
constexpr Setting kSmoothing{
    .name = "label_smoothing", .fallback = "0", .max = 0.9, .help = "share of the truth given to all classes"};
constexpr Setting kEmbeddingDropout{
    .name = "embedding_dropout", .fallback = "0.3", .max = 0.95, .help = "after the embedding"};

constexpr Setting Embedding(std::string_view fallback) {
  return {.name = "embedding",
          .kind = kInteger,
          .fallback = fallback,
          .min = 1,
          .max = kMaxUnits,
          .help = "numbers a word becomes"};
}
constexpr Setting Dropout(std::string_view fallback) {
  return {.name = "dropout", .fallback = fallback, .max = 0.95, .help = "between layers and before the output"};
}

constexpr std::array kRecurrent{
    kTask,
    kColumn,
    kTokens,
    kLowercase,
    kMinCount,
    kVocabulary,
    kLength,
    Embedding("128"),
    Setting{.name = "hidden",
            .kind = kInteger,
            .fallback = "64",
            .min = 1,
            .max = kMaxUnits,
            .help = "units of a layer and direction"},
    Setting{.name = "layers", .kind = kInteger, .fallback = "2", .min = 1, .max = kMaxLayers, .help = "one on another"},
    Setting{.name = "bidirectional",
            .kind = kWord,
            .fallback = "\"auto\"",
            .words = "auto|yes|no",
            .help = "auto: for tagging"},
    Setting{.name = "pooling",
            .kind = kWord,
            .fallback = "\"auto\"",
            .words = "auto|last|mean|max",
            .help = "what of the states is read; auto: max of texts, else last"},
    Dropout("0.3"),
    kEmbeddingDropout,
    kSmoothing,
    Setting{.name = "context",
            .kind = kInteger,
            .fallback = "0",
            .min = 0,
            .max = kMaxLength,
            .help = "forecasting: steps that are seen; 0: 24, in a short series half of it"},
    Setting{.name = "horizon",
            .kind = kInteger,
            .fallback = "1",
            .min = 1,
            .max = 4096,
            .help = "forecasting: steps ahead"},
    Setting{.name = "inputs",
            .kind = kWord,
            .fallback = "\"target\"",
            .words = "target|all",
            .help = "forecasting: what is seen, the series itself or all number columns"},
};

constexpr std::array kTextCnn{
    kTask,
    kColumn,
    kTokens,
    kLowercase,
    kMinCount,
    kVocabulary,
    kLength,
    Embedding("128"),
    Setting{.name = "filters", .kind = kInteger, .fallback = "100", .min = 1, .max = kMaxUnits, .help = "of a width"},
    Setting{.name = "widths", .kind = SettingKind::kList, .fallback = "[2,3,4]", .help = "words that a filter spans"},
    Dropout("0.5"),
    kEmbeddingDropout,
    kSmoothing,
};

constexpr std::array kTextBag{
    kTask,
    kColumn,
    kTokens,
    kLowercase,
    kMinCount,
    Setting{.name = "vocabulary_size",
            .kind = kInteger,
            .fallback = "100000",
            .min = 16,
            .max = 1e6,
            .help = "words and n-grams at most, the most frequent"},
    kLength,
    Embedding("64"),
    Setting{.name = "ngrams", .kind = kInteger, .fallback = "2", .min = 1, .max = 5, .help = "longest run of words"},
    Dropout("0.3"),
    kEmbeddingDropout,
    kSmoothing,
};

constexpr std::array<Default, 6> kRecurrentDefaults{{{"epochs", "20"},
                                                     {"batch_size", "32"},
                                                     {"learning_rate", "0.002"},
                                                     {"early_stopping", "4"},
                                                     {"validation", "0.1"},
                                                     {"gradient_clip", "5"}}};
constexpr std::array<Default, 5> kTextCnnDefaults{{{"epochs", "20"},
                                                   {"batch_size", "50"},
                                                   {"learning_rate", "0.001"},
                                                   {"early_stopping", "4"},
                                                   {"validation", "0.1"}}};
constexpr std::array<Default, 5> kTextBagDefaults{{{"epochs", "20"},
                                                   {"batch_size", "32"},
                                                   {"learning_rate", "0.003"},
                                                   {"early_stopping", "4"},
                                                   {"validation", "0.1"}}};

using Columns = std::vector<const data::Column*>;

Columns ColumnsOf(const data::Manifest& manifest, data::ColumnType type, std::string_view without) {
  Columns columns;
  for (const auto& column : manifest.columns) {
    if (column.type == type && column.name != without) {
      columns.push_back(&column);
    }
  }
  return columns;
}

bool IsText(const data::Column* column) { return column != nullptr && column->type == data::ColumnType::kText; }
bool IsSeries(const data::Column* column) {
  return column != nullptr && column->type == data::ColumnType::kNumber && column->shape.empty();
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
  const bool texts = !ColumnsOf(manifest, data::ColumnType::kText, manifest.target).empty();
  if (manifest.task == data::Task::kClassification || texts) {
    return std::string(Name(manifest.task));
  }
  const auto numbers = ColumnsOf(manifest, data::ColumnType::kNumber, manifest.target);
  const bool shaped = std::ranges::any_of(numbers, [](const auto* column) { return !column->shape.empty(); });
  return shaped ? std::string(Name(manifest.task)) : "forecasting";
}

Result<SequenceData> ResolveTags(const FitInput& input) {
  const std::string name = GetString(input.settings, "column");
  SequenceData data{.input = "tokens", .task = "token-classification"};
  data.columns = {name.empty() ? "tokens" : name};
  data.target = input.manifest.target.empty() ? "tags" : input.manifest.target;
  for (const auto& column : {data.columns[0], data.target}) {
    if (!IsText(input.manifest.Find(column))) {
      return Unfit("tagging needs two text columns, tokens and tags; '" + column + "' is not one",
                   column == data.target ? "dataset" : "settings.column");
    }
  }
  return data;
}

Result<SequenceData> ResolveSeries(const FitInput& input) {
  const auto& manifest = input.manifest;
  const auto numbers = ColumnsOf(manifest, data::ColumnType::kNumber, "");
  std::string name = GetString(input.settings, "column");
  if (name.empty()) {
    name = IsSeries(manifest.Target()) ? manifest.target : (numbers.size() == 1 ? numbers[0]->name : "");
  }
  const auto* target = manifest.Find(name);
  if (!IsSeries(target)) {
    return Unfit("forecasting needs a number column; name it with the setting 'column'", "settings.column");
  }
  if (target->statistics.minimum == target->statistics.maximum) {
    return Unfit("the series '" + name + "' never changes: there is nothing to learn");
  }
  SequenceData data{.input = "series", .task = "forecasting", .columns = {name}, .target = name};
  if (GetString(input.settings, "inputs") == "all") {
    for (const auto* column : numbers) {
      if (column->name != name && column->shape.empty()) {
        data.columns.push_back(column->name);
      }
    }
  }
  data.features = std::ssize(data.columns);
  return data;
}

Result<SequenceData> ResolveSteps(const FitInput& input, SequenceData data) {
  const auto numbers = ColumnsOf(input.manifest, data::ColumnType::kNumber, data.target);
  data.input = "steps";
  for (const auto* column : numbers) {
    const auto dimensions = column->shape.size();
    if (dimensions > 2 || (dimensions > 0 && numbers.size() > 1)) {
      return Unfit("a sequence is one column of a list a row, or a column a step; '" + column->name + "' is neither");
    }
    data.columns.push_back(column->name);
  }
  if (data.columns.empty()) {
    return Unfit("the data set has neither a text column nor numbers besides its target");
  }
  const auto& shape = numbers[0]->shape;
  data.steps = shape.empty() ? std::ssize(numbers) : shape[0];
  data.features = shape.size() == 2 ? shape[1] : 1;
  if (data.steps < 1 || data.steps > kMaxLength || data.features < 1 || data.features > kMaxUnits) {
    return Unfit("the sequences of '" + data.columns[0] + "' have an impossible size");
  }
  return data;
}

Result<SequenceData> ResolveTargeted(const FitInput& input, const std::string& task) {
  const auto& manifest = input.manifest;
  ATELIER_TRY(CheckTarget(manifest));
  if (Name(manifest.task) != task) {
    return Unfit("the data set is for " + std::string(Name(manifest.task)) + ", not for " + task, "settings.task");
  }
  SequenceData data{.task = task, .target = manifest.target};
  const auto texts = ColumnsOf(manifest, data::ColumnType::kText, manifest.target);
  const std::string name = GetString(input.settings, "column");
  if (texts.empty() && name.empty() && !input.family.starts_with("text")) {
    return ResolveSteps(input, std::move(data));
  }
  data.input = "text";
  data.columns = {name.empty() && texts.size() == 1 ? texts[0]->name : name};
  if (!IsText(manifest.Find(data.columns[0])) || data.columns[0] == data.target) {
    return Unfit(texts.empty() ? "the data set has no text column; import it with the column's type as text"
                               : "name the text column with the setting 'column'",
                 "settings.column");
  }
  return data;
}

Result<std::vector<int64_t>> ReadWidths(const json::object& settings) {
  std::vector<int64_t> widths;
  const auto* list = settings.if_contains("widths");
  if (list == nullptr || list->is_null()) {
    return widths;
  }
  if (list->is_array()) {
    for (const auto& width : list->get_array()) {
      if (width.is_int64() && width.get_int64() >= 1 && width.get_int64() <= kMaxWidths) {
        widths.push_back(width.get_int64());
      }
    }
  }
  if (widths.empty() || std::ssize(widths) > kMaxWidths || widths.size() != list->get_array().size()) {
    return InvalidArgument("'settings.widths' must be 1 to 16 numbers from 1 to 16", "settings.widths");
  }
  return widths;
}

std::string Pooling(const FitInput& input, const SequenceData& data) {
  if (input.family == "textcnn") {
    return "max";
  }
  if (input.family == "textbag") {
    return "mean";
  }
  const std::string pooling = GetString(input.settings, "pooling", "auto");
  return pooling != "auto" ? pooling : (data.input == "text" ? "max" : "last");
}

Result<SequenceConfig> ReadConfig(const json::object& object) {
  Fields fields(object);
  SequenceConfig config;
  ATELIER_ASSIGN(family, fields.String("family", 64));
  ATELIER_ASSIGN(task, fields.String("task", 64));
  ATELIER_ASSIGN(input, fields.String("input", 64));
  ATELIER_ASSIGN(pooling, fields.String("pooling", 64));
  ATELIER_ASSIGN(vocabulary, fields.Int("vocabulary", 0, kMaxVocabulary));
  ATELIER_ASSIGN(features, fields.Int("features", 1, kMaxUnits));
  ATELIER_ASSIGN(outputs, fields.Int("outputs", 1, 65536));
  ATELIER_ASSIGN(embedding, fields.Int("embedding", 0, kMaxUnits));
  ATELIER_ASSIGN(hidden, fields.Int("hidden", 0, kMaxUnits));
  ATELIER_ASSIGN(layers, fields.Int("layers", 0, kMaxLayers));
  ATELIER_ASSIGN(bidirectional, fields.BoolOr("bidirectional", false));
  ATELIER_ASSIGN(context, fields.Int("context", 0, kMaxLength));
  ATELIER_ASSIGN(dropout, fields.Number("dropout", 0, 0.95));
  ATELIER_ASSIGN(embedding_dropout, fields.Number("embedding_dropout", 0, 0.95));
  ATELIER_ASSIGN(widths, ReadWidths(object));
  return SequenceConfig{.family = family,
                        .task = task,
                        .input = input,
                        .vocabulary = vocabulary,
                        .features = features,
                        .outputs = outputs,
                        .embedding = embedding,
                        .hidden = hidden,
                        .layers = layers,
                        .bidirectional = bidirectional,
                        .pooling = pooling,
                        .widths = std::move(widths),
                        .context = context,
                        .dropout = dropout,
                        .embedding_dropout = embedding_dropout};
}

Status Check(const SequenceConfig& config) {
  const auto one_of = [](std::string_view word, std::initializer_list<std::string_view> words) {
    return std::ranges::find(words, word) != words.end();
  };
  const bool recurrent = one_of(config.family, {"lstm", "gru", "rnn"});
  const bool tags = config.task == "token-classification";
  const bool fits =
      (recurrent || one_of(config.family, {"textcnn", "textbag"})) &&
      one_of(config.task, {"classification", "regression", "token-classification", "forecasting"}) &&
      one_of(config.input, {"text", "tokens", "steps", "series"}) && one_of(config.pooling, {"last", "mean", "max"}) &&
      tags == (config.input == "tokens") && (config.task == "forecasting") == (config.input == "series") &&
      (recurrent || config.input == "text") &&
      (!config.reads_words() || (config.vocabulary > 0 && config.embedding > 0)) &&
      (!recurrent || (config.hidden > 0 && config.layers > 0)) && (config.input != "series" || config.context > 0) &&
      (config.family != "textcnn" || (config.hidden > 0 && !config.widths.empty()));
  if (!fits) {
    return InvalidArgument("its members do not fit together");
  }
  return {};
}

}  // namespace

std::span<const Setting> RecurrentSettings() { return kRecurrent; }
std::span<const Setting> TextCnnSettings() { return kTextCnn; }
std::span<const Setting> TextBagSettings() { return kTextBag; }
std::span<const Default> RecurrentDefaults() { return kRecurrentDefaults; }
std::span<const Default> TextCnnDefaults() { return kTextCnnDefaults; }
std::span<const Default> TextBagDefaults() { return kTextBagDefaults; }

Result<SequenceData> ResolveSequence(const FitInput& input) {
  const std::string task = TaskOf(input);
  if (input.family.starts_with("text") && task != "classification" && task != "regression") {
    return Unfit("the family " + std::string(input.family) +
                     " classifies texts or gives them a number; use lstm for tagging and forecasting",
                 "settings.task");
  }
  if (task == "token-classification") {
    return ResolveTags(input);
  }
  return task == "forecasting" ? ResolveSeries(input) : ResolveTargeted(input, task);
}

int64_t Context(const FitInput& input) {
  const int64_t context = GetInt(input.settings, "context");
  const int64_t train = input.manifest.split_rows[static_cast<size_t>(data::Split::kTrain)];
  return context > 0 ? context : std::clamp<int64_t>(train / 2, 1, 24);
}

Result<SequenceConfig> MakeSequenceConfig(const FitInput& input, const SequenceData& data) {
  const auto& settings = input.settings;
  ATELIER_ASSIGN(widths, ReadWidths(settings));
  const std::string both = GetString(settings, "bidirectional", "no");
  const bool series = data.task == "forecasting";
  SequenceConfig config{.family = std::string(input.family), .task = data.task, .input = data.input};
  config.features = std::max<int64_t>(1, data.features);
  config.outputs = series ? GetInt(settings, "horizon", 1) : 1;
  config.embedding = data.features == 0 ? GetInt(settings, "embedding") : 0;
  config.hidden = GetInt(settings, input.family == "textcnn" ? "filters" : "hidden");
  config.layers = GetInt(settings, "layers", input.family == "textcnn" ? 1 : 0);
  config.bidirectional = both == "yes" || (both == "auto" && data.task == "token-classification");
  config.pooling = Pooling(input, data);
  config.widths = std::move(widths);
  config.context = series ? Context(input) : 0;
  config.dropout = GetNumber(settings, "dropout");
  config.embedding_dropout = GetNumber(settings, "embedding_dropout");
  if (series && input.manifest.rows() <= config.context + config.outputs) {
    return Unfit("the series has " + std::to_string(input.manifest.rows()) +
                     " steps; 'context' and 'horizon' leave none to learn from",
                 "settings.context");
  }
  return config;
}

Result<json::object> FitSequence(const FitInput& input) {
  ATELIER_TRY(CheckTrainRows(input));
  ATELIER_ASSIGN(data, ResolveSequence(input));
  ATELIER_ASSIGN(config, MakeSequenceConfig(input, data));
  json::object settings = input.settings;
  settings["task"] = data.task;
  if (settings.contains("bidirectional")) {
    settings["bidirectional"] = config.bidirectional ? "yes" : "no";
    settings["pooling"] = config.pooling;
    settings["context"] = config.context;
  }
  return settings;
}

json::object ToJson(const SequenceConfig& config) {
  return {{"family", config.family},
          {"task", config.task},
          {"input", config.input},
          {"vocabulary", config.vocabulary},
          {"features", config.features},
          {"outputs", config.outputs},
          {"embedding", config.embedding},
          {"hidden", config.hidden},
          {"layers", config.layers},
          {"bidirectional", config.bidirectional},
          {"pooling", config.pooling},
          {"widths", config.widths.empty() ? json::value(nullptr) : json::value_from(config.widths)},
          {"context", config.context},
          {"dropout", config.dropout},
          {"embedding_dropout", config.embedding_dropout}};
}

Result<SequenceConfig> SequenceConfigFromJson(const json::object& object) {
  auto config = ReadConfig(object);
  const Status status = config.ok() ? Check(*config) : Status(config.error());
  if (!status.ok()) {
    return InvalidArgument("config.json: " + status.error().message, "", "invalid_model_file");
  }
  return config;
}

}  // namespace atelier::families
