// /v1/fine_tuning/jobs
#include "api/openai/fine_tuning.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "api/handlers.h"
#include "base/clock.h"

namespace atelier::api::openai {
namespace {

constexpr int kJobsAtOnce = 100;

Response Shown(const Services& services, const TuningJob& tuning) {
  return JsonResponse(TuningObject(tuning, services.clock.UnixMs()));
}

// Pairs of the query, as in metadata[team]=red.
json::object WantedMetadata(const Request& request) {
  json::object wanted;
  for (const auto& [name, value] : request.target.query) {
    if (name.starts_with("metadata[") && name.ends_with("]")) {
      wanted[name.substr(9, name.size() - 10)] = value;
    }
  }
  return wanted;
}

bool Has(const jobs::Job& job, const json::object& wanted) {
  const json::object& metadata = job.spec.at("tuning").at("metadata").as_object();
  return std::ranges::all_of(wanted, [&](const auto& pair) {
    const json::value* value = metadata.if_contains(pair.key());
    return value != nullptr && *value == pair.value();
  });
}

// OpenAI's lists of fine-tuning have no ids beside them.
json::object TuningList(json::array data, bool has_more) {
  return {{"object", "list"}, {"data", std::move(data)}, {"has_more", has_more}};
}

// The job, when its training is gone or it was resumed meanwhile.
class PauseAnswer final : public PendingAnswer {
 public:
  PauseAnswer(const Services& services, std::string job) : services_(services), job_(std::move(job)) {}

  Result<std::optional<Response>> Poll() override {
    ATELIER_ASSIGN(tuning, FindTuningJob(services_, job_));
    if (tuning.job.paused && !jobs::IsFinal(tuning.job.state)) {
      return std::optional<Response>();
    }
    return std::optional(Shown(services_, tuning));
  }
  const std::string& topic() const override { return job_; }

 private:
  const Services& services_;
  std::string job_;
};

}  // namespace

Result<Response> CreateFineTuning(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  ATELIER_ASSIGN(spec, FineTuneSpec(services, body));
  ATELIER_ASSIGN(job, services.jobs.Create(kFineTuneKind, std::move(spec)));
  return Shown(services, {std::move(job)});
}

Result<Response> ListFineTunings(const Services& services, Request& request) {
  ATELIER_ASSIGN(page, ParsePage(request));
  const json::object wanted = WantedMetadata(request);
  jobs::Filter filter;
  filter.kind = kFineTuneKind;
  filter.after = page.after;
  filter.limit = kJobsAtOnce;
  json::array data;
  for (bool more = true; more;) {
    ATELIER_ASSIGN(found, services.jobs.List(filter, more));
    for (jobs::Job& job : found) {
      filter.after = job.id;
      if (!Has(job, wanted)) {
        continue;
      }
      if (std::ssize(data) == page.limit) {
        return JsonResponse(TuningList(std::move(data), true));
      }
      ATELIER_ASSIGN(tuning, WithParts(services, std::move(job)));
      data.push_back(TuningObject(tuning, services.clock.UnixMs()));
    }
  }
  return JsonResponse(TuningList(std::move(data), false));
}

Result<Response> GetFineTuning(const Services& services, Request& request) {
  ATELIER_ASSIGN(tuning, FindTuningJob(services, request.Param("id")));
  return Shown(services, tuning);
}

Result<Response> CancelFineTuning(const Services& services, Request& request) {
  ATELIER_ASSIGN(tuning, FindTuningJob(services, request.Param("id")));
  ATELIER_TRY(services.jobs.Cancel(tuning.job.id));
  return GetFineTuning(services, request);
}

// Answers when the training has written its checkpoint and is gone, so that it can be resumed at once.
Result<Response> PauseFineTuning(const Services& services, Request& request) {
  ATELIER_ASSIGN(tuning, FindTuningJob(services, request.Param("id")));
  ATELIER_TRY(services.jobs.Pause(tuning.job.id));
  Response response;
  response.pending = std::make_unique<PauseAnswer>(services, tuning.job.id);
  return response;
}

Result<Response> ResumeFineTuning(const Services& services, Request& request) {
  ATELIER_ASSIGN(tuning, FindTuningJob(services, request.Param("id")));
  if (!tuning.job.paused) {
    return FailedPrecondition("the fine-tuning job is not paused", "job_not_paused");
  }
  ATELIER_TRY(services.jobs.Resume(tuning.job.id));
  return GetFineTuning(services, request);
}

Result<Response> FineTuningEvents(const Services& services, Request& request) {
  ATELIER_ASSIGN(page, ParsePage(request));
  ATELIER_ASSIGN(tuning, FindTuningJob(services, request.Param("id")));
  ATELIER_ASSIGN(events, TuningEvents(services, tuning));
  auto from = events.begin();
  if (!page.after.empty()) {
    from = std::ranges::find_if(events, [&](const auto& event) { return GetString(event, "id") == page.after; });
    if (from == events.end()) {
      return InvalidArgument("no event has that id", "after");
    }
    ++from;
  }
  const auto left = std::distance(from, events.end());
  const auto count = std::min<std::ptrdiff_t>(left, page.limit);
  return JsonResponse(TuningList(json::array(from, from + count), left > count));
}

Result<Response> FineTuningCheckpoints(const Services& services, Request& request) {
  ATELIER_ASSIGN(page, ParsePage(request));
  ATELIER_ASSIGN(tuning, FindTuningJob(services, request.Param("id")));
  auto list = ListObject(page.after.empty() ? TuningCheckpoints(tuning) : json::array(), false);
  return JsonResponse(list);
}

}  // namespace atelier::api::openai
