// Takes exchanges off the path of requests: they wait in a bounded queue for a thread that redacts personal data and
// stores them in batches.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
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

// A JSON text without personal data (text/language/redact.h) in its strings, keys and numbers; strings that are JSON
// themselves (arguments of calls) are treated alike. Errors: kInvalidArgument where it is no JSON.
Result<std::string> RedactJson(std::string_view text);

// Thread-safe. Borrows all. Its destructor stores what waits.
class Recorder {
 public:
  Recorder(TrafficStore& store, Clock& clock, Rng& rng, Metrics& metrics, RecorderOptions options = {});
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  using Policies = std::map<std::string, RecordPolicy>;
  // Of all deployments. One that is not named is not recorded; what was recorded of it is kept as it last wished.
  void SetPolicies(Policies policies);
  // SetPolicies with what `list` gives. One caller at a time, so that an older list never follows a newer one.
  Status Follow(const std::function<Result<Policies>()>& list);
  // Whether any deployment is recorded at all.
  bool Any() const { return any_; }
  // Whether an exchange of so many bytes is not too large. One that is gets counted as such.
  bool Fits(size_t bytes);
  // Whether this request of the deployment is to be recorded: true for the wanted share. Cheap.
  bool Wants(const std::string& deployment);
  // Never blocks on the disk. What does not fit is dropped and counted in atelier_traffic_records_total.
  void Record(Exchange exchange);
  // Waits until what was given before is stored, or could not be; not for what is given meanwhile.
  void Flush();

 private:
  void Work();
  void Store(std::vector<Exchange> batch);
  std::vector<Exchange> Clean(std::vector<Exchange> batch);
  void Trim();

  TrafficStore& store_;
  Clock& clock_;
  Rng& rng_;
  const RecorderOptions options_;
  prometheus::Counter& stored_;
  prometheus::Counter& full_;
  prometheus::Counter& large_;
  prometheus::Counter& failed_;
  prometheus::Counter& duplicate_;  // clients choose ids
  prometheus::Counter& token_ids_;  // prompts that are no text

  std::mutex follow_mutex_;  // before mutex_
  std::atomic<bool> any_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  Policies policies_;
  bool policies_known_ = false;  // before, nothing may be deleted
  std::vector<Exchange> waiting_;
  size_t waiting_bytes_ = 0;
  uint64_t taken_ = 0;  // exchanges that were ever put into the queue
  uint64_t done_ = 0;   // of them, how many are stored or failed
  bool hurry_ = false;  // somebody waits for them
  bool stopping_ = false;
  std::thread thread_;  // last: it uses what is above
};

}  // namespace atelier::data
