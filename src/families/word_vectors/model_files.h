// Word vectors as the files of a model version: config.json, model.safetensors (`word_vectors` F32 [words, dimensions],
// `counts` I64 [words]) and vocab.txt, a word a line in the order of the rows.
#pragma once

#include <boost/json.hpp>
#include <filesystem>
#include <functional>

#include "base/result.h"
#include "families/word_vectors/index.h"
#include "families/word_vectors/words.h"

namespace atelier::families::word_vectors {

inline constexpr const char* kVocabularyFile = "vocab.txt";

struct ModelConfig {
  std::string family{};     // "word2vec" | "glove"
  std::string algorithm{};  // "skip_gram" | "cbow" | "glove"; of imported vectors empty
  SplitOptions split{};     // how the training text was cut into words
};

boost::json::object ToJson(const ModelConfig& config, const WordVectors& vectors);
// What atelier.json says of such a model: task, signature, parameters, words, dimensions.
boost::json::object Describe(const WordVectors& vectors);
// Errors: kInvalidArgument "invalid_model_file".
Result<ModelConfig> ModelConfigFromJson(const boost::json::value& value);

Status WriteVectors(const WordVectors& vectors, const std::function<Status(std::span<const std::byte>)>& sink);
std::string VocabularyText(const Vocabulary& vocabulary);

struct ModelPaths {
  std::filesystem::path config;
  std::filesystem::path weights;
  std::filesystem::path vocabulary;
};
struct Model {
  ModelConfig config;
  WordVectors vectors;
};
// Errors: kNotFound, kInvalidArgument "invalid_model_file".
Result<Model> LoadModel(const ModelPaths& paths);
// The three files in a folder, under the names that the first lines give. Errors: kResourceExhausted "storage_full".
Status WriteModel(const ModelConfig& config, const WordVectors& vectors, const std::filesystem::path& folder);

}  // namespace atelier::families::word_vectors
