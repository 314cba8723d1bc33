// The list of all routes, and finding one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/target.h"
#include "api/request.h"
#include "api/services.h"

namespace atelier::api {

enum class BodyKind { kNone, kJson, kForm, kJsonOrForm };
enum class BodySize { kSmall, kJson, kMedia, kPart, kFile };  // the numbers are in Limits

// A handler runs on the pool and may block. A quick handler must not: it runs on an io thread and answers, once, from
// any thread; an error that it returns is the answer, too.
using Handler = Result<Response> (*)(const Services&, Request&);
using Done = std::function<void(Result<Response>)>;
using QuickHandler = Status (*)(const Services&, Request&, Done);

struct Route {
  Method method;
  // Segments; "{name}" takes one, "{name...}" the rest.
  std::string_view pattern;
  std::string_view name;  // the label `handler` of the metrics
  Handler handler = nullptr;
  QuickHandler quick = nullptr;
  BodyKind body = BodyKind::kNone;
  BodySize size = BodySize::kSmall;
  std::string_view file_field = "";  // forms: this field's bytes go to the blob store; "": files stay in memory
};

std::span<const Route> Routes();

// Immutable after construction. Thread-safe.
class Router {
 public:
  explicit Router(std::span<const Route> routes);

  struct Match {
    const Route* route = nullptr;  // null: none for that method
    http::Pairs params;
    std::string allow;  // methods of that path, "GET, HEAD, OPTIONS"; empty: no such path
  };
  // HEAD finds the GET route.
  Match Find(Method method, const http::Target& target) const;

 private:
  struct Entry {
    const Route* route;
    std::vector<std::string_view> segments;
  };
  static bool Matches(const Entry& entry, const std::vector<std::string>& segments, http::Pairs& params);

  std::vector<Entry> entries_;
};

}  // namespace atelier::api
