// Health, metrics and the description of the API.
#include "api/handlers.h"
#include "base/metrics.h"
#include "data/store.h"

namespace atelier::api::system {

Result<Response> Health(const Services& /*services*/, Request& /*request*/) { return JsonResponse({{"status", "ok"}}); }

// Ready: the catalogue answers.
Result<Response> Ready(const Services& services, Request& /*request*/) {
  bool has_more = false;
  data::Page page;
  page.limit = 1;
  if (!services.datasets.List(page, has_more).ok()) {
    return Unavailable("the catalogue does not answer", "not_ready");
  }
  return JsonResponse({{"status", "ok"}});
}

Result<Response> MetricsText(const Services& services, Request& /*request*/) {
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = services.metrics.Render();
  return response;
}

Result<Response> OpenapiText(const Services& services, Request& /*request*/) {
  Response response;
  response.content_type = "application/yaml";
  response.body = services.openapi;
  return response;
}

}  // namespace atelier::api::system
