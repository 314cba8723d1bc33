#include "learning/search/plan.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/json.h"

namespace atelier::learning {
namespace {

constexpr std::array<std::string_view, 4> kNames{"grid", "random", "halving", "folds"};

using Phase = TrialState::Phase;

std::optional<double> ValueOf(const Plan& plan, const TrialState& state) {
  const auto* value = state.metrics.if_contains(plan.metric);
  if (state.phase != Phase::kDone || value == nullptr || !value->is_number()) {
    return std::nullopt;
  }
  const double number = value->to_number<double>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

// The places in `states` of the trainings of a round that have a value, the best first.
std::vector<size_t> Ranked(const Plan& plan, std::span<const TrialState> states, size_t rung) {
  std::vector<size_t> places;
  for (size_t i = 0; i < states.size(); ++i) {
    if (states[i].rung == rung && ValueOf(plan, states[i]).has_value()) {
      places.push_back(i);
    }
  }
  std::ranges::sort(places, [&](size_t a, size_t b) {
    const double x = *ValueOf(plan, states[a]);
    const double y = *ValueOf(plan, states[b]);
    return x != y ? (plan.lower_is_better ? x < y : x > y) : states[a].trial < states[b].trial;
  });
  return places;
}

// The trials that take part in a round whose forerunner is done.
std::vector<size_t> Participants(const Plan& plan, std::span<const TrialState> states, size_t rung) {
  std::vector<size_t> trials;
  if (rung == 0) {
    for (size_t i = 0; i < plan.trials.size(); ++i) {
      trials.push_back(i);
    }
    return trials;
  }
  for (const size_t place : Ranked(plan, states, rung - 1)) {
    if (trials.size() < plan.rungs[rung].trials) {
      trials.push_back(states[place].trial);
    }
  }
  return trials;
}

bool Has(std::span<const TrialState> states, size_t trial, size_t rung) {
  return std::ranges::any_of(states, [&](const auto& state) { return state.trial == trial && state.rung == rung; });
}

std::string_view StatusOf(const TrialState& state) {
  return state.phase == Phase::kAlive ? "running" : (state.phase == Phase::kDone ? "succeeded" : "failed");
}

}  // namespace

std::string_view Name(Strategy strategy) { return kNames.at(static_cast<size_t>(strategy)); }

Result<Strategy> StrategyFromName(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) {
      return static_cast<Strategy>(i);
    }
  }
  return InvalidArgument("'strategy' must be grid, random or halving", "strategy");
}

json::object ToJson(const Plan& plan) {
  json::array rungs;
  for (const Rung& rung : plan.rungs) {
    rungs.push_back({{"trials", static_cast<int64_t>(rung.trials)}, {"epochs", rung.epochs}});
  }
  return {{"strategy", Name(plan.strategy)},
          {"metric", plan.metric},
          {"lower_is_better", plan.lower_is_better},
          {"parallel", static_cast<int64_t>(plan.parallel)},
          {"trials", json::array(plan.trials.begin(), plan.trials.end())},
          {"rungs", std::move(rungs)}};
}

Result<Plan> PlanFromJson(const json::object& object) {
  Plan plan;
  Fields fields(object, "plan");
  ATELIER_ASSIGN(strategy, StrategyFromName(GetString(object, "strategy")));
  ATELIER_ASSIGN(trials, fields.ArrayOr("trials", kMostTrials));
  ATELIER_ASSIGN(rungs, fields.ArrayOr("rungs", 64));
  plan.strategy = strategy;
  plan.metric = GetString(object, "metric");
  plan.lower_is_better = GetBool(object, "lower_is_better");
  plan.parallel = static_cast<size_t>(std::max<int64_t>(GetInt(object, "parallel", 1), 1));
  if (trials == nullptr || rungs == nullptr || trials->empty() || rungs->empty()) {
    return InvalidArgument("the search has no plan", "plan");
  }
  for (const auto& trial : *trials) {
    plan.trials.push_back(trial.is_object() ? trial.get_object() : json::object());
  }
  for (const auto& rung : *rungs) {
    const json::object empty;
    const auto& one = rung.is_object() ? rung.get_object() : empty;
    plan.rungs.push_back({static_cast<size_t>(GetInt(one, "trials")), GetInt(one, "epochs")});
  }
  return plan;
}

std::vector<Rung> HalvingRungs(size_t trials, int64_t epochs, int64_t factor) {
  std::vector<size_t> sizes;
  for (size_t left = trials; left >= 1; left /= static_cast<size_t>(factor)) {
    sizes.push_back(left);
  }
  std::vector<Rung> rungs;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const double divisor = std::pow(static_cast<double>(factor), static_cast<double>(sizes.size() - 1 - i));
    const auto budget = static_cast<int64_t>(std::llround(static_cast<double>(epochs) / divisor));
    rungs.push_back({sizes[i], std::max<int64_t>(budget, 1)});
  }
  return rungs;
}

Decision Decide(const Plan& plan, std::span<const TrialState> states) {
  auto alive = static_cast<size_t>(
      std::ranges::count_if(states, [](const TrialState& state) { return state.phase == Phase::kAlive; }));
  Decision decision;
  for (size_t rung = 0; rung < plan.rungs.size(); ++rung) {
    bool complete = alive == 0;
    for (const size_t trial : Participants(plan, states, rung)) {
      if (Has(states, trial, rung)) {
        continue;
      }
      complete = false;
      if (alive < plan.parallel) {
        decision.start.push_back({trial, rung});
        ++alive;
      }
    }
    const auto ranked = Ranked(plan, states, rung);
    if (!ranked.empty()) {
      decision.best = ranked.front();
    }
    if (!complete) {
      return decision;
    }
  }
  decision.finished = true;
  return decision;
}

json::object SearchProgress(const Plan& plan, std::span<const TrialState> states) {
  size_t total = 0;
  for (const Rung& rung : plan.rungs) {
    total += rung.trials;
  }
  const auto done = std::ranges::count_if(states, [](const TrialState& state) { return state.phase != Phase::kAlive; });
  json::object progress{{"stage", plan.strategy == Strategy::kFolds ? "folds" : "search"},
                        {"strategy", Name(plan.strategy)},
                        {"done", static_cast<int64_t>(done)},
                        {"total", static_cast<int64_t>(total)}};
  if (const auto best = Decide(plan, states).best; best.has_value() && plan.strategy != Strategy::kFolds) {
    progress["metric"] = plan.metric;
    progress["best"] = *ValueOf(plan, states[*best]);
    progress["best_settings"] = plan.trials[states[*best].trial];
  }
  return progress;
}

json::object SearchReport(const Plan& plan, std::span<const TrialState> states) {
  json::array trials;
  std::vector<bool> listed(states.size());
  const auto add = [&](size_t place) {
    const TrialState& state = states[place];
    const auto value = ValueOf(plan, state);
    listed[place] = true;
    trials.push_back({{"trial", static_cast<int64_t>(state.trial)},
                      {"rung", static_cast<int64_t>(state.rung)},
                      {"epochs", plan.rungs[state.rung].epochs},
                      {"settings", plan.trials[state.trial]},
                      {"status", StatusOf(state)},
                      {"value", value.has_value() ? json::value(*value) : json::value(nullptr)},
                      {"metrics", state.metrics}});
  };
  for (size_t rung = plan.rungs.size(); rung-- > 0;) {
    for (const size_t place : Ranked(plan, states, rung)) {
      add(place);
    }
  }
  for (size_t place = 0; place < states.size(); ++place) {
    if (!listed[place]) {
      add(place);
    }
  }
  json::object report{{"strategy", Name(plan.strategy)}, {"metric", plan.metric}};
  if (const auto best = Decide(plan, states).best; best.has_value()) {
    report["best"] = {{"trial", static_cast<int64_t>(states[*best].trial)},
                      {"settings", plan.trials[states[*best].trial]},
                      {"value", *ValueOf(plan, states[*best])}};
  }
  report["trials"] = std::move(trials);
  return report;
}

json::object FoldsReport(std::span<const TrialState> states) {
  json::object metrics;
  const json::object none;
  for (const auto& member : states.empty() ? none : states[0].metrics) {
    json::array values;
    double sum = 0;
    for (const TrialState& state : states) {
      const auto* value = state.metrics.if_contains(member.key());
      if (value != nullptr && value->is_number()) {
        values.push_back(value->to_number<double>());
        sum += value->to_number<double>();
      }
    }
    if (values.size() != states.size()) {
      continue;
    }
    const double mean = sum / static_cast<double>(values.size());
    double squares = 0;
    for (const auto& value : values) {
      squares += (value.as_double() - mean) * (value.as_double() - mean);
    }
    const double deviation = values.size() > 1 ? std::sqrt(squares / static_cast<double>(values.size() - 1)) : 0;
    metrics[member.key()] = {{"mean", mean}, {"standard_deviation", deviation}, {"values", std::move(values)}};
  }
  return {{"folds", static_cast<int64_t>(states.size())}, {"metrics", std::move(metrics)}};
}

}  // namespace atelier::learning
