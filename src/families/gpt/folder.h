// A GPT as the files of Hugging Face's layout, and a LoRA adapter as those of PEFT.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "families/gpt/network.h"
#include "families/learner.h"
#include "storage/blob_store.h"
#include "text/tokenizer.h"

namespace atelier::families::gpt {

// The texts of the tokeniser's files; all but tokenizer_json may be empty.
struct TokenizerTexts {
  std::string tokenizer_json{};
  std::string tokenizer_config_json{};  // with the chat template, where the model has one
  std::string special_tokens_map_json{};
};

struct Language {
  TokenizerTexts texts{};
  std::unique_ptr<text::Tokenizer> tokenizer{};
  std::string chat_template{};  // empty: none
};

// Errors: those of ReadTokenizerJson and Tokenizer::Make.
Result<Language> ReadLanguage(TokenizerTexts texts);

struct Opened {
  Shape shape{};
  Language language{};
};

// The small files of a model; the weights are read by ReadWeights. Errors: those of ShapeFromConfig and ReadLanguage;
// kNotFound; kInvalidArgument (a tokeniser with more tokens than the model has embeddings).
Result<Opened> OpenModel(const ModelFiles& files);

using StoredFiles = std::map<std::string, storage::BlobRef>;
// config.json, generation_config.json, model.safetensors (F32), tokenizer.json, tokenizer_config.json. Errors: the
// store's.
Result<StoredFiles> StoreModel(const NetworkImpl& network, const Language& language, storage::BlobStore& blobs);

// adapter_config.json and adapter_model.safetensors: what was added to the linear maps. `base`: a name for people.
Result<StoredFiles> StoreAdapter(const NetworkImpl& network, const std::string& base, storage::BlobStore& blobs);
inline constexpr const char* kAdapterConfigFile = "adapter_config.json";
inline constexpr const char* kAdapterWeightsFile = "adapter_model.safetensors";

}  // namespace atelier::families::gpt
