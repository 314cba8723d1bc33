#include "base/metrics.h"

#include <prometheus/text_serializer.h>

namespace atelier {

// The registry merges: a family that is there already, and in it a metric with the same labels, is given again.

prometheus::Counter& Metrics::Counter(const std::string& name, const std::string& help, const Labels& labels) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry_).Add(labels);
}

prometheus::Gauge& Metrics::Gauge(const std::string& name, const std::string& help, const Labels& labels) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry_).Add(labels);
}

prometheus::Histogram& Metrics::Histogram(const std::string& name, const std::string& help, const Labels& labels,
                                          const std::vector<double>& buckets) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry_).Add(labels, buckets);
}

std::string Metrics::Render() const { return prometheus::TextSerializer().Serialize(registry_.Collect()); }

}  // namespace atelier
