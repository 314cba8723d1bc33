#include "jobs/service.h"

#include <map>
#include <mutex>

#include "base/ids.h"
#include "jobs/folder.h"
#include "jobs/listeners.h"
#include "jobs/log_file.h"
#include "jobs/store.h"
#include "jobs/supervisor.h"

namespace atelier::jobs {
namespace {

class QueueService final : public Service {
 public:
  QueueService(storage::Catalogue& catalogue, Clock& clock, Rng& rng, std::map<std::string, Kind> kinds,
               Options options)
      : rng_(rng),
        kinds_(std::move(kinds)),
        options_(std::move(options)),
        store_(catalogue, clock),
        supervisor_({store_, clock, listeners_, [this] { return NextId(); }}, kinds_, options_) {}

  Status Begin() {
    ATELIER_TRY(store_.Recover());
    return supervisor_.Start();
  }

  Result<Job> Create(std::string kind, boost::json::object spec) override {
    if (!kinds_.contains(kind)) {
      return InvalidArgument("there is no job kind '" + EscapeControls(kind.substr(0, 80)) + "'", "kind");
    }
    ATELIER_ASSIGN(job, store_.Create(NextId(), std::move(kind), std::move(spec), options_.limits.queued));
    supervisor_.Changed(job.id);
    return job;
  }

  Result<Job> Get(const std::string& id) override { return store_.Get(id); }
  Result<std::vector<Job>> List(const Filter& filter, bool& has_more) override { return store_.List(filter, has_more); }
  Result<std::vector<Event>> Events(const std::string& id, int64_t after, int limit) override {
    return store_.Events(id, after, limit);
  }

  Result<Job> Cancel(const std::string& id) override { return End(id, false); }
  Result<Job> Pause(const std::string& id) override { return End(id, true); }

  Result<Job> Resume(const std::string& id) override {
    ATELIER_ASSIGN(job, store_.Resume(id, options_.limits.queued));
    supervisor_.Changed(id);
    return job;
  }

  Result<std::string> Log(const std::string& id, size_t max_bytes) override {
    ATELIER_ASSIGN(job, store_.Get(id));  // also keeps strange ids from becoming paths
    return ReadLogTail(JobFolder(options_.data_dir, job.id) / "log.txt", max_bytes);
  }

  uint64_t Subscribe(std::function<void(const std::string& job_id)> listener) override {
    return listeners_.Add(std::move(listener));
  }
  void Unsubscribe(uint64_t token) override { listeners_.Remove(token); }
  void Stop() override { supervisor_.Stop(); }

 private:
  Result<Job> End(const std::string& id, bool pause) {
    ATELIER_ASSIGN(job, store_.Cancel(id, pause));
    if (job.state == State::kRunning) {
      supervisor_.RequestCancel(id);
    } else {
      supervisor_.Changed(id);
    }
    return job;
  }

  std::string NextId() {
    const std::lock_guard lock(rng_mutex_);  // not every Rng is thread-safe
    return NewId("job_", rng_);
  }

  std::mutex rng_mutex_;
  Rng& rng_;
  std::map<std::string, Kind> kinds_;
  Options options_;
  Store store_;
  Listeners listeners_;
  Supervisor supervisor_;  // last: its thread uses all of the above
};

Result<std::map<std::string, Kind>> ByName(std::vector<Kind> kinds) {
  std::map<std::string, Kind> by_name;
  for (Kind& kind : kinds) {
    const std::string name = kind.name;
    if (name.empty() || (!kind.program && !kind.advance) || !by_name.emplace(name, std::move(kind)).second) {
      return Internal("the job kinds are not distinct and complete: '" + name + "'");
    }
  }
  return by_name;
}

}  // namespace

Result<std::unique_ptr<Service>> Service::Start(storage::Catalogue& catalogue, Clock& clock, Rng& rng,
                                                std::vector<Kind> kinds, Options options) {
  ATELIER_ASSIGN(by_name, ByName(std::move(kinds)));
  options.data_dir = std::filesystem::absolute(options.data_dir);
  auto service = std::make_unique<QueueService>(catalogue, clock, rng, std::move(by_name), std::move(options));
  ATELIER_TRY(service->Begin());
  return std::unique_ptr<Service>(std::move(service));
}

}  // namespace atelier::jobs
