#include <algorithm>
#include <array>
#include <cmath>

#include "base/json.h"
#include "families/spec/families.h"
#include "families/word_vectors/agreement.h"
#include "families/word_vectors/model_files.h"
#include "families/words/texts.h"
#include "families/words/words.h"

namespace atelier::families {
namespace {

namespace wv = word_vectors;

// Which columns of a data set hold what.
struct Columns {
  std::vector<std::string> words;  // texts and categories
  std::vector<std::string> numbers;
};

Columns Sort(const data::Manifest& manifest) {
  Columns columns;
  for (const auto& column : manifest.columns) {
    if (column.type == data::ColumnType::kText || column.type == data::ColumnType::kCategory) {
      columns.words.push_back(column.name);
    } else if (column.type == data::ColumnType::kNumber && column.shape.empty()) {
      columns.numbers.push_back(column.name);
    }
  }
  return columns;
}

// A number that is not defined has no place in JSON.
json::value Defined(double value) { return std::isfinite(value) ? json::value(value) : json::value(nullptr); }

Result<json::object> MeasurePairs(const wv::WordIndex& index, const MeasureInput& input, const Columns& columns) {
  ATELIER_ASSIGN(first, TextColumn::Open(input.reader, columns.words[0]));
  ATELIER_ASSIGN(second, TextColumn::Open(input.reader, columns.words[1]));
  ATELIER_ASSIGN(scores, NumberColumn(input.reader, columns.numbers[0]));
  std::vector<wv::ScoredPair> pairs;
  for (const int64_t row : input.rows) {
    ATELIER_ASSIGN(a, first.At(row));
    ATELIER_ASSIGN(b, second.At(row));
    const float score = scores.at(static_cast<size_t>(row));
    if (std::isfinite(score)) {
      pairs.push_back({std::string(a), std::string(b), score});
    }
  }
  const wv::PairAgreement agreement = wv::CompareSimilarities(index, pairs);
  return json::object{{"spearman", Defined(agreement.spearman)},
                      {"pearson", Defined(agreement.pearson)},
                      {"pairs", agreement.pairs},
                      {"unknown", agreement.unknown}};
}

json::object ToJson(const wv::AnalogyAccuracy& accuracy) {
  const double share =
      accuracy.asked > 0 ? static_cast<double>(accuracy.correct) / static_cast<double>(accuracy.asked) : 0;
  return {{"accuracy", share}, {"correct", accuracy.correct}, {"asked", accuracy.asked}, {"unknown", accuracy.unknown}};
}

Result<json::object> MeasureAnalogies(const wv::WordIndex& index, const MeasureInput& input, const Columns& columns) {
  std::vector<TextColumn> texts;
  for (const auto& name : columns.words) {
    ATELIER_ASSIGN(column, TextColumn::Open(input.reader, name));
    texts.push_back(std::move(column));
  }
  std::vector<wv::AnalogyQuestion> questions;
  for (const int64_t row : input.rows) {
    wv::AnalogyQuestion question;
    for (size_t i = 0; i < texts.size(); ++i) {
      ATELIER_ASSIGN(text, texts[i].At(row));
      (i < 4 ? question.words.at(i) : question.section) = std::string(text);
    }
    questions.push_back(std::move(question));
  }
  const auto accuracies = wv::AnswerAnalogies(index, questions, 0);
  json::object metrics = ToJson(accuracies.at(""));
  json::array sections;
  for (const auto& [name, accuracy] : accuracies) {
    if (!name.empty()) {
      json::object section{{"section", name}};
      for (const auto& member : ToJson(accuracy)) {
        section[member.key()] = member.value();
      }
      sections.push_back(std::move(section));
    }
  }
  metrics["sections"] = std::move(sections);
  return metrics;
}

Result<json::object> MeasureCoverage(const wv::Model& model, const wv::WordIndex& index, const MeasureInput& input,
                                     const Columns& columns) {
  ATELIER_ASSIGN(splitter, wv::WordSplitter::Create(model.config.split));
  int64_t words = 0;
  int64_t known = 0;
  for (const auto& name : columns.words) {
    if (input.reader.manifest().Find(name)->type != data::ColumnType::kText) {
      continue;
    }
    ATELIER_ASSIGN(texts, TextColumn::Open(input.reader, name));
    for (const int64_t row : input.rows) {
      ATELIER_ASSIGN(text, texts.At(row));
      ATELIER_TRY(splitter->Split(text, [&](std::string_view word) {
        ++words;
        known += index.vocabulary().Find(word).has_value() ? 1 : 0;
      }));
    }
  }
  return json::object{{"coverage", words > 0 ? static_cast<double>(known) / static_cast<double>(words) : 0},
                      {"words", words},
                      {"known", known}};
}

}  // namespace

Result<Outcomes> MeasureWordVectors(const ModelFiles& files, const MeasureInput& input) {
  ATELIER_ASSIGN(config, FileOf(files, kConfigFile));
  ATELIER_ASSIGN(weights, FileOf(files, kWeightsFile));
  ATELIER_ASSIGN(vocabulary, FileOf(files, wv::kVocabularyFile));
  ATELIER_ASSIGN(model, wv::LoadModel({config, weights, vocabulary}));
  const wv::WordIndex index(std::move(model.vectors));
  const Columns columns = Sort(input.reader.manifest());
  const size_t words = columns.words.size();
  Outcomes outcomes{.task = "feature-extraction", .rows = {input.rows.begin(), input.rows.end()}};
  if (words == 2 && columns.numbers.size() == 1) {
    ATELIER_ASSIGN(metrics, MeasurePairs(index, input, columns));
    outcomes.extra = std::move(metrics);
  } else if ((words == 4 || words == 5) && columns.numbers.empty()) {
    ATELIER_ASSIGN(metrics, MeasureAnalogies(index, input, columns));
    outcomes.extra = std::move(metrics);
  } else if (words > 0) {
    ATELIER_ASSIGN(metrics, MeasureCoverage(model, index, input, columns));
    outcomes.extra = std::move(metrics);
  } else {
    return Unfit("the data set has no words: give two columns of words and a number, four of words, or text");
  }
  return outcomes;
}

}  // namespace atelier::families
