// Where the rows come from, batch by batch.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "data/manifest.h"
#include "data/steps/batch.h"
#include "storage/blob_store.h"

namespace atelier::data::steps {

inline constexpr size_t kBatchRows = 8192;
inline constexpr size_t kBatchBytes = size_t{16} << 20U;  // beyond, a batch has fewer rows, but at least one

// Gives all rows in order, in the same batches every time. Not thread-safe.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual int64_t rows() const = 0;
  virtual uint64_t bytes() const = 0;    // of all rows, roughly
  virtual int64_t position() const = 0;  // the row that the next batch begins with
  // `row` is a position at which a batch began, or the end.
  virtual Status Seek(int64_t row) = 0;
  // Fills columns and splits; false at the end.
  virtual Result<bool> Next(Batch& batch) = 0;
};

// The rows of a version, a shard mapped at a time. At most `max_rows` of them; -1: all. The two are borrowed. Errors of
// Next: kDataLoss where a shard does not fit the manifest.
Result<std::unique_ptr<RowSource>> OpenManifestRows(storage::BlobStore& blobs, const Manifest& manifest,
                                                    int64_t max_rows = -1);

}  // namespace atelier::data::steps
