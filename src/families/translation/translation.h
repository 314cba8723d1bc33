// The family's entry: see families/learner.h and families/spec/translation.h.
#pragma once

#include <memory>

#include "families/learner.h"
#include "families/translation/config.h"
#include "families/translation/network.h"
#include "text/tokenizer.h"

namespace atelier::families {

inline constexpr const char* kTokenizerConfigFile = "tokenizer_config.json";

struct TranslationModel {
  TranslationConfig config{};
  std::unique_ptr<text::Tokenizer> tokenizer{};
  Translator network{nullptr};  // in evaluation mode
};

// Errors: kNotFound, kInvalidArgument "invalid_model_file" | "invalid_tokenizer".
Result<TranslationModel> LoadTranslation(const ModelFiles& files);
Signature TranslationSignature(const TranslationConfig& config);

Result<std::unique_ptr<Learner>> LearnTranslation(const LearnInput& input);
Result<std::unique_ptr<Predictor>> OpenTranslation(const ModelFiles& files, int threads);
// Translates every row, and takes the loss of its own translation.
Result<Outcomes> MeasureTranslation(const ModelFiles& files, const MeasureInput& input);

}  // namespace atelier::families
