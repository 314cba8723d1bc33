// Services of tests: keys, jobs and serving without processes.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>

#include "access/keys.h"
#include "api/testing/fake_language.h"
#include "base/json.h"
#include "jobs/service.h"
#include "serving/deployments.h"

namespace atelier::api::test {

// "good" is an owner's key, "member" a member's.
class FakeKeys final : public access::Keys {
 public:
  Status EnsureOwner() override { return {}; }
  Result<access::Key> Authenticate(std::string_view secret) const override {
    access::Key key;
    key.id = "key_1";
    key.role = secret == "good" ? access::Role::kOwner : access::Role::kMember;
    if (secret == "good" || secret == "member") {
      return key;
    }
    return MakeError(Code::kUnauthenticated, "no", "invalid_api_key");
  }
  Result<access::CreatedKey> Create(const std::string& name, access::Role role,
                                    std::optional<int64_t> expires) override {
    return access::CreatedKey{{"key_2", name, role, "sk-", 1000, expires, {}}, "sk-atelier-secret"};
  }
  Result<std::vector<access::Key>> List() override { return std::vector<access::Key>{}; }
  Result<access::Key> Revoke(const std::string& /*id*/) override { return NotFound("no such key", "key_not_found"); }
};

// Jobs that only tests move.
class FakeJobs final : public jobs::Service {
 public:
  Result<jobs::Job> Create(std::string kind, json::object spec) override {
    std::lock_guard lock(mutex_);
    jobs::Job job;
    job.id = "job_" + std::to_string(jobs_.size() + 1);
    job.kind = std::move(kind);
    job.spec = std::move(spec);
    jobs_[job.id] = job;
    return job;
  }
  Result<jobs::Job> Get(const std::string& id) override {
    std::lock_guard lock(mutex_);
    const auto found = jobs_.find(id);
    return found == jobs_.end() ? Result<jobs::Job>(NotFound("no such job", "job_not_found")) : found->second;
  }
  Result<std::vector<jobs::Job>> List(const jobs::Filter& filter, bool& has_more) override {
    std::lock_guard lock(mutex_);
    has_more = false;
    std::vector<jobs::Job> list;
    for (const auto& [id, job] : jobs_) {
      if ((filter.kind.empty() || filter.kind == job.kind) && (filter.parent.empty() || filter.parent == job.parent)) {
        list.push_back(job);
      }
    }
    return list;
  }
  Result<std::vector<jobs::Event>> Events(const std::string& id, int64_t after, int limit) override {
    std::lock_guard lock(mutex_);
    std::vector<jobs::Event> found;
    for (const auto& event : events_[id]) {
      if (event.sequence > after && static_cast<int>(found.size()) < limit) {
        found.push_back(event);
      }
    }
    return found;
  }
  Result<jobs::Job> Cancel(const std::string& id) override { return Get(id); }
  Result<jobs::Job> Pause(const std::string& id) override { return Get(id); }
  Result<jobs::Job> Resume(const std::string& /*id*/) override { return FailedPrecondition("it runs"); }
  Result<std::string> Log(const std::string& /*id*/, size_t /*max*/) override { return std::string("a log\n"); }
  uint64_t Subscribe(std::function<void(const std::string&)> listener) override {
    std::lock_guard lock(mutex_);
    listener_ = std::move(listener);
    return 1;
  }
  void Unsubscribe(uint64_t /*token*/) override {
    std::lock_guard lock(mutex_);
    listener_ = nullptr;
  }
  void Stop() override {}

  void Change(const std::string& id, const std::function<void(jobs::Job&)>& change) {
    std::lock_guard lock(mutex_);
    change(jobs_.at(id));
  }
  // Adds an event, and the state that it brings.
  void Emit(const std::string& id, const std::string& type, json::object data, jobs::State state) {
    std::function<void(const std::string&)> listener;
    {
      std::lock_guard lock(mutex_);
      auto& events = events_[id];
      events.push_back({static_cast<int64_t>(events.size()) + 1, 1000, type, std::move(data)});
      jobs_[id].state = state;
      listener = listener_;
    }
    if (listener) {
      listener(id);
    }
  }

 private:
  std::mutex mutex_;
  std::map<std::string, jobs::Job> jobs_;
  std::map<std::string, std::vector<jobs::Event>> events_;
  std::function<void(const std::string&)> listener_;
};

// One deployment "digits" of three classes: the probabilities of a tensor are its first values. "slow" answers when
// Release is called.
class FakeServing final : public serving::Manager {
 public:
  FakeServing() {
    auto signature = std::make_shared<serving::Signature>();
    signature->family = "mlp";
    signature->task = "classification";
    signature->inputs = {{"input", "FP32", {-1, 3}}};
    signature->outputs = {{"probabilities", "FP32", {-1, 3}}};
    signature->labels = {"zero", "one \"1\"", "two"};
    signature_ = signature;
  }
  Status Reconcile() override { return {}; }
  Result<serving::DeploymentStatus> GetStatus(const std::string& name) override {
    if (name != "digits") {
      return NotFound("no such deployment", "deployment_not_found");
    }
    serving::DeploymentStatus status;
    status.deployment.id = "dep_1";
    status.deployment.name = "digits";
    status.deployment.model_name = "mnist";
    status.ready = true;
    status.workers.push_back({2, 100, serving::WorkerState::kReady, 0, "", 1, 2, 0});
    status.signature = signature_;
    return status;
  }
  std::vector<serving::DeploymentStatus> All() override {
    std::vector<serving::DeploymentStatus> all{GetStatus("digits").value()};
    if (lists_language) {
      all.push_back(all.front());
      all.back().deployment.name = language->served_by().deployment;
      all.back().signature = language->served_by().signature;
    }
    return all;
  }
  void Predict(serving::PredictRequest request, std::function<void(Result<serving::PredictAnswer>)> done) override {
    if (request.model == "slow") {
      std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(done));
      arrived_.notify_all();
      return;
    }
    if (request.model != "digits" && request.model != "mnist@2") {
      done(NotFound("no such model", "model_not_found"));
      return;
    }
    done(Answer(request.instances));
  }
  Result<std::shared_ptr<serving::LanguageModel>> Pin(const std::string& model) override {
    if (model == "chatty") {
      return std::shared_ptr<serving::LanguageModel>(language);
    }
    return NotFound("no such model as '" + model + "'", "model_not_found");
  }
  void Stop() override {}

  const std::shared_ptr<FakeLanguage> language = std::make_shared<FakeLanguage>();  // "chatty"
  bool lists_language = false;                                                      // All shows it, too

  void WaitForRequest() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return !waiting_.empty(); });
  }
  void Release() {
    std::lock_guard lock(mutex_);
    for (const auto& done : waiting_) {
      done(Answer({serving::Tensor{{3}, {0, 1, 0}}}));
    }
    waiting_.clear();
  }

 private:
  serving::PredictAnswer Answer(const std::vector<serving::Instance>& instances) const {
    serving::PredictAnswer answer;
    answer.deployment = "digits";
    answer.model_name = "mnist";
    answer.model_version = 2;
    answer.signature = signature_;
    answer.worker_ns = 1;
    for (const auto& instance : instances) {
      const auto* tensor = std::get_if<serving::Tensor>(&instance);
      const bool given = tensor != nullptr && tensor->values.size() == 3;
      answer.answers.push_back({.values = given ? tensor->values : std::vector<float>{0, 0, 1}});
    }
    return answer;
  }

  std::shared_ptr<const serving::Signature> signature_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::function<void(Result<serving::PredictAnswer>)>> waiting_;
};

}  // namespace atelier::api::test
