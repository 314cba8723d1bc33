#include "api/text/run.h"

#include <mutex>
#include <optional>
#include <utility>

#include "api/http/sse.h"
#include "api/wakes.h"
#include "base/ids.h"

namespace atelier::api::text {
namespace {

using Deltas = std::vector<engine::GenerationDelta>;
using Usages = std::vector<engine::GenerationUsage>;

// The generations of one request. Thread-safe. Its sinks own it, so it lives until the last of them has ended.
class Run : public std::enable_shared_from_this<Run> {
 public:
  virtual ~Run() = default;
  void Start(Work work);
  // Any number of times, from any thread.
  void Cancel();

 protected:
  // Of one prompt in order, of several at once.
  virtual void OnDeltas(size_t prompt, Deltas deltas) = 0;
  // Once, when all have ended; with the first error.
  virtual void OnEnd(Status status, Usages usages) = 0;

 private:
  class Sink final : public engine::GenerationSink {
   public:
    Sink(std::shared_ptr<Run> run, size_t prompt) : run_(std::move(run)), prompt_(prompt) {}
    void OnDeltas(Deltas deltas) override { run_->OnDeltas(prompt_, std::move(deltas)); }
    void OnDone(Status status, const engine::GenerationUsage& usage) override {
      run_->End(prompt_, std::move(status), usage);
    }

   private:
    const std::shared_ptr<Run> run_;
    const size_t prompt_;
  };

  void End(size_t prompt, Status status, const engine::GenerationUsage& usage);

  std::mutex mutex_;
  bool cancelled_ = false;
  size_t left_ = 0;  // generations that have not ended
  std::optional<Error> error_;
  Usages usages_;
  std::vector<std::function<void()>> cancels_;
};

void Run::Start(Work work) {
  {
    std::lock_guard lock(mutex_);
    left_ = work.requests.size();
    usages_.resize(left_);
  }
  for (size_t i = 0; i < work.requests.size(); ++i) {
    auto cancel =
        work.model->Generate(std::move(work.requests[i]), std::make_shared<Sink>(shared_from_this(), i), std::nullopt);
    bool now = false;
    {
      std::lock_guard lock(mutex_);
      now = cancelled_;
      if (left_ > 0 && !now) {
        cancels_.push_back(cancel);
      }
    }
    if (now) {
      cancel();
    }
  }
}

void Run::Cancel() {
  std::vector<std::function<void()>> cancels;
  {
    std::lock_guard lock(mutex_);
    cancelled_ = true;
    cancels.swap(cancels_);
  }
  for (const auto& cancel : cancels) {
    cancel();
  }
}

void Run::End(size_t prompt, Status status, const engine::GenerationUsage& usage) {
  bool failed = false;
  bool last = false;
  Usages usages;
  Status outcome;
  std::vector<std::function<void()>> cancels;  // they may own sinks, which own this: let go of them at the end
  {
    std::lock_guard lock(mutex_);
    usages_[prompt] = usage;
    last = --left_ == 0;
    if (!status.ok() && !error_.has_value()) {
      failed = true;
      error_ = std::move(status).error();
    }
    if (last) {
      usages = std::move(usages_);
      outcome = error_.has_value() ? Status(std::move(*error_)) : Status();
      cancels.swap(cancels_);
    }
  }
  if (last) {
    OnEnd(std::move(outcome), std::move(usages));
  } else if (failed) {
    Cancel();
  }
}

class WholeRun final : public Run {
 public:
  WholeRun(const Work& work, std::function<Result<Response>(std::vector<Answer>)> make, Done done)
      : make_(std::move(make)), done_(std::move(done)) {
    for (const auto& request : work.requests) {
      answers_.emplace_back().choices.resize(static_cast<size_t>(request.choices));
    }
  }

 protected:
  void OnDeltas(size_t prompt, Deltas deltas) override {
    std::lock_guard lock(mutex_);
    for (auto& delta : deltas) {
      Add(std::move(delta), answers_[prompt]);
    }
  }
  void OnEnd(Status status, Usages usages) override {
    if (!status.ok()) {
      done_(std::move(status).error());
      return;
    }
    std::vector<Answer> answers;
    {
      std::lock_guard lock(mutex_);
      answers = std::move(answers_);
    }
    for (size_t i = 0; i < answers.size(); ++i) {
      answers[i].usage = usages[i];
    }
    done_(make_(std::move(answers)));
  }

 private:
  const std::function<Result<Response>(std::vector<Answer>)> make_;
  const Done done_;
  std::mutex mutex_;
  std::vector<Answer> answers_;
};

// Keeps events until the connection fetches them.
class StreamRun final : public Run {
 public:
  struct Event {
    size_t prompt;
    Deltas deltas;
  };
  struct Ready {
    std::vector<Event> events;
    std::optional<std::pair<Status, Usages>> end;
  };

  StreamRun(std::shared_ptr<Wakes> wakes, std::string topic) : wakes_(std::move(wakes)), topic_(std::move(topic)) {}

  // Called once: with true when there is something to write, with an error where the end came first.
  std::function<void(Status)> begin;

  Ready Take() {
    std::lock_guard lock(mutex_);
    return std::exchange(ready_, {});
  }
  const std::string& topic() const { return topic_; }

 protected:
  void OnDeltas(size_t prompt, Deltas deltas) override {
    const bool first = Keep([&](Ready& ready) { ready.events.push_back({prompt, std::move(deltas)}); });
    Tell(first, {});
  }
  void OnEnd(Status status, Usages usages) override {
    Status early = status;
    const bool first = Keep([&](Ready& ready) { ready.end.emplace(std::move(status), std::move(usages)); });
    Tell(first, std::move(early));
  }

 private:
  // True for the first event.
  template <class Change>
  bool Keep(const Change& change) {
    std::lock_guard lock(mutex_);
    change(ready_);
    return !std::exchange(begun_, true);
  }
  void Tell(bool first, Status status) {
    if (first) {
      std::exchange(begin, nullptr)(std::move(status));
    } else {
      wakes_->Notify(topic_);
    }
  }

  const std::shared_ptr<Wakes> wakes_;
  const std::string topic_;
  std::mutex mutex_;
  bool begun_ = false;
  Ready ready_;
};

class StreamSource final : public EventSource {
 public:
  StreamSource(std::shared_ptr<StreamRun> run, std::unique_ptr<StreamWriter> writer)
      : run_(std::move(run)), writer_(std::move(writer)) {}
  ~StreamSource() override { run_->Cancel(); }
  StreamSource(const StreamSource&) = delete;
  StreamSource& operator=(const StreamSource&) = delete;

  Result<bool> Next(std::string& out) override {
    auto ready = run_->Take();
    for (auto& event : ready.events) {
      for (auto& delta : event.deltas) {
        writer_->Write(event.prompt, std::move(delta), out);
      }
    }
    if (ready.end.has_value()) {
      writer_->End(ready.end->first, ready.end->second, out);
    }
    return ready.end.has_value();
  }
  const std::string& topic() const override { return run_->topic(); }
  std::string_view ping() const override { return writer_->ping(); }
  bool ends() const override { return true; }

 private:
  const std::shared_ptr<StreamRun> run_;
  const std::unique_ptr<StreamWriter> writer_;
};

// The client may go away before there is an answer.
void CancelWhenAbandoned(Request& request, const std::shared_ptr<Run>& run) {
  request.abandoned = [weak = std::weak_ptr(run)] {
    if (const auto alive = weak.lock(); alive != nullptr) {
      alive->Cancel();
    }
  };
}

// Each key has its own share of a model's time.
void SetProject(const Request& request, Work& work) {
  for (engine::GenerationRequest& one : work.requests) {
    one.project = request.key_id;
  }
}

}  // namespace

std::string_view StreamWriter::ping() const { return http::kPing; }

void RunWhole(Request& request, Work work, std::function<Result<Response>(std::vector<Answer>)> make, Done done) {
  SetProject(request, work);
  const auto run = std::make_shared<WholeRun>(work, std::move(make), std::move(done));
  CancelWhenAbandoned(request, run);
  run->Start(std::move(work));
}

void RunStream(const Services& services, Request& request, Work work, std::unique_ptr<StreamWriter> writer, Done done) {
  SetProject(request, work);
  const auto run = std::make_shared<StreamRun>(services.wakes, NewId("stream_", services.rng));
  // std::function wants copies.
  const auto kept = std::make_shared<std::unique_ptr<StreamWriter>>(std::move(writer));
  run->begin = [weak = std::weak_ptr(run), kept, done = std::move(done)](Status status) {
    const auto self = weak.lock();
    if (!status.ok() || self == nullptr) {
      done(status.ok() ? Internal("a stream ended before it began") : std::move(status).error());
      return;
    }
    Response response;
    response.content_type = (*kept)->content_type();
    response.events = std::make_unique<StreamSource>(self, std::move(*kept));
    done(std::move(response));
  };
  CancelWhenAbandoned(request, run);
  run->Start(std::move(work));
}

}  // namespace atelier::api::text
