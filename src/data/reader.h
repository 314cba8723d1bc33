// Reading the rows of a data set version.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/folds.h"
#include "data/manifest.h"
#include "tensor/safetensors.h"

namespace atelier::data {

// One shard, memory-mapped and checked against the manifest's columns. Errors: kDataLoss.
Result<std::unique_ptr<tensor::SafetensorsFile>> OpenShard(storage::BlobStore& store, const Manifest& manifest,
                                                           const Shard& shard);

// All shards of a version, memory-mapped. Thread-safe for reading.
class Reader {
 public:
  // Errors: kDataLoss (a blob is missing or does not fit the manifest).
  static Result<std::unique_ptr<Reader>> Open(storage::BlobStore& store, const Manifest& manifest);

  // Divides the train and validation rows anew: the fold becomes the test rows, the others train, none validates, and
  // what were the test rows is in no split. Strata are the target's categories, where it has some. Not while others
  // read. Errors: those of DivideFold.
  Status TakeFold(const Fold& fold);

  const Manifest& manifest() const { return manifest_; }
  // Row numbers of a split, ascending.
  const std::vector<int64_t>& Rows(Split split) const { return rows_[static_cast<size_t>(split)]; }
  // The tensor of a column (or "c.bytes", "c.offsets") in each shard, in order of shards.
  Result<std::vector<tensor::View>> Tensors(std::string_view name) const;
  // Bytes of one encoded image or text. The view lives as long as the reader.
  Result<std::string_view> Bytes(std::string_view column, int64_t row) const;

 private:
  Manifest manifest_;
  std::vector<std::unique_ptr<tensor::SafetensorsFile>> shards_;
  std::vector<int64_t> first_rows_;  // of each shard, and the total at the end
  std::vector<int64_t> rows_[kSplits];
};

}  // namespace atelier::data
