// Language models between the trainer, which knows Hugging Face's layout, and the engine, which runs GGUF.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "families/learner.h"
#include "storage/blob_store.h"

namespace atelier::learning {

// A model to go on from as a folder of Hugging Face's: as it is, or made of its GGUF file under `work`, which is
// created. Quantised weights become F16. Errors: those of engine::hugging_face::ExportFolder.
Result<families::ModelFiles> AsHuggingFace(const families::ModelFiles& base, const std::filesystem::path& work);

struct EngineInput {
  const families::ModelFiles& base;  // of an adapter
  std::filesystem::path work{};      // created
  int threads = 1;
};

// Where the description's family is llm or llm-adapter: adds model.gguf or adapter.gguf to the files and what an import
// says of it to the description, having loaded it as a worker will. Other models stay as they are. Errors: those of
// engine::ImportModel and ImportAdapter, the store's.
Status AddEngineFile(const EngineInput& input, storage::BlobStore& blobs, families::LearnedModel& model);

bool HasGguf(const families::ModelFiles& files);
// The only GGUF file of a model; `role`, "model" or "base", names it in errors. Errors: kInvalidArgument
// "model_not_supported" where it has none, or several.
Result<std::filesystem::path> GgufOf(const families::ModelFiles& files, const std::string& role);

struct LanguageModelFiles {
  const families::ModelFiles& model;
  families::ModelFiles base{};  // of an adapter
};

// The engine's view of rows that a language model could have been trained on: loss and perplexity of the tokens that
// training would count, per character too; and, where rows ask something, what the model answers, greedily, at most 256
// tokens. Texts are one stream, divided as in training, in windows of the model's context (at most 2,048 tokens). Rows
// that ask nothing are left out. Errors: those of GgufOf, ReadModelFiles, MakeGenerator, MaterialOf and the reader;
// kUnimplemented "model_not_supported" (a model that says nothing, preferences); kInvalidArgument "dataset_unsuitable";
// kFailedPrecondition "model_not_finite"; kCancelled.
Result<families::Outcomes> MeasureLanguageModel(const LanguageModelFiles& files, const families::MeasureInput& input);

}  // namespace atelier::learning
