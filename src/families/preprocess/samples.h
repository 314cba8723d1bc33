// The rows of a split in memory, raw, ready to be gathered into batches.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <span>
#include <vector>

#include "data/reader.h"
#include "families/preprocess/preprocessor.h"

namespace atelier::families {

struct Samples {
  torch::Tensor inputs;                // pictures: U8 [rows, channels, height, width]; tables: F32 [rows, features]
  torch::Tensor targets;               // classification: I64 [rows]; regression: F32 [rows], as in the data set
  std::vector<int64_t> row_numbers{};  // of the data set, one a sample
  int64_t dropped = 0;                 // rows left out because their target is missing

  int64_t rows() const { return inputs.defined() ? inputs.size(0) : 0; }
};

// The columns, categories and labels of a new model, without statistics yet.
Result<Preprocessor> MakePreprocessor(const data::Manifest& manifest, const ModelConfig& config);

// Reads rows for a preprocessor, which may come from another data set: columns are matched by name, categories and
// labels by text. Encoded pictures are decoded and resized. Errors: kInvalidArgument "dataset_unsuitable" (a column is
// missing or of another type or shape; a label the model does not know; a broken picture, named by its row), kDataLoss.
Result<Samples> LoadSamples(const data::Reader& reader, std::span<const int64_t> rows,
                            const Preprocessor& preprocessor);

// Fills in means and standard deviations from the training rows. Errors: kInvalidArgument where no row is left, or the
// target has one value only.
Status FitStatistics(const Samples& train, Preprocessor& preprocessor);

// The network's input for the given sample indices: F32 [indices, ...]. Indices must be in range.
torch::Tensor GatherInputs(const Samples& samples, const Affine& affine, std::span<const int64_t> indices);
// Classification: I64 [indices]. Regression: F32 [indices, 1], standardised.
torch::Tensor GatherTargets(const Samples& samples, const TargetInfo& target, std::span<const int64_t> indices);

}  // namespace atelier::families
