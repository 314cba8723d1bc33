// What deployments were asked and what they answered, and what people said of it: rows from which data sets are made.
// Only deployments that ask for it are recorded (recorder.h); texts are stored as they are given here.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "data/store.h"
#include "storage/catalogue.h"

namespace atelier::data {

struct Exchange {
  std::string id;  // of the answer
  std::string deployment;
  std::string model;  // "NAME@VERSION"
  std::string kind;   // "predict" | "chat" | "completion"
  std::string key_id;
  int64_t created_ms = 0;
  std::string request;  // JSON text
  std::string answer;   // JSON text
};

struct Feedback {
  double score = 0;  // from -1 to 1
  std::string correction{};
  std::string comment{};
};
inline constexpr size_t kMaxCorrectionBytes = size_t{64} << 10U;

struct TrafficRecord : Exchange {
  std::optional<Feedback> feedback{};  // the last that was given
  int64_t feedback_ms = 0;
};

struct TrafficQuery {
  std::string deployment{};  // empty: all
  std::string kind{};        // empty: all
  int64_t from_ms = 0;
  int64_t to_ms = 0;                  // before; 0: no end
  std::optional<double> min_score{};  // these two: records with feedback alone
  std::optional<double> max_score{};
};

// Thread-safe. The table is part of data::Migrations().
class TrafficStore {
 public:
  TrafficStore(storage::Catalogue& catalogue, Clock& clock) : catalogue_(catalogue), clock_(clock) {}

  // In one transaction; gives how many went in. An id that is there already is left as it is: clients may choose ids.
  Result<size_t> Insert(std::span<const Exchange> exchanges);
  // Errors: kNotFound "answer_not_recorded" of all three; of feedback also where the record is of another key than
  // `key_id` (empty: any).
  Status SetFeedback(const std::string& id, const Feedback& feedback, const std::string& key_id = "");
  Result<TrafficRecord> Get(const std::string& id);
  Status Delete(const std::string& id);

  Result<std::vector<TrafficRecord>> List(const TrafficQuery& query, const Page& page, bool& has_more);
  // All of them, the oldest first. Ends early where `visit` gives false or an error.
  Status ForEach(TrafficQuery query, const std::function<Result<bool>(const TrafficRecord& record)>& visit);

  // Deletes what was recorded before `oldest_ms`, then as many of the oldest as are needed for the rest to have at most
  // `max_bytes` of texts, feedback included.
  Status Trim(const std::string& deployment, int64_t oldest_ms, int64_t max_bytes);
  Result<std::vector<std::string>> Deployments();

 private:
  storage::Catalogue& catalogue_;
  Clock& clock_;
};

}  // namespace atelier::data
