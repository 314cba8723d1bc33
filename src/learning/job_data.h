// What train and evaluate jobs share: opening what a spec names.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <string>

#include "base/result.h"
#include "data/reader.h"
#include "families/learner.h"
#include "storage/blob_store.h"

namespace atelier::learning {

struct JobData {
  std::unique_ptr<storage::BlobStore> blobs;
  std::string dataset_name;
  int64_t dataset_version = 0;
  std::string manifest_sha256;
  std::unique_ptr<data::Reader> reader;
};

// With "fold": {"index","count","seed"} in the spec, the rows are those of that fold (data::Reader::TakeFold).
// Errors: kInvalidArgument where the spec lacks something, kDataLoss, kNotFound.
Result<JobData> OpenJobData(const boost::json::object& spec);

// Where the blobs of a model version lie; `files` as in specs: {NAME:{"sha256","size"}}. Errors: as
// BlobStore::LocalPath.
Result<families::ModelFiles> LocalFiles(storage::BlobStore& blobs, const boost::json::object& files);

// The files of the model version that `spec` names under `key`. Errors: kInvalidArgument where it names none.
Result<families::ModelFiles> OpenModelFiles(storage::BlobStore& blobs, const boost::json::object& spec,
                                            std::string_view key);

}  // namespace atelier::learning
