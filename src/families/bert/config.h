// What an encoder is, and what it is for: config.json of Hugging Face's BertModel, BertForMaskedLM,
// BertForSequenceClassification and BertForTokenClassification
// (https://github.com/huggingface/transformers: configuration_bert.py), with what is ours under the key "atelier".
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace atelier::families::bert {

enum class Task : uint8_t { kClassification, kRegression, kTagging, kMaskedLm, kEmbedding };

// As the setting `task` has them. Of another name kEmbedding.
Task TaskFromName(std::string_view name);
std::string_view Name(Task task);

struct Config {
  int64_t vocabulary = 0;
  int64_t width = 0;
  int64_t layers = 0;
  int64_t heads = 1;
  int64_t hidden = 0;     // of the feed-forward parts
  int64_t positions = 0;  // tokens of a text at most
  int64_t types = 2;      // of texts: the first, the second
  double epsilon = 1e-12;
  bool tanh_gelu = false;  // gelu by its approximation
  double dropout = 0.1;    // in training
  int64_t padding = 0;

  Task task = Task::kEmbedding;
  std::vector<std::string> columns{};  // of a data set, that are read: one, or two
  std::string target{};
  std::vector<std::string> labels{};  // of classes or tags
  int64_t max_length = 0;             // tokens that are read, at most `positions`
  bool pools_first = false;           // of an embedding: the first state instead of the mean

  // Numbers that the head gives for a text or a token; 0: it has none of its own.
  int64_t outputs() const { return task == Task::kRegression ? 1 : static_cast<int64_t>(labels.size()); }
};

boost::json::object ToJson(const Config& config);

// The encoder alone; the rest as it is in an empty Config. Errors: kInvalidArgument "invalid_model_file" naming the key
// (missing, out of range, heads that do not fit), kUnimplemented "unsupported_model" (another model_type, activation or
// kind of positions).
Result<Config> EncoderFromJson(const boost::json::object& object);
// All of it. Errors: the same.
Result<Config> ConfigFromJson(const boost::json::object& object);

int64_t ParametersOf(const Config& config);  // of the encoder

}  // namespace atelier::families::bert
