// What train and evaluate jobs share: opening the data set that a spec names.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <string>

#include "base/result.h"
#include "data/reader.h"
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

}  // namespace atelier::learning
