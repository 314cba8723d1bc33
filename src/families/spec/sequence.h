// Families of models that read sequences: texts, tokens to be tagged, numbers of a row, or a time series.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "families/spec/families.h"

namespace atelier::families {

// What of a data set is read, and for what.
struct SequenceData {
  // "text": one text column; "tokens": a text column of items divided by single spaces; "steps": the numbers of a row,
  // in order; "series": number columns, a row a step of time.
  std::string input{};
  std::string task{};                  // "classification" | "regression" | "token-classification" | "forecasting"
  std::vector<std::string> columns{};  // that are read; of a series the one to forecast first
  std::string target{};
  int64_t features = 0;  // numbers a step; 0 of texts and tokens
  int64_t steps = 0;     // of "steps": in a row
};

// A network of these families; config.json. Sizes are checked by SequenceConfigFromJson and FitSequence.
struct SequenceConfig {
  std::string family{};  // lstm | gru | rnn | textcnn | textbag
  std::string task{};    // as SequenceData
  std::string input{};
  int64_t vocabulary = 0;  // rows of the embedding table; 0 of numbers
  int64_t features = 0;    // numbers a step; of tokens: ids a token
  int64_t outputs = 1;     // classes, tags, steps ahead, or 1
  int64_t embedding = 0;
  int64_t hidden = 0;  // units a direction; filters a width; 0 of textbag
  int64_t layers = 0;
  bool bidirectional = false;
  std::string pooling{};          // last | mean | max
  std::vector<int64_t> widths{};  // textcnn
  int64_t context = 0;            // series: steps that are seen
  double dropout = 0;
  double embedding_dropout = 0;

  bool reads_words() const { return input == "text" || input == "tokens"; }
};

std::span<const Setting> RecurrentSettings();
std::span<const Setting> TextCnnSettings();
std::span<const Setting> TextBagSettings();
std::span<const Default> RecurrentDefaults();
std::span<const Default> TextCnnDefaults();
std::span<const Default> TextBagDefaults();

Result<boost::json::object> FitSequence(const FitInput& input);

// By the settings `task`, `column` and `inputs`, and by the data set where they leave it open. Errors: kInvalidArgument
// "dataset_unsuitable".
Result<SequenceData> ResolveSequence(const FitInput& input);

// All but `vocabulary` and `outputs` of classes and tags. Errors: kInvalidArgument on a setting.
Result<SequenceConfig> MakeSequenceConfig(const FitInput& input, const SequenceData& data);

boost::json::object ToJson(const SequenceConfig& config);
// Errors: kInvalidArgument "invalid_model_file".
Result<SequenceConfig> SequenceConfigFromJson(const boost::json::object& object);

}  // namespace atelier::families
