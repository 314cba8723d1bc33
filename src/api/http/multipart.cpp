#include "api/http/multipart.h"

#include <algorithm>

#include "api/http/head.h"
#include "base/ids.h"

namespace atelier::api::http {
namespace {

constexpr size_t kMaxBoundary = 70;
constexpr size_t kMaxPadding = 128;

Error Bad(std::string message) { return InvalidArgument(std::move(message), "", "invalid_multipart"); }

bool IsBoundaryChar(char c) {
  static constexpr std::string_view kSymbols = "'()+_,-./:=? ";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kSymbols.find(c) != std::string_view::npos;
}

void SkipSpace(std::string_view& text) { text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size())); }

// A quoted string or a bare word at the front of `text`. Only \" and \\ are escapes: some clients send C:\names.
std::optional<std::string> TakeValue(std::string_view& text) {
  std::string value;
  if (text.empty() || text.front() != '"') {
    const auto end = std::min(text.find_first_of("; \t"), text.size());
    value = text.substr(0, end);
    text.remove_prefix(end);
    return value;
  }
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) {
      ++i;
    }
    value.push_back(text[i]);
  }
  return std::nullopt;
}

// Calls `use(name, value)` for each parameter after the first ';'.
template <class Use>
Status ForParameters(std::string_view text, const Use& use) {
  text.remove_prefix(std::min(text.find(';'), text.size()));
  while (true) {
    SkipSpace(text);
    if (text.empty()) {
      return {};
    }
    if (text.front() != ';') {
      return Bad("a header of the form has a malformed parameter");
    }
    text.remove_prefix(1);
    SkipSpace(text);
    if (text.empty()) {
      return {};
    }
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return Bad("a header of the form has a malformed parameter");
    }
    const std::string_view name = text.substr(0, equals);
    text.remove_prefix(equals + 1);
    auto value = TakeValue(text);
    if (!value.has_value()) {
      return Bad("a header of the form has an unbalanced quote");
    }
    ATELIER_TRY(use(name, std::move(*value)));
  }
}

Status ParseDisposition(std::string_view value, PartHeader& part, bool& named) {
  if (!EqualIgnoringCase(value.substr(0, value.find(';')), "form-data")) {
    return Bad("a part of the form is not form-data");
  }
  return ForParameters(value, [&](std::string_view name, std::string text) -> Status {
    if (EqualIgnoringCase(name, "name")) {
      if (named) {
        return Bad("a part of the form has two names");
      }
      named = true;
      part.name = std::move(text);
    } else if (EqualIgnoringCase(name, "filename")) {
      part.filename = std::move(text);
    }
    return {};
  });
}

Status ParsePartLine(std::string_view line, PartHeader& part, bool& named) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0 || line.front() == ' ' || line.front() == '\t') {
    return Bad("a part of the form has a malformed header");
  }
  const std::string_view name = line.substr(0, colon);
  std::string_view value = line.substr(colon + 1);
  SkipSpace(value);
  if (EqualIgnoringCase(name, "content-disposition")) {
    return ParseDisposition(value, part, named);
  }
  if (EqualIgnoringCase(name, "content-type")) {
    part.content_type = value;
  } else if (EqualIgnoringCase(name, "content-transfer-encoding") && !EqualIgnoringCase(value, "binary") &&
             !EqualIgnoringCase(value, "8bit") && !EqualIgnoringCase(value, "7bit")) {
    return Bad("a part of the form is encoded, which is not supported");
  }
  return {};
}

Result<PartHeader> ParsePartHeader(std::string_view text) {
  PartHeader part;
  bool named = false;
  while (!text.empty()) {
    const auto end = text.find("\r\n");
    ATELIER_TRY(ParsePartLine(text.substr(0, end), part, named));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
  }
  if (part.name.empty()) {
    return Bad("a part of the form has no name");
  }
  if (!IsUtf8(part.name) || (part.filename.has_value() && !IsUtf8(*part.filename))) {
    return Bad("a name in the form is not UTF-8");
  }
  return part;
}

}  // namespace

Result<std::string> BoundaryOf(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  type = type.substr(0, type.find_last_not_of(" \t") + 1);
  if (!EqualIgnoringCase(type, "multipart/form-data")) {
    return InvalidArgument("this route takes multipart/form-data", "", "unsupported_media_type");
  }
  std::optional<std::string> boundary;
  ATELIER_TRY(ForParameters(content_type, [&](std::string_view name, std::string value) -> Status {
    if (EqualIgnoringCase(name, "boundary")) {
      if (boundary.has_value()) {
        return Bad("the form has two boundaries");
      }
      boundary = std::move(value);
    }
    return {};
  }));
  const bool good = boundary.has_value() && !boundary->empty() && boundary->size() <= kMaxBoundary &&
                    boundary->back() != ' ' && boundary->find_first_not_of('-') != std::string::npos &&
                    std::all_of(boundary->begin(), boundary->end(), IsBoundaryChar);
  if (!good) {
    return Bad("the form's boundary is missing or malformed");
  }
  return *std::move(boundary);
}

MultipartParser::MultipartParser(const std::string& boundary, PartSink& sink)
    : delimiter_("\r\n--" + boundary), sink_(sink) {}

Result<bool> MultipartParser::StepContent(size_t& offset) {
  const std::string_view rest = std::string_view(buffer_).substr(offset);
  const auto found = rest.find(delimiter_);
  const bool whole = found != std::string_view::npos;
  const size_t keep = delimiter_.size() - 1;  // the tail may be the start of a delimiter
  const size_t ready = whole ? found : rest.size() - std::min(rest.size(), keep);
  if (state_ == State::kData && ready > 0) {
    ATELIER_TRY(sink_.OnData(rest.substr(0, ready)));
  }
  offset += ready;
  if (!whole) {
    return false;
  }
  if (state_ == State::kData) {
    ATELIER_TRY(sink_.OnPartEnd());
  }
  offset += delimiter_.size();
  state_ = State::kAfterBoundary;
  return true;
}

Result<bool> MultipartParser::StepAfterBoundary(size_t& offset) {
  std::string_view rest = std::string_view(buffer_).substr(offset);
  if (rest.size() < 2) {
    return false;
  }
  if (rest.substr(0, 2) == "--") {
    state_ = State::kEpilogue;
    return true;
  }
  const size_t before = rest.size();
  SkipSpace(rest);
  const size_t padding = before - rest.size();
  if (padding > kMaxPadding) {
    return Bad("the form has a malformed boundary line");
  }
  if (rest.size() < 2) {
    return rest.empty() || rest.front() == '\r' ? Result<bool>(false) : Bad("the form has a malformed boundary line");
  }
  if (rest.substr(0, 2) != "\r\n") {
    return Bad("the form has a malformed boundary line");
  }
  if (++parts_ > kMaxParts) {
    return MakeError(Code::kOutOfRange, "the form has more than " + std::to_string(kMaxParts) + " parts",
                     "request_too_large");
  }
  offset += padding;  // the line end stays, so that an empty header is found like any other
  searched_ = 0;
  state_ = State::kHeader;
  return true;
}

Result<bool> MultipartParser::StepHeader(size_t& offset) {
  const std::string_view rest = std::string_view(buffer_).substr(offset);
  const auto end = rest.find("\r\n\r\n", searched_);
  if (std::min(end, rest.size()) > kMaxPartHeaderBytes) {
    return MakeError(Code::kOutOfRange, "a part of the form has too long headers", "request_too_large");
  }
  if (end == std::string_view::npos) {
    searched_ = rest.size() - std::min<size_t>(rest.size(), 3);
    return false;
  }
  ATELIER_ASSIGN(part, ParsePartHeader(end < 2 ? std::string_view() : rest.substr(2, end - 2)));
  ATELIER_TRY(sink_.OnPart(std::move(part)));
  offset += end + 4;
  state_ = State::kData;
  return true;
}

Result<bool> MultipartParser::Step(size_t& offset) {
  switch (state_) {
    case State::kPreamble:
    case State::kData:
      return StepContent(offset);
    case State::kAfterBoundary:
      return StepAfterBoundary(offset);
    case State::kHeader:
      return StepHeader(offset);
    case State::kEpilogue:
      break;
  }
  offset = buffer_.size();
  return false;
}

Status MultipartParser::Feed(std::string_view bytes) {
  buffer_.append(bytes);
  size_t offset = 0;
  while (true) {
    ATELIER_ASSIGN(more, Step(offset));
    if (!more) {
      break;
    }
  }
  buffer_.erase(0, offset);
  return {};
}

Status MultipartParser::Finish() const {
  if (state_ != State::kEpilogue) {
    return Bad("the form ends before its last boundary");
  }
  return {};
}

}  // namespace atelier::api::http
