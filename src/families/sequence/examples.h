// The rows of a data set as sequences with what is true of them, in memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/reader.h"
#include "families/sequence/preprocessor.h"
#include "families/spec/sequence.h"

namespace atelier::families {

// Borrowed from the examples or from a prepared instance.
struct Sequence {
  std::span<const int32_t> ids{};   // [length, features] of texts and tokens
  std::span<const float> values{};  // [length, features] of numbers
  std::span<const int32_t> tags{};  // [length]; -1 where the model does not know the tag
  int64_t length = 0;
};

struct Examples {
  std::vector<int64_t> rows{};  // of the data set; of a series that of the first step ahead
  std::vector<Sequence> sequences{};
  std::vector<int64_t> classes{};  // of a classification
  std::vector<float> targets{};    // else [rows, outputs], standardised
  std::vector<double> truth{};     // the same as they are in the data set
  int64_t dropped = 0;             // rows without a target, or whose window is cut off

  int64_t size() const { return std::ssize(sequences); }
  std::vector<int64_t> Lengths() const;

  // What the sequences borrow from.
  std::vector<std::vector<int32_t>> id_rows{};
  std::vector<std::vector<int32_t>> tag_rows{};
  std::vector<float> numbers{};
};

// Vocabulary, labels and statistics of the training rows. Errors: kInvalidArgument "dataset_unsuitable".
Result<SequencePreprocessor> FitPreprocessor(const data::Reader& reader, std::span<const int64_t> train,
                                             const SequenceData& data, const VocabularyOptions& options);

// In order of `rows`, without those that have no target. Of a series: the windows all of whose steps ahead are in
// `rows`; what a window sees may be any rows before. Errors: kInvalidArgument "dataset_unsuitable", kDataLoss.
Result<Examples> LoadExamples(const data::Reader& reader, std::span<const int64_t> rows, const SequenceConfig& config,
                              const SequencePreprocessor& preprocessor);

}  // namespace atelier::families
