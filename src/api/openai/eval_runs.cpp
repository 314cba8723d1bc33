#include <utility>

#include "api/openai/eval_run.h"

namespace atelier::api::openai {
namespace {

constexpr size_t kMaxLive = 8;

}  // namespace

std::shared_ptr<EvalRuns> MakeEvalRuns() { return std::make_shared<EvalRuns>(); }

Status EvalRuns::Add(const std::string& id, std::shared_ptr<EvalRun> run) {
  return live_.With([&](Live& live) -> Status {
    if (live.closed) {
      return Unavailable("the server is stopping", "stopping");
    }
    if (live.runs.size() >= kMaxLive) {
      return MakeError(Code::kResourceExhausted, "8 runs of evals go on already", "too_many_runs");
    }
    live.runs[id] = std::move(run);
    return {};
  });
}

void EvalRuns::Remove(const std::string& id) {
  live_.With([&](Live& live) { live.runs.erase(id); });
}

std::shared_ptr<EvalRun> EvalRuns::Find(const std::string& id) {
  return live_.With([&](Live& live) {
    const auto found = live.runs.find(id);
    return found == live.runs.end() ? std::shared_ptr<EvalRun>() : found->second;
  });
}

std::vector<std::shared_ptr<EvalRun>> EvalRuns::Of(const std::string& eval) {
  return live_.With([&](Live& live) {
    std::vector<std::shared_ptr<EvalRun>> found;
    for (const auto& [id, run] : live.runs) {
      if (run->eval() == eval) {
        found.push_back(run);
      }
    }
    return found;
  });
}

void EvalRuns::Stop() {
  const auto runs = live_.With([](Live& live) {
    live.closed = true;
    return std::exchange(live.runs, {});
  });
  for (const auto& [id, run] : runs) {
    run->Abandon();
  }
}

}  // namespace atelier::api::openai
