// All deployments with their workers: follows the wishes, and decides which workers routes lead to.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "serving/deployments.h"
#include "serving/routing.h"
#include "serving/supervised_worker.h"
#include "serving/wishes.h"

namespace atelier::serving {

// Not thread-safe. Borrows `shared`.
class Fleet {
 public:
  Fleet(Supervision& shared, BatchOptions defaults) : shared_(shared), defaults_(defaults) {}

  // Workers that a wish still names go on; new ones start; those that are named no more stay in the routes until
  // every new version with traffic is ready, then drain.
  void Follow(std::vector<Wish> wishes);
  // Looks after every worker once. True when the routes have changed.
  bool Tick();
  // Ends all processes at once.
  void KillAll();

  bool empty() const { return records_.empty() && retiring_.empty(); }
  bool steady() const;  // nothing is on its way to another state
  std::vector<RoutedDeployment> Routes() const;
  std::optional<DeploymentStatus> StatusOf(const std::string& name_or_id) const;
  std::vector<DeploymentStatus> All() const;

 private:
  using WorkerPtr = std::shared_ptr<SupervisedWorker>;  // shared by what is wanted and what is routed
  struct Served {
    int weight = 0;
    WorkerPtr worker;
  };
  struct Record {
    Wish wish;
    std::vector<Served> wanted;
    std::vector<Served> routed;  // the wanted of the last time that all of them were ready
  };

  WorkerPtr FindOrCreate(const Record& record, WorkerSpec spec);
  void FollowOne(Record& record, Wish wish);
  bool Adopt(Record& record);
  // Retires the workers of `former` that the record neither wants nor routes to.
  void RetireUnused(const Record& record, const std::vector<Served>& former);
  std::vector<WorkerPtr> Workers() const;
  static void GiveAdapters(const Record& record);
  DeploymentStatus Describe(const Record& record) const;

  Supervision& shared_;
  BatchOptions defaults_;
  std::map<std::string, Record> records_;
  std::vector<WorkerPtr> retiring_;
};

}  // namespace atelier::serving
