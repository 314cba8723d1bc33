// Running a list of steps over a data set version: the body of `process` jobs, and previews of them.
//
// Memory is bounded whatever the size of the data: rows come in batches, fits keep what is more than their share in
// files, and the result goes to shards as it is made. Of what grows with the rows there is one byte a row for the
// split, one bit for each deduplication, and four bytes for a near one while it is fitted.
#pragma once

#include <boost/json.hpp>

#include "base/result.h"
#include "data/importer.h"
#include "data/manifest.h"
#include "data/steps/plan.h"
#include "storage/blob_store.h"

namespace atelier::data::steps {

struct ProcessInput {
  const Manifest& manifest;
  const Request& request;
  boost::json::object parent{};       // what the lineage says of the version that the rows come from
  const MediaTools* media = nullptr;  // of a program that has them
};

struct ProcessReport {
  ImportReport version;
  boost::json::object report;  // rows in and out of each step, statistics of the columns before and after
};

// A new version. Deterministic in (manifest, request). `hooks.checkpoint` is needed; a run that was killed goes on from
// its last stored shard or finished pass. Errors: kInvalidArgument (a step that does not fit, a value that cannot be
// what is asked, no rows left), kCancelled, kDataLoss, those of the stores.
Result<ProcessReport> Process(storage::BlobStore& blobs, const ProcessInput& input, const RunHooks& hooks);

// The steps over the first `rows` rows alone, statistics included: {"columns", "rows", "splits", "report"}. At most
// about 512 KiB of JSON: "truncated" says that rows are left out. Errors: as Process.
Result<boost::json::object> Preview(storage::BlobStore& blobs, const ProcessInput& input, int64_t rows,
                                    const RunHooks& hooks);

inline constexpr int64_t kMaxPreviewRows = 1000;

}  // namespace atelier::data::steps
