#include "api/http/head.h"

#include <algorithm>
#include <charconv>

namespace atelier::api::http {
namespace {

Error Bad(std::string message) { return InvalidArgument(std::move(message), "", "bad_request"); }

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool IsTokenChar(char c) {
  static constexpr std::string_view kSymbols = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kSymbols.find(c) != std::string_view::npos;
}

bool IsToken(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenChar); }

bool IsFieldChar(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

std::string_view Trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string_view> List(std::string_view value) {
  std::vector<std::string_view> items;
  while (true) {
    const auto comma = value.find(',');
    items.push_back(Trim(value.substr(0, comma)));
    if (comma == std::string_view::npos) {
      return items;
    }
    value.remove_prefix(comma + 1);
  }
}

Status ParseRequestLine(std::string_view line, size_t max_target, Head& head) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return Bad("the request line is malformed");
  }
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!IsToken(head.method) || head.method.size() > 32) {
    return Bad("the request method is malformed");
  }
  if (head.target.size() > max_target) {
    return MakeError(Code::kOutOfRange, "the request target is too long", "uri_too_long");
  }
  const bool printable =
      std::all_of(head.target.begin(), head.target.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (head.target.empty() || !printable) {
    return Bad("the request target has characters that must be percent-encoded");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return InvalidArgument("only HTTP/1.0 and HTTP/1.1 are spoken here", "", "http_version_not_supported");
  }
  head.minor_version = version.back() - '0';
  return {};
}

Status ParseFieldLine(std::string_view line, Head& head) {
  if (line.front() == ' ' || line.front() == '\t') {
    return Bad("a header field is folded over several lines");
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
    return Bad("a header field has a malformed name");
  }
  const Field field{line.substr(0, colon), Trim(line.substr(colon + 1))};
  if (!std::all_of(field.value.begin(), field.value.end(), IsFieldChar)) {
    return Bad("a header field has a control character in its value");
  }
  head.fields.push_back(field);
  return {};
}

Status ReadTransferEncoding(Head& head) {
  const auto count = head.Count("transfer-encoding");
  if (count == 0) {
    return {};
  }
  if (count > 1 || head.content_length.has_value() || head.minor_version == 0) {
    return Bad("the body's framing is ambiguous: one of Content-Length and Transfer-Encoding");
  }
  const auto codings = List(*head.Find("transfer-encoding"));
  const auto is_chunked = [](std::string_view coding) { return EqualIgnoringCase(coding, "chunked"); };
  if (std::count_if(codings.begin(), codings.end(), is_chunked) > 1) {
    return Bad("the transfer coding 'chunked' is given twice");
  }
  if (codings.size() != 1 || !is_chunked(codings.front())) {
    return MakeError(Code::kUnimplemented, "only the transfer coding 'chunked' is known", "unknown_transfer_coding");
  }
  head.chunked = true;
  return {};
}

Status ReadContentLength(Head& head) {
  const auto count = head.Count("content-length");
  if (count == 0) {
    return {};
  }
  const std::string_view text = *head.Find("content-length");
  uint64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (count > 1 || text.empty() || text.size() > 18 || error != std::errc() || end != text.data() + text.size()) {
    return Bad("Content-Length is not one decimal number");
  }
  head.content_length = length;
  return {};
}

Status ReadConnection(Head& head) {
  head.keep_alive = head.minor_version == 1;
  for (const auto& field : head.fields) {
    if (!EqualIgnoringCase(field.name, "connection")) {
      continue;
    }
    for (const auto option : List(field.value)) {
      if (EqualIgnoringCase(option, "close")) {
        head.keep_alive = false;
        return {};
      }
      head.keep_alive = head.keep_alive || EqualIgnoringCase(option, "keep-alive");
    }
  }
  return {};
}

Status ReadExpectAndHost(Head& head) {
  if (const auto expect = head.Find("expect"); expect.has_value()) {
    if (!EqualIgnoringCase(*expect, "100-continue")) {
      return InvalidArgument("the only expectation known is 100-continue", "", "expectation_failed");
    }
    head.expect_continue = head.minor_version == 1;
  }
  const auto hosts = head.Count("host");
  if (hosts > 1 || (hosts == 0 && head.minor_version == 1)) {
    return Bad("there must be one Host field");
  }
  return {};
}

}  // namespace

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return Lower(x) == Lower(y); });
}

std::optional<std::string_view> Head::Find(std::string_view name) const {
  for (const auto& field : fields) {
    if (EqualIgnoringCase(field.name, name)) {
      return field.value;
    }
  }
  return std::nullopt;
}

size_t Head::Count(std::string_view name) const {
  return static_cast<size_t>(std::count_if(fields.begin(), fields.end(),
                                           [name](const Field& field) { return EqualIgnoringCase(field.name, name); }));
}

Status HeadScanner::EndLine(size_t length) {
  ++lines_;
  if (lines_ > limits_.fields + 1 && length > 0) {
    return MakeError(Code::kOutOfRange, "the request has too many header fields", "headers_too_large");
  }
  return {};
}

Result<size_t> HeadScanner::Scan(std::string_view bytes) {
  for (; position_ < bytes.size(); ++position_) {
    const char c = bytes[position_];
    const bool after_cr = position_ > line_start_ && bytes[position_ - 1] == '\r';
    if (c == '\0' || (c == '\n') != after_cr) {
      return Bad("the request head has a bare line end or a NUL");
    }
    if (position_ >= limits_.bytes) {
      return MakeError(Code::kOutOfRange, "the request head is too large", "headers_too_large");
    }
    if (lines_ == 0 && position_ > limits_.target_bytes + 64) {
      return MakeError(Code::kOutOfRange, "the request target is too long", "uri_too_long");
    }
    if (c != '\n') {
      continue;
    }
    const size_t length = position_ - 1 - line_start_;
    ATELIER_TRY(EndLine(length));
    line_start_ = position_ + 1;
    if (length == 0) {
      return ++position_;
    }
  }
  return size_t{0};
}

Result<Head> ParseHead(std::string_view text, const HeadLimits& limits) {
  Head head;
  head.fields.reserve(16);
  size_t start = 0;
  for (bool first = true; start < text.size(); first = false) {
    const auto end = text.find("\r\n", start);
    if (end == std::string_view::npos) {
      return Bad("the request head is incomplete");
    }
    const std::string_view line = text.substr(start, end - start);
    start = end + 2;
    if (first) {
      ATELIER_TRY(ParseRequestLine(line, limits.target_bytes, head));
    } else if (line.empty()) {
      break;
    } else {
      ATELIER_TRY(ParseFieldLine(line, head));
    }
  }
  if (head.fields.size() > limits.fields) {
    return MakeError(Code::kOutOfRange, "the request has too many header fields", "headers_too_large");
  }
  ATELIER_TRY(ReadContentLength(head));
  ATELIER_TRY(ReadTransferEncoding(head));
  ATELIER_TRY(ReadConnection(head));
  ATELIER_TRY(ReadExpectAndHost(head));
  return head;
}

}  // namespace atelier::api::http
