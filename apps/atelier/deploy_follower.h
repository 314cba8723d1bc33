// Workers for what a job's success deploys.
#pragma once

#include <cstdint>
#include <semaphore>
#include <set>
#include <string>
#include <thread>

#include "base/guarded.h"
#include "jobs/service.h"
#include "serving/deployments.h"

namespace atelier::apps {

// From its construction to its end, lets serving follow the catalogue when a job that deploys has succeeded. Borrows
// both.
class DeployFollower {
 public:
  DeployFollower(jobs::Service& jobs, serving::Manager& serving);
  ~DeployFollower();
  DeployFollower(const DeployFollower&) = delete;
  DeployFollower& operator=(const DeployFollower&) = delete;

 private:
  void Run();

  struct News {
    std::set<std::string> jobs;
    bool stopping = false;
  };
  jobs::Service& jobs_;
  serving::Manager& serving_;
  Guarded<News> news_;
  std::counting_semaphore<> wake_{0};
  uint64_t token_;
  std::thread thread_;  // last: uses what is above
};

}  // namespace atelier::apps
