// What a translation model is: sizes, ids and how it decodes. config.json is that of Hugging Face's
// M2M100ForConditionalGeneration, which the network is: an encoder-decoder transformer (Vaswani et al.,
// arXiv:1706.03762) that normalises before each part, with sinusoidal positions and one matrix of embeddings for both
// languages and the output.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace atelier::families {

struct TranslationConfig {
  int64_t vocabulary = 0;
  int64_t width = 256;
  int64_t heads = 4;
  int64_t hidden = 512;  // of the feed-forward parts
  int64_t encoder_layers = 3;
  int64_t decoder_layers = 3;
  int64_t max_length = 128;  // tokens of a text, with the one that ends it
  double dropout = 0.1;      // in training
  int64_t padding = 0;       // ids; the decoder begins with `end`
  int64_t unknown = 1;
  int64_t end = 3;
  std::string source{};  // the columns of the data set
  std::string target{};
  int64_t beam = 4;             // hypotheses that are followed at once
  double length_penalty = 0.6;  // GNMT's (Wu et al., arXiv:1609.08144)
};

// Of a user's settings, as families/spec/translation.h has them; the ids and the size of the vocabulary come later.
TranslationConfig TranslationConfigOf(const boost::json::object& settings);

boost::json::object ToJson(const TranslationConfig& config);
// Errors: kInvalidArgument naming the field (missing, out of range, or what this network cannot be).
Result<TranslationConfig> TranslationConfigFromJson(const boost::json::object& object);

}  // namespace atelier::families
