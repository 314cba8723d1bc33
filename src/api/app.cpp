#include "api/app.h"

#include <algorithm>

#include "api/platform/traffic.h"
#include "base/codes.h"
#include "base/ids.h"
#include "base/log.h"
#include "jobs/service.h"

namespace atelier::api {
namespace {

constexpr std::string_view kAllMethods = "GET, HEAD, POST, PUT, DELETE, OPTIONS";

const std::vector<double>& DurationBuckets() {
  static const std::vector<double> kBuckets{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                            0.25,   0.5,   1,      2.5,   5,    10,    60};
  return kBuckets;
}
const std::vector<double>& OverheadBuckets() {
  static const std::vector<double> kBuckets{2.5e-5, 5e-5, 1e-4,   1.5e-4, 2e-4, 3e-4,
                                            5e-4,   1e-3, 2.5e-3, 5e-3,   1e-2, 1e-1};
  return kBuckets;
}

bool IsSaneId(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  });
}

std::vector<std::string> KnownHosts(const Options& options) {
  auto hosts = options.allowed_hosts;
  hosts.push_back(options.host);
  return hosts;
}

bool IsMediaType(std::string_view value, std::string_view type) {
  auto end = std::min(value.find(';'), value.size());
  while (end > 0 && (value[end - 1] == ' ' || value[end - 1] == '\t')) {
    --end;
  }
  return http::EqualIgnoringCase(value.substr(0, end), type);
}

Error Unsupported(std::string message) { return InvalidArgument(std::move(message), "", "unsupported_media_type"); }

}  // namespace

App::App(Services services, Options options)
    : services_(std::move(services)),
      options_(std::move(options)),
      router_(Routes()),
      gate_(services_.keys, services_.clock, KnownHosts(options_)),
      job_listener_(services_.jobs.Subscribe([this](const std::string& job_id) { services_.wakes->Notify(job_id); })),
      overhead_(services_.metrics.Histogram("atelier_gateway_overhead_seconds",
                                            "Time of an inference request without its worker's part", {},
                                            OverheadBuckets())),
      connections_(services_.metrics.Gauge("http_connections", "Open connections")),
      pool_(options_.pool_threads, options_.limits.pool_waiting) {
  books_.With([&](std::vector<RouteBook>& books) { books.resize(Routes().size() + 1); });
  platform::FollowRecording(services_);
}

App::~App() { services_.jobs.Unsubscribe(job_listener_); }

std::optional<Response> App::CheckMethod(const http::Head& head, Request& request) const {
  const auto method = MethodFromName(head.method);
  if (method.has_value()) {
    request.method = *method;
    return std::nullopt;
  }
  const bool known = head.method == "TRACE" || head.method == "CONNECT";
  auto response =
      ErrorResponse(known ? MakeError(Code::kUnimplemented, "this method is not allowed", "method_not_allowed")
                          : MakeError(Code::kUnimplemented, "this method is not known", "unknown_method"),
                    request);
  response.headers.emplace_back("Allow", kAllMethods);
  return response;
}

std::optional<Response> App::FindRoute(Request& request, const Route*& route) const {
  auto match = router_.Find(request.method, request.target);
  route = match.route;
  request.params = std::move(match.params);
  if (route != nullptr) {
    return std::nullopt;
  }
  if (match.allow.empty()) {
    return ErrorResponse(NotFound("there is no such route", "route_not_found"), request);
  }
  Response response;
  if (request.method == Method::kOptions) {
    response.status = 204;
  } else {
    response = ErrorResponse(MakeError(Code::kUnimplemented, "this method is not allowed here", "method_not_allowed"),
                             request);
  }
  response.headers.emplace_back("Allow", match.allow);
  return response;
}

Status App::CheckBody(const http::Head& head, Request& request, const Route& route) const {
  const auto encoding = head.Find("content-encoding");
  if (encoding.has_value() && !http::EqualIgnoringCase(*encoding, "identity")) {
    return Unsupported("compressed bodies are not taken");
  }
  const auto type = head.Find("content-type");
  if (route.body != BodyKind::kNone && head.Count("content-type") > 1) {
    return InvalidArgument("there are two Content-Type fields", "", "bad_request");
  }
  const bool form = type.has_value() && IsMediaType(*type, "multipart/form-data");
  const bool takes_form = route.body == BodyKind::kForm || route.body == BodyKind::kJsonOrForm;
  request.is_form = form && takes_form;
  if (route.body == BodyKind::kForm && !form) {
    return Unsupported("this route takes multipart/form-data");
  }
  const bool json_needed = (route.body == BodyKind::kJson || route.body == BodyKind::kJsonOrForm) && !request.is_form;
  if (json_needed && type.has_value() && !IsMediaType(*type, "application/json")) {
    return Unsupported("this route takes application/json");
  }
  if (request.is_form) {
    ATELIER_TRY(http::BoundaryOf(*type));
  }
  const uint64_t max = MaxBody(route, request);
  if (head.content_length.value_or(0) > max) {
    return MakeError(Code::kOutOfRange, "the body is larger than " + std::to_string(max) + " bytes",
                     "request_too_large");
  }
  return {};
}

uint64_t App::MaxBody(const Route& route, const Request& request) const {
  static constexpr uint64_t kFormOverhead = 2ULL << 20U;  // fields and headers of the parts
  const auto& limits = options_.limits;
  switch (route.size) {
    case BodySize::kSmall:
      return limits.small_bytes;
    case BodySize::kJson:
      return limits.json_bytes;
    case BodySize::kMedia:
      return request.is_form ? limits.media_bytes : limits.json_bytes;
    case BodySize::kPart:
      return (64ULL << 20U) + kFormOverhead;
    case BodySize::kFile:
      return limits.file_bytes + kFormOverhead;
  }
  return 0;
}

std::optional<Response> App::Admit(const http::Head& head, std::string_view local_address, Request& request,
                                   const Route*& route) {
  request.head = &head;
  const auto wanted_id = head.Find("x-request-id").value_or("");
  request.id = IsSaneId(wanted_id) ? std::string(wanted_id) : NewId("req_", services_.rng);
  if (auto refused = CheckMethod(head, request); refused.has_value()) {
    return refused;
  }
  // "*" is the whole server, which has the root's methods.
  auto target = http::ParseTarget(request.method == Method::kOptions && head.target == "*" ? "/healthz" : head.target);
  if (!target.ok()) {
    return ErrorResponse(target.error(), request);
  }
  request.target = std::move(target).value();
  const auto origin = gate_.CheckOrigin(head, request.target.authority, local_address);
  if (!origin.ok()) {
    return ErrorResponse(origin.error(), request);
  }
  const bool open = request.target.path == "/healthz" || request.target.path == "/readyz";
  if (!open) {
    auto key = gate_.Authenticate(head, request.remote);
    if (!key.ok()) {
      return ErrorResponse(key.error(), request);
    }
    request.role = key->role;
    request.key_id = std::move(key->id);
  }
  if (auto refused = FindRoute(request, route); refused.has_value()) {
    return refused;
  }
  const auto body = CheckBody(head, request, *route);
  return body.ok() ? std::nullopt : std::optional<Response>(ErrorResponse(body.error(), request));
}

Response App::Malformed(const Error& error, Request& request) const {
  request.id = NewId("req_", services_.rng);
  return ErrorResponse(error, request);
}

void App::Record(const Request& request, const Route* route, const Response& response, const Timing& timing) {
  const int64_t took_ns = services_.clock.MonotonicNs() - timing.start_ns;
  const double seconds = static_cast<double>(took_ns) * 1e-9;
  const auto routes = Routes();
  const size_t index = route == nullptr ? routes.size() : static_cast<size_t>(route - routes.data());
  const std::string_view handler = route == nullptr ? "none" : route->name;
  const std::pair<int, int> answer{static_cast<int>(request.method), response.status};
  const auto [histogram, counter] = books_.With([&](std::vector<RouteBook>& books) {
    RouteBook& book = books[index];
    if (book.seconds == nullptr) {
      book.seconds = &services_.metrics.Histogram("http_request_duration_seconds", "Time from head to last byte",
                                                  {{"handler", std::string(handler)}}, DurationBuckets());
    }
    auto& slot = book.by_answer[answer];
    if (slot == nullptr) {
      slot = &services_.metrics.Counter("http_requests_total", "Requests answered",
                                        {{"handler", std::string(handler)},
                                         {"method", std::string(Name(request.method))},
                                         {"status", std::to_string(response.status)}});
    }
    return std::pair(book.seconds, slot);
  });
  histogram->Observe(seconds);
  counter->Increment();
  if (response.worker_ns > 0) {
    overhead_.Observe(static_cast<double>(std::max<int64_t>(took_ns - timing.waiting_ns - response.worker_ns, 0)) *
                      1e-9);
  }
  const bool hot = route != nullptr && route->quick != nullptr;
  Log(hot || response.status < 400 ? LogLevel::kDebug : LogLevel::kInfo, "request",
      {{"request_id", request.id},
       {"method", Name(request.method)},
       {"path", request.target.path},
       {"status", static_cast<int64_t>(response.status)},
       {"seconds", seconds},
       {"key", request.key_id},
       {"remote", request.remote}});
}

}  // namespace atelier::api
