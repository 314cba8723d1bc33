// GET /v1/jobs/{id}/events: a list, or a stream that ends with the job.
#include <charconv>

#include "api/handlers.h"
#include "api/http/sse.h"
#include "api/platform/jobs.h"

namespace atelier::api::platform {
namespace {

constexpr int kEventsAtOnce = 200;
constexpr size_t kMaxReadyBytes = 256U << 10U;

class JobEventSource final : public EventSource {
 public:
  JobEventSource(jobs::Service& jobs, std::string id, int64_t after) : jobs_(jobs), id_(std::move(id)), after_(after) {}

  Result<bool> Next(std::string& out) override {
    // The state is read before the events: if it is final, its event is among those that follow. A job that was resumed
    // has final states in its past, which do not end the stream.
    ATELIER_ASSIGN(job, jobs_.Get(id_));
    while (out.size() < kMaxReadyBytes) {
      ATELIER_ASSIGN(events, jobs_.Events(id_, after_, kEventsAtOnce));
      for (const auto& event : events) {
        out += http::FormatEvent(event.sequence, event.type, json::serialize(EventObject(event)));
        after_ = event.sequence;
      }
      if (events.size() < kEventsAtOnce) {
        return jobs::IsFinal(job.state);
      }
    }
    return false;
  }
  const std::string& topic() const override { return id_; }

 private:
  jobs::Service& jobs_;
  const std::string id_;
  int64_t after_;
};

// The sequence to go on after: Last-Event-ID of a stream that reconnects, or `after`.
Result<int64_t> ParseAfter(const Request& request, bool stream) {
  const auto last = stream ? request.Header("last-event-id") : std::nullopt;
  const std::string_view text = last.has_value() ? *last : request.Query("after").value_or("0");
  int64_t after = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), after);
  if (error != std::errc() || end != text.data() + text.size() || after < 0) {
    return InvalidArgument("'after' must be the sequence number of an event", "after");
  }
  return after;
}

}  // namespace

json::object EventObject(const jobs::Event& event) {
  return {{"object", "job.event"},
          {"sequence", event.sequence},
          {"created_at", Seconds(event.at_ms)},
          {"type", event.type},
          {"data", event.data}};
}

Result<Response> JobEvents(const Services& services, Request& request) {
  const std::string& id = request.Param("id");
  const auto accept = request.Header("accept").value_or("");
  const bool stream = accept.find("text/event-stream") != std::string_view::npos;
  ATELIER_TRY(services.jobs.Get(id));
  ATELIER_ASSIGN(after, ParseAfter(request, stream));
  if (stream) {
    Response response;
    response.content_type = "text/event-stream";
    response.events = std::make_unique<JobEventSource>(services.jobs, id, after);
    return response;
  }
  int limit = kEventsAtOnce;
  if (request.Query("limit").has_value()) {
    ATELIER_ASSIGN(page, ParsePage(request));
    limit = page.limit;
  }
  ATELIER_ASSIGN(events, services.jobs.Events(id, after, limit));
  json::array items;
  for (const auto& event : events) {
    items.push_back(EventObject(event));
  }
  const bool has_more = events.size() == static_cast<size_t>(limit);
  return JsonResponse(ListObject(std::move(items), has_more));
}

}  // namespace atelier::api::platform
