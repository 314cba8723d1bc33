// A trained encoder as files of a model version, and what one goes on from.
#pragma once

#include <memory>

#include "base/result.h"
#include "families/bert/network.h"
#include "families/learner.h"
#include "text/training/train.h"

namespace atelier::families::bert {

struct Model {
  Config config{};
  text::TrainedTokenizer tokenizer_files{};
  std::unique_ptr<text::Tokenizer> tokenizer{};
  Network network{nullptr};
};

// Of this family, in evaluation mode. Errors: kNotFound, kInvalidArgument "invalid_model_file" | "invalid_tokenizer".
Result<Model> LoadModel(const ModelFiles& files);

// Any folder of transformers' BERT, for what `wanted` says: task, columns, target, labels, max_length, pooling and
// dropout. What gives classes is drawn unless the folder has it for the same task and labels. Errors: the same, and
// kUnimplemented "unsupported_model".
Result<Model> LoadBase(const ModelFiles& files, const Config& wanted);

// config.json, model.safetensors, tokenizer.json, tokenizer_config.json. A regression gives answers x * scale + shift.
Result<std::map<std::string, storage::BlobRef>> StoreModel(const Model& model, double shift, double scale,
                                                           storage::BlobStore& blobs);

Signature SignatureOf(const Config& config);

}  // namespace atelier::families::bert
