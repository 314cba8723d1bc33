// The report of an evaluation, and where its predictions are kept.
#pragma once

#include <boost/json.hpp>

#include "base/result.h"
#include "learning/evaluation/predictions.h"
#include "storage/blob_store.h"

namespace atelier::learning {

// MetricsOf with "intervals" (95 %, seed 1).
boost::json::object Report(const Predictions& predictions);

// Errors: those of Check and of the store.
Result<storage::BlobRef> StorePredictions(storage::BlobStore& blobs, const Predictions& predictions);
Result<Predictions> LoadPredictions(storage::BlobStore& blobs, const storage::BlobRef& blob);

}  // namespace atelier::learning
