#include "atelier/cli/follow.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "atelier/cli/sse.h"
#include "atelier/cli/text.h"
#include "atelier/cli/url.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

constexpr int kReconnectForS = 60;
constexpr int kSilenceS = 60;  // the server sends a comment every 15 s

std::string Named(const json::object& data, std::string_view key, std::string_view label) {
  const auto* value = data.if_contains(key);
  return value == nullptr || !value->is_number()
             ? ""
             : "  " + std::string(label) + " " + HumanNumber(value->to_number<double>());
}

std::string MetricName(const json::object& data) { return GetString(data, "metric_name", "metric"); }

std::string RateAndEta(const json::object& data) {
  std::string text;
  if (const double rate = GetNumber(data, "samples_per_s"); rate > 0) {
    text += "  " + HumanNumber(std::max(1.0, std::round(rate))) + " samples/s";
  }
  if (data.contains("eta_s")) {
    text += "  ETA " + HumanDuration(GetNumber(data, "eta_s"));
  }
  return text;
}

std::string EpochOf(const json::object& data) {
  return "epoch " + std::to_string(GetInt(data, "epoch")) + "/" + std::to_string(GetInt(data, "epochs"));
}

std::string TrainLine(const json::object& data) {
  const auto step = static_cast<double>(GetInt(data, "step"));
  const auto steps = static_cast<double>(GetInt(data, "steps"));
  return EpochOf(data) + " " + Bar(steps > 0 ? step / steps : 0, 20) + " step " + HumanNumber(step) + "/" +
         HumanNumber(steps) + Named(data, "loss", "loss") + Named(data, "metric", MetricName(data)) + RateAndEta(data);
}

std::string EpochLine(const json::object& data) {
  const std::string metric = MetricName(data);
  return EpochOf(data) + Named(data, "loss", "loss") + Named(data, "metric", metric) +
         Named(data, "validation_loss", "validation loss") + Named(data, "validation_metric", "validation " + metric) +
         Named(data, "learning_rate", "learning rate") + RateAndEta(data);
}

// Of jobs that consist of others.
std::string ChildrenLine(const json::object& data) {
  const auto done = static_cast<double>(GetInt(data, "done"));
  const auto total = static_cast<double>(GetInt(data, "total"));
  std::string text = Bar(total > 0 ? done / total : 0, 20) + " " + HumanNumber(done) + "/" + HumanNumber(total) +
                     " trainings" + Named(data, "best", "best " + GetString(data, "metric"));
  if (const auto* settings = data.if_contains("best_settings")) {
    text += "  " + json::serialize(*settings);
  }
  return text;
}

std::string CountLine(const json::object& data, const std::string& stage) {
  std::string text = stage;
  const auto done = static_cast<double>(GetInt(data, "done_bytes"));
  const auto total = static_cast<double>(GetInt(data, "total_bytes"));
  if (total > 0) {
    text += " " + Bar(done / total, 24) + " " + HumanBytes(done) + " / " + HumanBytes(total);
  }
  if (data.contains("rows")) {
    text += "  " + std::to_string(GetInt(data, "rows")) + " rows";
  }
  return text + RateAndEta(data);
}

// The state of one following, across reconnections.
class Follower {
 public:
  Follower(Api& api, std::string id, Progress& progress) : api_(api), id_(std::move(id)), progress_(progress) {}

  Result<json::object> Run() {
    auto give_up = Now() + std::chrono::seconds(kReconnectForS);
    while (true) {
      const int64_t before = after_;
      Status streamed = Stream();
      if (!streamed.ok() && !IsBroken(streamed.error())) {
        return std::move(streamed).error();
      }
      if (streamed.ok() || final_) {
        auto job = api_.Get("/v1/jobs/" + PercentEncode(id_));
        const std::string status = job.ok() ? GetString(*job, "status") : "";
        if (job.ok() && status != "queued" && status != "running") {
          return std::move(*job);
        }
        if (!job.ok() && !IsBroken(job.error())) {
          return std::move(job).error();
        }
        final_ = false;
      }
      if (after_ > before) {
        give_up = Now() + std::chrono::seconds(kReconnectForS);
      } else if (!streamed.ok() && Now() > give_up) {
        return std::move(streamed).error();
      }
      if (!streamed.ok()) {
        progress_.Update("the connection broke; trying again");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
  }

 private:
  static std::chrono::steady_clock::time_point Now() { return std::chrono::steady_clock::now(); }

  // A server that was never there is an error at once; one that went away may come back.
  bool IsBroken(const Error& error) const {
    return error.reason == "connection_failed" || (error.reason == "no_server" && connected_);
  }

  Status Stream() {
    HttpRequest request{.target = "/v1/jobs/" + PercentEncode(id_) + "/events?after=" + std::to_string(after_),
                        .accept = "text/event-stream"};
    request.read_timeout_s = kSilenceS;
    SseParser parser([this](const SseEvent& event) { OnEvent(event); });
    ATELIER_ASSIGN(response, api_.http().Send(request, [&](std::string_view bytes) -> Status {
      parser.Feed(bytes);
      return {};
    }));
    connected_ = true;
    if (response.status != 200) {
      return ErrorOfAnswer(response);
    }
    return {};
  }

  void OnEvent(const SseEvent& text) {
    connected_ = true;
    const auto value = ParseJson(text.data);
    if (!value.ok() || !value->is_object()) {
      return;
    }
    const auto& event = value->get_object();
    after_ = std::max(after_, GetInt(event, "sequence"));
    const EventLines lines = DescribeEvent(event);
    if (!lines.kept.empty()) {
      progress_.Print(lines.kept);
    }
    if (!lines.live.empty()) {
      progress_.Update(lines.live);
    }
    const auto* data = event.if_contains("data");
    if (GetString(event, "type") == "state" && data != nullptr && data->is_object()) {
      const std::string state = GetString(data->get_object(), "state");
      final_ = state == "succeeded" || state == "failed" || state == "cancelled";
    }
  }

  Api& api_;
  std::string id_;
  Progress& progress_;
  int64_t after_ = 0;
  bool final_ = false;
  bool connected_ = false;
};

}  // namespace

EventLines DescribeEvent(const json::object& event) {
  const auto* value = event.if_contains("data");
  if (value == nullptr || !value->is_object()) {
    return {};
  }
  const auto& data = value->get_object();
  const std::string type = GetString(event, "type");
  if (type == "message") {
    const std::string level = GetString(data, "level", "info");
    return {"", (level == "info" ? "" : level + ": ") + GetString(data, "message")};
  }
  if (type != "progress") {
    return {};
  }
  const std::string stage = GetString(data, "stage");
  if (stage == "train") {
    return {TrainLine(data), ""};
  }
  if (stage == "epoch") {
    return {"", EpochLine(data)};
  }
  if (stage == "search" || stage == "folds") {
    return {ChildrenLine(data), ""};
  }
  const std::string file = GetString(data, "file");
  return {CountLine(data, (stage.empty() ? "working" : stage) + (file.empty() ? "" : " " + file)), ""};
}

Result<json::object> FollowJob(Api& api, const std::string& id, Progress& progress) {
  auto job = Follower(api, id, progress).Run();
  progress.Clear();
  if (!job.ok() && job.error().reason == "interrupted") {
    return MakeError(Code::kCancelled,
                     "interrupted; the job goes on. See it again with: atelier job follow " + id +
                         "   Stop it with: atelier job cancel " + id,
                     "interrupted");
  }
  if (!job.ok() || GetString(*job, "status") == "succeeded") {
    return job;
  }
  const auto* error = job->if_contains("error");
  const std::string status = GetString(*job, "status");
  if (status == "cancelled" || error == nullptr || !error->is_object()) {
    return FailedPrecondition("the job " + id + " was " + status, "job_" + status);
  }
  return FailedPrecondition("the job " + id + " failed: " + GetString(error->get_object(), "message"),
                            GetString(error->get_object(), "code", "job_failed"));
}

}  // namespace atelier::cli
