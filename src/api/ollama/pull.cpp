// POST /api/pull: fetches a model and deploys it under its name.
#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "api/handlers.h"
#include "api/ollama/fields.h"
#include "api/platform/jobs.h"
#include "base/clock.h"
#include "hub/reference.h"
#include "jobs/service.h"
#include "serving/deployments.h"

namespace atelier::api::ollama {
namespace {

constexpr int kEventsAtOnce = 200;
constexpr int64_t kLoadTimeoutNs = 600'000'000'000;

// A job's events, and then the deployment's start, as Ollama's lines.
class Follower {
 public:
  Follower(const Services& services, std::string job, std::string deployment)
      : services_(services), job_(std::move(job)), deployment_(std::move(deployment)) {}

  // Appends the lines that are new. True: that was the end, with success or with an error in them.
  Result<bool> Next(std::string& out);
  const std::string& job() const { return job_; }
  const std::optional<Error>& error() const { return error_; }

 private:
  void Put(json::object line, std::string& out);
  void Status(const std::string& text, std::string& out) { Put({{"status", text}}, out); }
  void Progress(const json::object& data, std::string& out);
  // Progress comes now and then: the last of a file may not have said that it is whole.
  void EndFile(std::string& out);
  bool Fail(Error error, std::string& out);
  bool Loaded(int64_t version, std::string& out);

  const Services& services_;
  const std::string job_;
  const std::string deployment_;
  int64_t after_ = 0;
  bool begun_ = false;
  json::object file_;  // the last line of the file that is fetched
  std::string last_;   // line, so that none comes twice
  std::optional<int64_t> loading_since_ns_;
  std::optional<Error> error_;
};

void Follower::Put(json::object line, std::string& out) {
  std::string text = json::serialize(line);
  if (text != last_) {
    out += text + "\n";
    last_ = std::move(text);
  }
}

void Follower::Progress(const json::object& data, std::string& out) {
  const std::string stage = GetString(data, "stage");
  if (stage == "download") {
    const std::string sha256 = GetString(data, "sha256");
    const std::string name = sha256.empty() ? GetString(data, "file") : sha256.substr(0, 12);
    const std::string digest = sha256.empty() ? name : "sha256:" + sha256;
    if (GetString(file_, "digest") != digest) {
      EndFile(out);
    }
    file_ = {{"status", "pulling " + name},
             {"digest", digest},
             {"total", GetInt(data, "file_total_bytes")},
             {"completed", GetInt(data, "file_done_bytes")}};
    Put(file_, out);
    return;
  }
  EndFile(out);
  if (stage == "load") {
    Status("verifying sha256 digest", out);
  } else if (stage == "store") {
    Status("writing manifest", out);
  }
}

void Follower::EndFile(std::string& out) {
  if (!file_.empty()) {
    file_["completed"] = file_["total"];
    Put(std::exchange(file_, {}), out);
  }
}

bool Follower::Fail(Error error, std::string& out) {
  Put({{"error", error.message}}, out);
  error_ = std::move(error);
  return true;
}

bool Follower::Loaded(int64_t version, std::string& out) {
  const int64_t now_ns = services_.clock.MonotonicNs();
  loading_since_ns_ = loading_since_ns_.value_or(now_ns);
  const auto status = services_.serving.GetStatus(deployment_);
  // The catalogue may be ahead of what is served.
  const bool follows =
      status.ok() && !status->deployment.versions.empty() && status->deployment.versions.front().version == version;
  if (follows && status->ready) {
    Status("success", out);
    return true;
  }
  if (follows) {
    const auto failed = std::ranges::find_if(status->workers, [](const auto& worker) {
      return worker.weight > 0 && worker.state == serving::WorkerState::kFailed;
    });
    if (failed != status->workers.end()) {
      return Fail(FailedPrecondition("the model cannot be loaded: " + failed->error, "deployment_failed"), out);
    }
  }
  return now_ns - *loading_since_ns_ > kLoadTimeoutNs &&
         Fail(MakeError(Code::kDeadlineExceeded, "the model is still loading"), out);
}

Result<bool> Follower::Next(std::string& out) {
  if (!std::exchange(begun_, true)) {
    Status("pulling manifest", out);
  }
  // The state before the events: a final one has its events among those that follow.
  ATELIER_ASSIGN(job, services_.jobs.Get(job_));
  while (true) {
    ATELIER_ASSIGN(events, services_.jobs.Events(job_, after_, kEventsAtOnce));
    for (const auto& event : events) {
      after_ = event.sequence;
      if (event.type == "progress") {
        Progress(event.data, out);
      }
    }
    if (events.size() < kEventsAtOnce) {
      break;
    }
  }
  if (!jobs::IsFinal(job.state)) {
    return false;
  }
  if (job.state != jobs::State::kSucceeded) {
    return Fail(job.error.value_or(MakeError(Code::kCancelled, "the pull was cancelled")), out);
  }
  return Loaded(GetInt(job.result, "version"), out);
}

class PullLines final : public EventSource {
 public:
  explicit PullLines(Follower follower) : follower_(std::move(follower)) {}
  Result<bool> Next(std::string& out) override {
    auto over = follower_.Next(out);
    if (!over.ok()) {  // as a line, which is what these streams are made of
      out += json::serialize(json::object{{"error", over.error().message}}) + "\n";
      return true;
    }
    return over;
  }
  const std::string& topic() const override { return follower_.job(); }
  std::string_view ping() const override { return ""; }  // a line would be taken for news

 private:
  Follower follower_;
};

class PullAnswer final : public PendingAnswer {
 public:
  explicit PullAnswer(Follower follower) : follower_(std::move(follower)) {}
  Result<std::optional<Response>> Poll() override {
    std::string lines;
    ATELIER_ASSIGN(over, follower_.Next(lines));
    if (follower_.error().has_value()) {
      return *follower_.error();
    }
    return over ? std::optional(JsonResponse({{"status", "success"}})) : std::nullopt;
  }
  const std::string& topic() const override { return follower_.job(); }

 private:
  Follower follower_;
};

// A job that does just this already, or a new one.
Result<std::string> FindOrCreate(const Services& services, json::object spec) {
  for (const char* state : {"running", "queued"}) {
    bool has_more = false;
    ATELIER_ASSIGN(jobs, services.jobs.List({.kind = "pull_model", .state = state, .limit = 100}, has_more));
    for (const auto& job : jobs) {
      const bool same = std::ranges::all_of(std::array{"source", "deploy", "hub"}, [&](const char* key) {
        const auto* theirs = job.spec.if_contains(key);
        return theirs != nullptr && *theirs == spec.at(key);
      });
      if (same) {
        return job.id;
      }
    }
  }
  ATELIER_ASSIGN(job, services.jobs.Create("pull_model", std::move(spec)));
  return job.id;
}

}  // namespace

Result<Response> Pull(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(old_name, fields.StringOr("name", ""));
  ATELIER_ASSIGN(model, fields.StringOr("model", old_name));
  ATELIER_ASSIGN(stream, fields.BoolOr("stream", true));
  if (model.empty()) {
    return InvalidArgument("'model' is missing", "model", "missing_required_parameter");
  }
  ATELIER_ASSIGN(reference, hub::ParseOllamaName(model));
  // A reference of ours has no name that could be asked for afterwards, but that of its model.
  const bool ours = hub::ParseReference(model).ok();
  const std::string local = ours ? hub::ModelNameOf(reference) : LocalName(model);
  ATELIER_ASSIGN(spec, platform::PullSpec(services, reference, {local, true}, {{"model", model}}));
  ATELIER_ASSIGN(job, FindOrCreate(services, std::move(spec)));
  Follower follower(services, std::move(job), local);
  Response response;
  if (stream) {
    response.content_type = "application/x-ndjson";
    response.events = std::make_unique<PullLines>(std::move(follower));
  } else {
    response.pending = std::make_unique<PullAnswer>(std::move(follower));
  }
  return response;
}

}  // namespace atelier::api::ollama
