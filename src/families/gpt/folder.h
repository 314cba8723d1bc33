// A GPT as a folder in Hugging Face's layout, and a LoRA adapter as PEFT has it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "families/gpt/network.h"
#include "text/tokenizer.h"

namespace atelier::families::gpt {

// The texts of the tokeniser's files; all but tokenizer_json may be empty.
struct TokenizerTexts {
  std::string tokenizer_json;
  std::string tokenizer_config_json{};  // with the chat template, where the model has one
  std::string special_tokens_map_json{};
};

struct Opened {
  Shape shape{};
  TokenizerTexts texts{};
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::string chat_template{};  // empty: none
};

// The small files of a folder; the weights are read by ReadWeights. Errors: those of ShapeFromConfig and
// ReadTokenizerJson; kNotFound, kInvalidArgument (a tokeniser with more tokens than the model has embeddings).
Result<Opened> OpenFolder(const std::filesystem::path& folder);
// The same of texts, as they are written at first.
Result<Opened> OpenTexts(TokenizerTexts texts);

// The files of WriteFolder.
inline constexpr const char* kFolderFiles[] = {"config.json", "generation_config.json", "model.safetensors",
                                               "tokenizer.json", "tokenizer_config.json"};

// Writes kFolderFiles into a folder that is there; weights as F32. Errors: those of FileSink.
Status WriteFolder(const NetworkImpl& network, const Opened& model, const std::filesystem::path& folder);

// Writes adapter_config.json and adapter_model.safetensors: what was added to the linear maps. `base`: a name for
// people. Errors: those of FileSink.
Status WriteAdapter(const NetworkImpl& network, const std::string& base, const std::filesystem::path& folder);

}  // namespace atelier::families::gpt
