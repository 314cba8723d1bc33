#include "deploy_follower.h"

#include <utility>

#include "base/json.h"
#include "base/log.h"

namespace atelier::apps {

DeployFollower::DeployFollower(jobs::Service& jobs, serving::Manager& serving)
    : jobs_(jobs),
      serving_(serving),
      token_(jobs.Subscribe([this](const std::string& id) {
        news_.With([&](News& news) { news.jobs.insert(id); });
        wake_.release();
      })),
      thread_([this] { Run(); }) {}

DeployFollower::~DeployFollower() {
  jobs_.Unsubscribe(token_);
  news_.With([](News& news) { news.stopping = true; });
  wake_.release();
  thread_.join();
}

void DeployFollower::Run() {
  while (true) {
    wake_.acquire();
    News news;
    news_.With([&](News& shared) {
      news.stopping = shared.stopping;
      news.jobs.swap(shared.jobs);
    });
    if (news.stopping) {
      return;
    }
    for (const std::string& id : news.jobs) {
      const auto job = jobs_.Get(id);
      if (!job.ok() || job->state != jobs::State::kSucceeded || !job->result.contains("deployment")) {
        continue;
      }
      if (const Status status = serving_.Reconcile(); !status.ok()) {
        LogError("deployments do not follow the catalogue yet", {{"job", id}, {"error", status.error().message}});
      }
    }
  }
}

}  // namespace atelier::apps
