#include "api/http/target.h"

#include "api/http/head.h"
#include "base/ids.h"

namespace atelier::api::http {
namespace {

Error Bad(std::string message) { return InvalidArgument(std::move(message), "", "bad_request"); }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool IsAmbiguous(std::string_view segment) {
  return segment.empty() || segment == "." || segment == ".." || segment.find('\\') != std::string_view::npos;
}

Status SplitPath(std::string_view path, Target& target) {
  target.path = path;
  path.remove_prefix(1);
  if (path.empty()) {
    return {};
  }
  while (true) {
    const auto slash = path.find('/');
    ATELIER_ASSIGN(segment, PercentDecode(path.substr(0, slash), false));
    target.ambiguous = target.ambiguous || IsAmbiguous(segment);
    target.segments.push_back(std::move(segment));
    if (slash == std::string_view::npos) {
      return {};
    }
    path.remove_prefix(slash + 1);
  }
}

Status SplitQuery(std::string_view query, Target& target) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const std::string_view item = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (item.empty()) {
      continue;
    }
    const auto equals = item.find('=');
    ATELIER_ASSIGN(name, PercentDecode(item.substr(0, equals), true));
    ATELIER_ASSIGN(value, PercentDecode(equals == std::string_view::npos ? "" : item.substr(equals + 1), true));
    if (target.Query(name).has_value()) {
      return InvalidArgument("the query parameter '" + name + "' is given twice", name);
    }
    target.query.emplace_back(std::move(name), std::move(value));
  }
  return {};
}

}  // namespace

std::optional<std::string_view> Target::Query(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) {
      return value;
    }
  }
  return std::nullopt;
}

Result<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return Bad("the request target has a malformed percent escape");
      }
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return Bad("the request target has a control character");
    }
    out.push_back(c);
  }
  if (!IsUtf8(out)) {
    return Bad("the request target is not UTF-8");
  }
  return out;
}

Result<Target> ParseTarget(std::string_view raw) {
  Target target;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (EqualIgnoringCase(raw.substr(0, scheme.size()), scheme)) {
      raw.remove_prefix(scheme.size());
      const auto end = std::min(raw.find_first_of("/?"), raw.size());
      target.authority = raw.substr(0, end);
      raw.remove_prefix(end);
      if (target.authority.empty() || raw.empty()) {
        return Bad("the request target is malformed");
      }
      break;
    }
  }
  if (raw.empty() || raw.front() != '/' || raw.find('#') != std::string_view::npos) {
    return Bad("the request target is malformed");
  }
  const auto question = raw.find('?');
  ATELIER_TRY(SplitPath(raw.substr(0, question), target));
  if (question != std::string_view::npos) {
    ATELIER_TRY(SplitQuery(raw.substr(question + 1), target));
  }
  return target;
}

}  // namespace atelier::api::http
