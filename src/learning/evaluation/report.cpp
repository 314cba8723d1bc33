#include "learning/evaluation/report.h"

#include "learning/evaluation/figures.h"

namespace atelier::learning {

boost::json::object Report(const Predictions& predictions) {
  auto report = MetricsOf(predictions);
  report["intervals"] = IntervalsOf(predictions, {});
  return report;
}

Result<storage::BlobRef> StorePredictions(storage::BlobStore& blobs, const Predictions& predictions) {
  ATELIER_ASSIGN(writer, blobs.Create());
  ATELIER_TRY(WritePredictions(predictions, [&](std::span<const std::byte> bytes) { return writer->Append(bytes); }));
  return writer->Commit();
}

Result<Predictions> LoadPredictions(storage::BlobStore& blobs, const storage::BlobRef& blob) {
  ATELIER_ASSIGN(path, blobs.LocalPath(blob.sha256));
  return ReadPredictions(path);
}

}  // namespace atelier::learning
