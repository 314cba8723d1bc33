// Which training of a search, or which fold of a cross-validation, comes next. Pure functions from what has been done.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "learning/search/space.h"

namespace atelier::learning {

enum class Strategy { kGrid, kRandom, kHalving, kFolds };
std::string_view Name(Strategy strategy);  // "grid" | "random" | "halving" | "folds"
Result<Strategy> StrategyFromName(std::string_view name);

// A round of trainings; the best of it go on to the next.
struct Rung {
  size_t trials = 0;   // how many take part
  int64_t epochs = 0;  // of each; 0: what its settings say
};

struct Plan {
  Strategy strategy = Strategy::kGrid;
  std::string metric{};  // by which trials are ranked
  bool lower_is_better = false;
  size_t parallel = 1;          // trainings that may wait or run at once
  std::vector<Trial> trials{};  // what each changes; of kFolds: nothing, one a fold
  std::vector<Rung> rungs{};    // at least one; the first has all trials
};

boost::json::object ToJson(const Plan& plan);
Result<Plan> PlanFromJson(const boost::json::object& object);  // of ToJson

// The rounds of successive halving (K. Jamieson, A. Talwalkar, AISTATS 2016): of n trials, n / factor^i go into round i
// for epochs / factor^(last - i) epochs, rounded, at least 1; the last round trains in full.
std::vector<Rung> HalvingRungs(size_t trials, int64_t epochs, int64_t factor);

// What became of one training.
struct TrialState {
  size_t trial = 0;
  size_t rung = 0;
  enum class Phase { kAlive, kDone, kFailed } phase = Phase::kAlive;
  boost::json::object metrics{};  // of kDone
};

struct Decision {
  struct Start {
    size_t trial = 0;
    size_t rung = 0;
  };
  std::vector<Start> start{};
  bool finished = false;         // nothing is left to start or to wait for
  std::optional<size_t> best{};  // the place in `states` of the best training of the last round begun
};

// A training that failed, or whose metrics lack the metric, takes no further part. Of equal ones the earlier trial is
// the better. Finished without a best one: all have failed.
Decision Decide(const Plan& plan, std::span<const TrialState> states);

// {"strategy","metric","done","total","best":value} for a progress event, and for people.
boost::json::object SearchProgress(const Plan& plan, std::span<const TrialState> states);

// {"strategy","metric","best":{"trial","settings","value"},"trials":[{"trial","rung","epochs","settings","status",
// "value","metrics"}]} best first.
boost::json::object SearchReport(const Plan& plan, std::span<const TrialState> states);

// {"folds","metrics":{NAME:{"mean","standard_deviation","values"}}}: plain numbers that every fold has. The standard
// deviation is the sample's (n - 1).
boost::json::object FoldsReport(std::span<const TrialState> states);

}  // namespace atelier::learning
