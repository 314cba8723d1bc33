// Takes exchanges off the path of requests: they wait in a bounded queue for a thread that redacts personal data and
// stores them in batches.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/rng.h"
#include "data/traffic/store.h"

namespace atelier::data {

// What a deployment wants kept.
struct RecordPolicy {
  int64_t percent = 0;  // of its requests
  int64_t days = 30;
  int64_t megabytes = 256;  // of texts

  bool operator==(const RecordPolicy&) const = default;
};

struct RecorderOptions {
  size_t queued = 4096;                        // exchanges that may wait
  size_t queued_bytes = size_t{64} << 20U;     // of their texts
  size_t record_bytes = size_t{64} << 10U;     // larger exchanges are not recorded
  int64_t trim_every_ms = int64_t{60} * 1000;  // also at the start
  int64_t days_of_gone_deployments = 30;
};

// The strings within a JSON text without personal data (text/language/redact.h). Errors: kInvalidArgument where it is
// no JSON.
Result<std::string> RedactJson(std::string_view text);

// Thread-safe. Borrows all. Its destructor stores what waits.
class Recorder {
 public:
  Recorder(TrafficStore& store, Clock& clock, Rng& rng, Metrics& metrics, RecorderOptions options = {});
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // Of all deployments; one that is not named is not recorded.
  void SetPolicies(std::map<std::string, RecordPolicy> policies);
  // Whether any deployment is recorded at all.
  bool Any() const { return any_; }
  // Whether this request of the deployment is to be recorded: true for the wanted share. Cheap.
  bool Wants(const std::string& deployment);
  // Never blocks on the disk. What does not fit is dropped and counted in atelier_traffic_records_total.
  void Record(Exchange exchange);
  // Waits until what was given before is stored, or could not be.
  void Flush();

 private:
  void Work();
  void Store(std::vector<Exchange> batch);
  void Trim();

  TrafficStore& store_;
  Clock& clock_;
  Rng& rng_;
  const RecorderOptions options_;
  prometheus::Counter& stored_;
  prometheus::Counter& full_;
  prometheus::Counter& large_;
  prometheus::Counter& failed_;

  std::atomic<bool> any_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::map<std::string, RecordPolicy> policies_;
  bool policies_known_ = false;  // before, nothing may be deleted
  std::vector<Exchange> waiting_;
  size_t waiting_bytes_ = 0;
  bool storing_ = false;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses what is above
};

}  // namespace atelier::data
