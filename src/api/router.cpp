#include <algorithm>
#include <array>

#include "api/routes.h"

namespace atelier::api {
namespace {

bool IsParam(std::string_view segment) { return segment.starts_with('{'); }
bool IsRest(std::string_view segment) { return segment.ends_with("...}"); }
std::string_view ParamName(std::string_view segment) {
  return segment.substr(1, segment.size() - (IsRest(segment) ? 5 : 2));
}

std::string AllowHeader(const std::array<bool, 7>& methods) {
  std::string allow;
  for (size_t i = 0; i < methods.size(); ++i) {
    if (methods[i]) {
      allow += (allow.empty() ? "" : ", ") + std::string(Name(static_cast<Method>(i)));
    }
  }
  return allow;
}

}  // namespace

Router::Router(std::span<const Route> routes) {
  for (const auto& route : routes) {
    Entry entry{&route, {}};
    std::string_view rest = route.pattern.substr(1);
    while (!rest.empty()) {
      const auto slash = std::min(rest.find('/'), rest.size());
      entry.segments.push_back(rest.substr(0, slash));
      rest.remove_prefix(std::min(slash + 1, rest.size()));
    }
    entries_.push_back(std::move(entry));
  }
}

bool Router::Matches(const Entry& entry, const std::vector<std::string>& segments, http::Pairs& params) {
  const bool rest = !entry.segments.empty() && IsRest(entry.segments.back());
  if (rest ? segments.size() < entry.segments.size() : segments.size() != entry.segments.size()) {
    return false;
  }
  for (size_t i = 0; i < entry.segments.size(); ++i) {
    if (!IsParam(entry.segments[i]) && entry.segments[i] != segments[i]) {
      return false;
    }
  }
  params.clear();
  for (size_t i = 0; i < entry.segments.size(); ++i) {
    if (!IsParam(entry.segments[i])) {
      continue;
    }
    std::string value = segments[i];
    for (size_t j = i + 1; IsRest(entry.segments[i]) && j < segments.size(); ++j) {
      value += "/" + segments[j];
    }
    params.emplace_back(ParamName(entry.segments[i]), std::move(value));
  }
  return true;
}

Router::Match Router::Find(Method method, const http::Target& target) const {
  Match match;
  if (target.ambiguous) {
    return match;
  }
  const Method wanted = method == Method::kHead ? Method::kGet : method;
  std::array<bool, 7> allowed{};
  http::Pairs params;
  for (const auto& entry : entries_) {
    if (!Matches(entry, target.segments, params)) {
      continue;
    }
    if (entry.route->method == wanted) {
      match.route = entry.route;
      match.params = std::move(params);
      return match;
    }
    allowed.at(static_cast<size_t>(entry.route->method)) = true;
    allowed[static_cast<size_t>(Method::kHead)] |= entry.route->method == Method::kGet;
    allowed[static_cast<size_t>(Method::kOptions)] = true;
  }
  match.allow = AllowHeader(allowed);
  return match;
}

}  // namespace atelier::api
