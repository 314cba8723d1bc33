#include "serving/fleet.h"

#include <algorithm>
#include <utility>

#include "serving/model_folder.h"

namespace atelier::serving {
namespace {

std::string DraftName(const WorkerSpec& spec) { return spec.draft ? ModelFolderName(*spec.draft) : ""; }

bool SameWorker(const WorkerSpec& a, const WorkerSpec& b) {
  return a.batch == b.batch && a.generative == b.generative && ModelFolderName(a.model) == ModelFolderName(b.model) &&
         DraftName(a) == DraftName(b);
}

template <class List>
bool Holds(const List& list, const SupervisedWorker* worker) {
  return std::any_of(list.begin(), list.end(), [&](const auto& served) { return served.worker.get() == worker; });
}

template <class List>
bool AnyReady(const List& list) {
  return std::any_of(list.begin(), list.end(), [](const auto& served) { return served.worker->ready(); });
}

template <class List>
bool TrafficReady(const List& list) {
  return std::all_of(list.begin(), list.end(),
                     [](const auto& served) { return served.weight <= 0 || served.worker->ready(); });
}

template <class List>
bool EverReady(const List& list) {
  return std::any_of(list.begin(), list.end(),
                     [](const auto& served) { return served.worker->signature() != nullptr; });
}

// What one worker more makes of the adapters' states.
void Join(std::vector<AdapterStatus> from, std::vector<AdapterStatus>& to) {
  for (size_t i = 0; i < from.size(); ++i) {
    if (i == to.size()) {
      to.push_back(std::move(from[i]));
    } else if (to[i].state == WorkerState::kReady || from[i].state == WorkerState::kFailed) {
      to[i] = std::move(from[i]);
    }
  }
}

}  // namespace

Fleet::WorkerPtr Fleet::FindOrCreate(const Record& record, WorkerSpec spec) {
  for (const auto* list : {&record.wanted, &record.routed}) {
    for (const Served& served : *list) {
      if (SameWorker(served.worker->spec(), spec)) {
        return served.worker;
      }
    }
  }
  return std::make_shared<SupervisedWorker>(std::move(spec), shared_);
}

void Fleet::FollowOne(Record& record, Wish wish) {
  std::vector<Served> wanted;
  const BatchOptions batch = BatchOptionsOf(wish.deployment.settings, defaults_);
  const GenerativeOptions generative = GenerativeOptionsOf(wish.deployment.settings);
  for (size_t i = 0; i < wish.versions.size(); ++i) {
    WorkerPtr worker = FindOrCreate(record, {wish.deployment.name, wish.versions[i], batch, generative, wish.draft});
    wanted.push_back({wish.deployment.versions[i].weight, std::move(worker)});
  }
  const std::vector<Served> former = std::exchange(record.wanted, std::move(wanted));
  record.wish = std::move(wish);
  if (record.routed.empty()) {
    record.routed = record.wanted;
  }
  RetireUnused(record, former);
  GiveAdapters(record);
}

// To all workers of the wish's model, also those that are on their way out.
void Fleet::GiveAdapters(const Record& record) {
  std::vector<WishedAdapter> adapters;
  for (size_t i = 0; i < record.wish.adapters.size(); ++i) {
    adapters.push_back({record.wish.deployment.adapters[i].name, record.wish.adapters[i]});
  }
  for (const auto* list : {&record.wanted, &record.routed}) {
    for (const Served& served : *list) {
      if (served.worker->spec().model.model_name == record.wish.deployment.model_name) {
        served.worker->WantAdapters(adapters);
      }
    }
  }
}

void Fleet::Follow(std::vector<Wish> wishes) {
  std::map<std::string, Record> former = std::exchange(records_, {});
  for (Wish& wish : wishes) {
    auto node = former.extract(wish.deployment.name);
    Record& record = records_[wish.deployment.name];
    if (!node.empty()) {
      record = std::move(node.mapped());
    }
    FollowOne(record, std::move(wish));
  }
  for (const auto& [name, record] : former) {
    RetireUnused({}, record.wanted);
    RetireUnused({}, record.routed);
  }
}

void Fleet::RetireUnused(const Record& record, const std::vector<Served>& former) {
  for (const Served& served : former) {
    const bool used = Holds(record.wanted, served.worker.get()) || Holds(record.routed, served.worker.get());
    const bool known = std::find(retiring_.begin(), retiring_.end(), served.worker) != retiring_.end();
    if (!used && !known) {
      served.worker->Unwant();
      retiring_.push_back(served.worker);
    }
  }
}

// The new versions take over when all are ready; or when the old ones cannot serve: none is ready, and either a new
// one is, or no old one ever was.
bool Fleet::Adopt(Record& record) {
  const auto same = [](const Served& a, const Served& b) { return a.weight == b.weight && a.worker == b.worker; };
  if (std::equal(record.routed.begin(), record.routed.end(), record.wanted.begin(), record.wanted.end(), same)) {
    return false;
  }
  const bool old_is_out = !AnyReady(record.routed) && (AnyReady(record.wanted) || !EverReady(record.routed));
  if (!TrafficReady(record.wanted) && !old_is_out) {
    return false;
  }
  const std::vector<Served> former = std::exchange(record.routed, record.wanted);
  RetireUnused(record, former);
  return true;
}

std::vector<Fleet::WorkerPtr> Fleet::Workers() const {
  std::vector<WorkerPtr> out = retiring_;
  for (const auto& [name, record] : records_) {
    for (const Served& served : record.wanted) {
      out.push_back(served.worker);
    }
    for (const Served& served : record.routed) {
      if (!Holds(record.wanted, served.worker.get())) {
        out.push_back(served.worker);
      }
    }
  }
  return out;
}

bool Fleet::Tick() {
  bool changed = false;
  for (const WorkerPtr& worker : Workers()) {
    changed = worker->Tick() || changed;
  }
  for (auto& [name, record] : records_) {
    changed = Adopt(record) || changed;
  }
  std::erase_if(retiring_, [](const WorkerPtr& worker) { return worker->gone(); });
  return changed;
}

void Fleet::KillAll() {
  for (const WorkerPtr& worker : Workers()) {
    worker->KillNow();
  }
  records_.clear();
  retiring_.clear();
}

bool Fleet::steady() const {
  const auto workers = Workers();
  return std::all_of(workers.begin(), workers.end(), [](const WorkerPtr& worker) { return worker->steady(); });
}

std::vector<RoutedDeployment> Fleet::Routes() const {
  std::vector<RoutedDeployment> out;
  for (const auto& [name, record] : records_) {
    if (record.routed.empty()) {
      continue;
    }
    RoutedDeployment routed;
    routed.name = name;
    routed.model_name = record.routed.front().worker->spec().model.model_name;
    for (const Served& served : record.routed) {
      routed.entries.push_back({served.worker->spec().model.version, served.weight, served.worker->lease()});
    }
    // While the deployment moves to another model, that model's names lead nowhere yet.
    if (routed.model_name == record.wish.deployment.model_name) {
      routed.aliases = record.wish.aliases;
      routed.latest_version = record.wish.latest_version;
      for (const auto& adapter : record.wish.deployment.adapters) {
        routed.adapters.push_back(adapter.name);
      }
      for (const Served& served : record.wanted) {
        if (!Holds(record.routed, served.worker.get())) {
          routed.entries.push_back({served.worker->spec().model.version, 0, served.worker->lease()});
        }
      }
    }
    out.push_back(std::move(routed));
  }
  return out;
}

DeploymentStatus Fleet::Describe(const Record& record) const {
  DeploymentStatus out;
  out.deployment = record.wish.deployment;
  out.ready = !record.wanted.empty() && TrafficReady(record.wanted);
  const auto add = [&](const SupervisedWorker& worker, int weight) {
    out.workers.push_back(worker.Status(weight));
    if (out.signature == nullptr) {
      out.signature = worker.signature();
    }
  };
  for (const Served& served : record.wanted) {
    add(*served.worker, served.weight);
    Join(served.worker->Adapters(), out.adapters);
  }
  for (const Served& served : record.routed) {
    if (!Holds(record.wanted, served.worker.get())) {
      add(*served.worker, 0);
    }
  }
  for (const WorkerPtr& worker : retiring_) {
    if (worker->spec().deployment == out.deployment.name) {
      out.workers.push_back(worker->Status(0));
    }
  }
  return out;
}

std::optional<DeploymentStatus> Fleet::StatusOf(const std::string& name_or_id) const {
  for (const auto& [name, record] : records_) {
    if (name == name_or_id || record.wish.deployment.id == name_or_id) {
      return Describe(record);
    }
  }
  return std::nullopt;
}

std::vector<DeploymentStatus> Fleet::All() const {
  std::vector<DeploymentStatus> out;
  for (const auto& [name, record] : records_) {
    out.push_back(Describe(record));
  }
  return out;
}

}  // namespace atelier::serving
