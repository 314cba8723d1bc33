#include "search_jobs.h"

#include <algorithm>

#include "base/json.h"
#include "learning/search/plan.h"

namespace atelier::apps {
namespace {

using Phase = learning::TrialState::Phase;

std::vector<learning::TrialState> StatesOf(std::span<const jobs::Job> children) {
  std::vector<learning::TrialState> states;
  for (const jobs::Job& child : children) {
    const auto& trial = GetObject(child.spec, "trial");
    learning::TrialState state;
    state.trial = static_cast<size_t>(GetInt(trial, "trial"));
    state.rung = static_cast<size_t>(GetInt(trial, "rung"));
    if (child.state == jobs::State::kSucceeded) {
      state.phase = Phase::kDone;
      state.metrics = GetObject(child.result, "metrics");
    } else if (jobs::IsFinal(child.state)) {
      state.phase = Phase::kFailed;
    }
    states.push_back(std::move(state));
  }
  return states;
}

json::object ChildSpec(const json::object& spec, const learning::Plan& plan, const learning::Decision::Start& start) {
  json::object child = GetObject(spec, "train");
  const auto* all = spec.if_contains("settings");
  json::object settings;
  if (all != nullptr && all->is_array() && start.trial < all->get_array().size()) {
    settings = all->get_array()[start.trial].as_object();
  }
  const int64_t epochs = plan.rungs[start.rung].epochs;
  json::object changed = plan.trials[start.trial];
  if (epochs > 0) {
    settings["epochs"] = epochs;
    changed["epochs"] = epochs;
  }
  child["settings"] = std::move(settings);
  child["trial"] = {{"trial", static_cast<int64_t>(start.trial)}, {"rung", static_cast<int64_t>(start.rung)}};
  child["request"] = {{"family", GetString(child, "family")},
                      {"model", GetString(child, "model")},
                      {"trial", static_cast<int64_t>(start.trial)},
                      {"settings", std::move(changed)}};
  if (const auto& fold = GetObject(spec, "fold"); !fold.empty()) {
    child["fold"] = {
        {"index", static_cast<int64_t>(start.trial)}, {"count", GetInt(fold, "count")}, {"seed", GetInt(fold, "seed")}};
  }
  return child;
}

// What is the same for both: the children to start, and how it gets on.
struct Progressed {
  learning::Plan plan;
  std::vector<learning::TrialState> states;
  learning::Decision decision;
  jobs::Step step;
};

Result<Progressed> Progress(const jobs::Job& job, std::span<const jobs::Job> children) {
  Progressed progressed;
  ATELIER_ASSIGN(plan, learning::PlanFromJson(GetObject(job.spec, "plan")));
  progressed.plan = std::move(plan);
  progressed.states = StatesOf(children);
  progressed.decision = learning::Decide(progressed.plan, progressed.states);
  progressed.step.progress = learning::SearchProgress(progressed.plan, progressed.states);
  for (const auto& start : progressed.decision.start) {
    progressed.step.create.push_back({"trial", ChildSpec(job.spec, progressed.plan, start)});
  }
  return progressed;
}

// The children of a job are in order of creation, as their states.
std::string FirstFailure(std::span<const jobs::Job> children) {
  for (const jobs::Job& child : children) {
    if (child.error.has_value()) {
      return child.error->message;
    }
  }
  return "its metric is not among their metrics";
}

}  // namespace

Result<jobs::Step> AdvanceSearch(const jobs::Job& job, std::span<const jobs::Job> children) {
  ATELIER_ASSIGN(progressed, Progress(job, children));
  if (!progressed.decision.finished) {
    return std::move(progressed.step);
  }
  if (!progressed.decision.best.has_value()) {
    return FailedPrecondition("no training of the search has a score: " + FirstFailure(children), "all_trials_failed");
  }
  const json::object& best = children[*progressed.decision.best].result;
  json::object result;
  for (const char* key : {"files", "metadata", "metrics"}) {
    result[key] = GetObject(best, key);
  }
  result["search"] = learning::SearchReport(progressed.plan, progressed.states);
  progressed.step.result = std::move(result);
  return std::move(progressed.step);
}

Result<jobs::Step> AdvanceFolds(const jobs::Job& job, std::span<const jobs::Job> children) {
  for (const auto bad : {jobs::State::kFailed, jobs::State::kCancelled}) {
    const auto found = std::ranges::find(children, bad, &jobs::Job::state);
    if (found != children.end()) {
      return found->error.value_or(MakeError(Code::kCancelled, "a fold was cancelled", "cancelled"));
    }
  }
  ATELIER_ASSIGN(progressed, Progress(job, children));
  if (progressed.decision.finished) {
    progressed.step.result = learning::FoldsReport(progressed.states);
  }
  return std::move(progressed.step);
}

}  // namespace atelier::apps
