#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"
#include "learning/search/plan.h"

namespace atelier::learning {
namespace {

std::vector<Dimension> Space(std::string_view text) {
  auto space = SpaceFromJson(ParseJson(text)->as_object());
  EXPECT_TRUE(space.ok()) << (space.ok() ? "" : space.error().message);
  return space.ok() ? std::move(space).value() : std::vector<Dimension>();
}

TEST(Space, AGridHasEveryCombinationOnce) {
  const auto trials = GridTrials(Space(R"({"layers":["64","128,64"],"epochs":[1,2,3]})"));
  ASSERT_TRUE(trials.ok());
  ASSERT_EQ(trials->size(), 6U);
  EXPECT_EQ(json::serialize(trials->at(0)), R"({"layers":"64","epochs":1})");
  EXPECT_EQ(json::serialize(trials->at(4)), R"({"layers":"128,64","epochs":2})");
  EXPECT_FALSE(GridTrials(Space(R"({"x":{"min":0,"max":1}})")).ok());
}

TEST(Space, RandomTrialsAreInRangeAndRepeatable) {
  const auto space = Space(R"({"rate":{"min":0.0001,"max":0.1,"log":true},"epochs":{"min":2,"max":4,"integer":true},
                               "optimizer":["adam","sgd"]})");
  const auto trials = RandomTrials(space, 200, 7);
  ASSERT_EQ(trials.size(), 200U);
  int below = 0;
  std::vector<int> epochs(5);
  for (const auto& trial : trials) {
    const double rate = GetNumber(trial, "rate");
    EXPECT_GE(rate, 0.0001);
    EXPECT_LE(rate, 0.1);
    below += rate < 0.00316 ? 1 : 0;  // the middle of the logarithms
    ++epochs.at(static_cast<size_t>(GetInt(trial, "epochs")));
  }
  EXPECT_NEAR(below, 100, 30);
  for (const size_t count : {2, 3, 4}) {
    EXPECT_GT(epochs[count], 40);
  }
  EXPECT_EQ(trials, RandomTrials(space, 200, 7));
  EXPECT_NE(trials, RandomTrials(space, 200, 8));
  EXPECT_EQ(RandomTrials(Space(R"({"optimizer":["adam","sgd"]})"), 10, 1).size(), 2U);
}

TEST(Space, WhatIsNoSpaceIsRefused) {
  for (const char* text : {"{}", R"({"x":[]})", R"({"x":3})", R"({"x":{"min":1,"max":1}})",
                           R"({"x":{"min":0,"max":1,"log":true}})", R"({"x":{"min":0,"max":1,"step":1}})"}) {
    EXPECT_EQ(SpaceFromJson(ParseJson(text)->as_object()).error().code, Code::kInvalidArgument) << text;
  }
}

// Runs a plan to its end; `score` gives the metric of a trial after so many epochs, NaN for a failure.
template <class Score>
std::vector<TrialState> RunPlan(const Plan& plan, const Score& score, size_t& most_alive) {
  std::vector<TrialState> states;
  while (true) {
    const Decision decision = Decide(plan, states);
    for (const auto& start : decision.start) {
      states.push_back({.trial = start.trial, .rung = start.rung});
    }
    size_t alive = 0;
    TrialState* next = nullptr;
    for (auto& state : states) {
      alive += state.phase == TrialState::Phase::kAlive ? 1 : 0;
      next = next == nullptr && state.phase == TrialState::Phase::kAlive ? &state : next;
    }
    most_alive = std::max(most_alive, alive);
    if (next == nullptr) {
      EXPECT_TRUE(decision.finished);
      return states;
    }
    const double value = score(next->trial, plan.rungs[next->rung].epochs);
    next->phase = std::isnan(value) ? TrialState::Phase::kFailed : TrialState::Phase::kDone;
    if (!std::isnan(value)) {
      next->metrics["accuracy"] = value;
    }
  }
}

TEST(Plan, HalvingTrainsTheBestLongest) {
  const auto rungs = HalvingRungs(9, 27, 3);
  ASSERT_EQ(rungs.size(), 3U);
  EXPECT_EQ(rungs[0].trials, 9U);
  EXPECT_EQ(rungs[0].epochs, 3);
  EXPECT_EQ(rungs[1].trials, 3U);
  EXPECT_EQ(rungs[1].epochs, 9);
  EXPECT_EQ(rungs[2].trials, 1U);
  EXPECT_EQ(rungs[2].epochs, 27);
  Plan plan{.strategy = Strategy::kHalving, .metric = "accuracy", .parallel = 4};
  plan.trials.resize(9);
  plan.rungs = rungs;
  size_t most_alive = 0;
  // Trial 8 is the best but fails; 7 starts badly and is not seen again; 6 wins.
  const auto states = RunPlan(
      plan,
      [](size_t trial, int64_t epochs) {
        return trial == 8 ? NAN : (trial == 7 && epochs == 3 ? 0.0 : 0.1 * static_cast<double>(trial));
      },
      most_alive);
  EXPECT_EQ(states.size(), 13U);
  EXPECT_EQ(most_alive, 4U);
  const auto best = Decide(plan, states).best;
  ASSERT_TRUE(best.has_value());
  EXPECT_EQ(states[*best].trial, 6U);
  EXPECT_EQ(states[*best].rung, 2U);
  const auto report = SearchReport(plan, states);
  EXPECT_EQ(GetInt(report.at("trials").at(0).as_object(), "trial"), 6);
  EXPECT_EQ(report.at("trials").as_array().size(), 13U);
  EXPECT_EQ(SearchProgress(plan, states).at("done").as_int64(), 13);
}

TEST(Plan, LowerMayBeBetterAndAllMayFail) {
  Plan plan{.metric = "accuracy", .lower_is_better = true, .parallel = 1};
  plan.trials.resize(3);
  plan.rungs = {{3, 0}};
  size_t most_alive = 0;
  const auto states = RunPlan(
      plan, [](size_t trial, int64_t) { return 1.0 + static_cast<double>(trial); }, most_alive);
  EXPECT_EQ(states[*Decide(plan, states).best].trial, 0U);
  EXPECT_EQ(most_alive, 1U);
  const auto failed = RunPlan(
      plan, [](size_t, int64_t) { return NAN; }, most_alive);
  EXPECT_TRUE(Decide(plan, failed).finished);
  EXPECT_FALSE(Decide(plan, failed).best.has_value());
}

TEST(Plan, SurvivesItsJson) {
  Plan plan{.strategy = Strategy::kRandom, .metric = "rmse", .lower_is_better = true, .parallel = 3};
  plan.trials = {{{"epochs", 1}}, {{"epochs", 2}}};
  plan.rungs = {{2, 1}, {1, 4}};
  const auto again = PlanFromJson(ToJson(plan));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(json::serialize(ToJson(*again)), json::serialize(ToJson(plan)));
  EXPECT_FALSE(PlanFromJson({{"strategy", "grid"}}).ok());
}

TEST(Folds, MeansAndDeviations) {
  std::vector<TrialState> states(4);
  for (size_t i = 0; i < states.size(); ++i) {
    states[i].metrics = {{"accuracy", std::vector<double>{0.8, 0.9, 0.7, 0.8}[i]}, {"rows", 10}, {"split", "test"}};
  }
  const auto report = FoldsReport(states);
  const auto& accuracy = report.at("metrics").at("accuracy").as_object();
  EXPECT_NEAR(GetNumber(accuracy, "mean"), 0.8, 1e-12);
  EXPECT_NEAR(GetNumber(accuracy, "standard_deviation"), 0.0816496580927726, 1e-12);
  EXPECT_FALSE(report.at("metrics").as_object().contains("split"));
}

}  // namespace
}  // namespace atelier::learning
