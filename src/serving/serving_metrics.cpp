#include "serving/serving_metrics.h"

namespace atelier::serving {
namespace {

constexpr double kNsPerUs = 1000.0;

}  // namespace

struct ModelMetrics::Series {
  Series(Metrics& metrics, const Metrics::Labels& labels)
      : success(metrics.Counter("nv_inference_request_success", "Requests answered", labels)),
        rejected(FailureOf(metrics, labels, "REJECTED")),
        canceled(FailureOf(metrics, labels, "CANCELED")),
        backend(FailureOf(metrics, labels, "BACKEND")),
        other(FailureOf(metrics, labels, "OTHER")),
        instances(metrics.Counter("nv_inference_count", "Instances computed", labels)),
        executions(metrics.Counter("nv_inference_exec_count", "Batches computed", labels)),
        request_us(metrics.Counter("nv_inference_request_duration_us", "Time of requests, microseconds", labels)),
        queue_us(metrics.Counter("nv_inference_queue_duration_us", "Time waiting for a batch, microseconds", labels)),
        compute_us(
            metrics.Counter("nv_inference_compute_infer_duration_us", "Time of the model, microseconds", labels)),
        pending(metrics.Gauge("nv_inference_pending_request_count", "Requests under way", labels)) {}

  static prometheus::Counter& FailureOf(Metrics& metrics, Metrics::Labels labels, const char* reason) {
    labels["reason"] = reason;
    return metrics.Counter("nv_inference_request_failure", "Requests that failed", labels);
  }

  prometheus::Counter& success;
  prometheus::Counter& rejected;
  prometheus::Counter& canceled;
  prometheus::Counter& backend;
  prometheus::Counter& other;
  prometheus::Counter& instances;
  prometheus::Counter& executions;
  prometheus::Counter& request_us;
  prometheus::Counter& queue_us;
  prometheus::Counter& compute_us;
  prometheus::Gauge& pending;
};

ModelMetrics::ModelMetrics(Metrics* metrics, const std::string& model, int64_t version) {
  if (metrics != nullptr) {
    const Metrics::Labels labels{{"model", model}, {"version", std::to_string(version)}};
    series_ = std::make_unique<Series>(*metrics, labels);
  }
}

ModelMetrics::~ModelMetrics() = default;

void ModelMetrics::Begin() const {
  if (series_) {
    series_->pending.Increment();
  }
}

void ModelMetrics::Success(int instances, const Timing& timing) const {
  if (series_) {
    series_->pending.Decrement();
    series_->success.Increment();
    series_->instances.Increment(instances);
    series_->request_us.Increment(static_cast<double>(timing.request_ns) / kNsPerUs);
    series_->queue_us.Increment(static_cast<double>(timing.queue_ns) / kNsPerUs);
    series_->compute_us.Increment(static_cast<double>(timing.compute_ns) / kNsPerUs);
  }
}

void ModelMetrics::Failure(const Error& error) const {
  if (series_) {
    series_->pending.Decrement();
    FailureCounter(error).Increment();
  }
}

void ModelMetrics::Executed(uint64_t batches) const {
  if (series_ && batches > 0) {
    series_->executions.Increment(static_cast<double>(batches));
  }
}

prometheus::Counter& ModelMetrics::FailureCounter(const Error& error) const {
  switch (error.code) {
    case Code::kResourceExhausted:
      return series_->rejected;
    case Code::kCancelled:
    case Code::kDeadlineExceeded:
      return series_->canceled;
    case Code::kInternal:
    case Code::kUnavailable:
      return series_->backend;
    default:
      return series_->other;
  }
}

}  // namespace atelier::serving
