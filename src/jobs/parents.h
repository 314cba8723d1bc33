// Jobs that consist of others: they have no process, but a kind that says what comes next.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "jobs/listeners.h"
#include "jobs/store.h"

namespace atelier::jobs {

// Of the supervisor's thread alone. Borrows all but the source of ids.
class Parents {
 public:
  struct Surroundings {
    Store& store;
    Clock& clock;
    const std::map<std::string, Kind>& kinds;
    Listeners& listeners;
    std::function<std::string()> new_id;
  };
  explicit Parents(Surroundings surroundings) : with_(std::move(surroundings)) {}

  // Takes up a job that has just been started.
  void Add(const std::string& id) { running_.insert(id); }
  bool empty() const { return running_.empty(); }

  // Asks each what comes next, and writes it down. Adds the running children that have to be stopped to `stop`.
  // Returns whether children were created. Errors: the catalogue's; to be called again.
  Result<bool> Advance(std::vector<std::string>& stop);

 private:
  // What became of one.
  struct Outcome {
    bool created = false;
    bool ended = false;
  };
  Result<Outcome> Advance(const Job& job, std::vector<std::string>& stop);
  Result<Outcome> Follow(const Job& job, Step step, bool waits);
  Result<Outcome> End(const Job& job, const Verdict& verdict, boost::json::object result);

  Surroundings with_;
  std::set<std::string> running_;
};

}  // namespace atelier::jobs
