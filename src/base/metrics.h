// Counters, gauges and histograms, exposed as Prometheus text 0.0.4. One registry a process, owned by the composition.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace atelier {

// Thread-safe. The references live as long as the registry; asking again for the same name and labels gives the same
// object, so hot paths ask once and keep it.
class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;

  prometheus::Counter& Counter(const std::string& name, const std::string& help, const Labels& labels = {});
  prometheus::Gauge& Gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  prometheus::Histogram& Histogram(const std::string& name, const std::string& help, const Labels& labels,
                                   const std::vector<double>& buckets);
  std::string Render() const;

 private:
  prometheus::Registry registry_;
};

}  // namespace atelier
