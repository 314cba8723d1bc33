// What turns a row of a data set, or a client's instance, into what a sequence model reads: preprocessor_config.json
// and, of texts, vocabulary.json. Training and serving use this one code.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "families/predictor.h"
#include "families/sequence/vocabulary.h"
#include "families/spec/sequence.h"

namespace atelier::families {

struct SequencePreprocessor {
  SequenceData data{};
  std::optional<Vocabulary> vocabulary{};  // of texts and tokens
  std::vector<std::string> labels{};       // classes, or tags
  std::vector<double> mean{};              // of numbers, a feature: the network sees (x - mean) / std, missing as 0
  std::vector<double> std{};
  double target_mean = 0;  // of a regression; of a forecast those of the first feature
  double target_std = 1;
};

boost::json::object ToJson(const SequencePreprocessor& preprocessor);
// `words`: vocabulary.json, or null for models of numbers. Errors: kInvalidArgument "invalid_model_file".
Result<SequencePreprocessor> SequencePreprocessorFromJson(const boost::json::object& object,
                                                          const boost::json::object* words,
                                                          const SequenceConfig& config);

// One instance, ready for a batch.
class PreparedSequence final : public PreparedInstance {
 public:
  std::vector<int32_t> ids{};
  std::vector<float> values{};        // standardised, [length, features]
  std::vector<std::string> tokens{};  // that are tagged
  int64_t length = 0;
};

// Standardises in place, [steps, features]; missing numbers become 0.
void Standardise(const SequencePreprocessor& preprocessor, std::span<float> values);
// In a series a missing number is the last one before it.
void CarryForward(std::span<float> series, int64_t features);

// Texts: a text, or a record with the text column. Tokens: a record with tokens between single spaces, or a text, which
// is cut. Numbers: a tensor [steps] or [steps, features], or a record with a column's numbers as text, divided by
// spaces or commas; a series may be longer than the context: its end counts. Errors: kInvalidArgument naming the field.
Result<std::unique_ptr<PreparedInstance>> PrepareSequence(const SequencePreprocessor& preprocessor,
                                                          const SequenceConfig& config, const Instance& instance);

}  // namespace atelier::families
