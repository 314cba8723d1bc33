// The rows of a data set as what an encoder learns from, in memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/reader.h"
#include "families/bert/batch.h"
#include "families/bert/config.h"

namespace atelier::families::bert {

struct Examples {
  std::vector<int64_t> rows{};  // of the data set
  std::vector<Text> texts{};
  std::vector<Text> seconds{};                 // of an embedding: what each text belongs to
  std::vector<int64_t> classes{};              // of a classification
  std::vector<double> numbers{};               // of a regression; of an embedding the scores, if there are any
  std::vector<std::vector<int32_t>> places{};  // of a tagging: first pieces of the words, as Encoder::Words
  std::vector<std::vector<int64_t>> tags{};    // at those places; -1 where the model does not know the tag
  std::vector<std::string> tag_lines{};        // as the data set has them

  int64_t size() const { return std::ssize(texts); }
  std::vector<int64_t> Lengths() const;  // of the longer side
};

// Labels that the training rows have: the classes of the target column, or the tags in order of their bytes. Errors:
// kInvalidArgument "dataset_unsuitable" (no two tags).
Result<std::vector<std::string>> LabelsOf(const data::Reader& reader, std::span<const int64_t> train,
                                          const Config& config);

// In order of `rows`, without those that have no target, no words or, of pairs to embed, an empty side. Errors:
// kInvalidArgument "dataset_unsuitable" (a column is missing, a label is unknown, words and tags are not as many).
Result<Examples> LoadExamples(const data::Reader& reader, std::span<const int64_t> rows, const Config& config,
                              const Encoder& encoder);

}  // namespace atelier::families::bert
