#include <utility>

#include "api/http/contained.h"
#include "api/openai/eval_run.h"
#include "base/log.h"

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

void EvalRuns::Post(std::function<void()> work) {
  const auto contained = [work = std::move(work)] {
    const Status done = http::Contained([&]() -> Status {
      work();
      return {};
    });
    if (!done.ok()) {
      LogError("an eval's run broke", {{"error", done.error().message}});
    }
  };
  grading_.Run(contained, true);
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
