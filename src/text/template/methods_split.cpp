// Methods of str that cut it into pieces or pad it.
#include <algorithm>

#include "text/template/native_support.h"

namespace atelier::text::jinja {
namespace {

using Pieces = std::vector<std::string_view>;

Result<Value> ListOf(Runtime& runtime, const Pieces& pieces, Shape shape = Shape::kList) {
  std::vector<Value> items;
  for (const std::string_view piece : pieces) {
    ATELIER_TRY(runtime.Step());
    items.push_back(runtime.heap().NewText(std::string(piece)));
  }
  return runtime.heap().NewList(std::move(items), shape);
}

// The end of the run of space, or of other characters, that begins at `at`.
size_t RunEnd(std::string_view text, size_t at, bool space) {
  while (at < text.size() && IsSpace(DecodeAt(text, at).value) == space) {
    at += DecodeAt(text, at).bytes;
  }
  return at;
}

Pieces SplitAtSpace(std::string_view text, size_t max) {
  Pieces pieces;
  for (size_t at = RunEnd(text, 0, true); at < text.size(); at = RunEnd(text, at, true)) {
    if (pieces.size() == max) {
      pieces.push_back(text.substr(at));  // with the space at its end
      break;
    }
    const size_t end = RunEnd(text, at, false);
    pieces.push_back(text.substr(at, end - at));
    at = end;
  }
  return pieces;
}

Pieces SplitAtSpaceFromEnd(std::string_view text, size_t max) {
  Pieces all = SplitAtSpace(text, std::string_view::npos);
  if (all.size() <= max) {
    return all;
  }
  const std::string_view last_of_rest = all[all.size() - max - 1];
  const auto rest_end = static_cast<size_t>(last_of_rest.data() + last_of_rest.size() - text.data());
  Pieces pieces{text.substr(0, rest_end)};  // with the space at its start
  pieces.insert(pieces.end(), all.end() - static_cast<std::ptrdiff_t>(max), all.end());
  return pieces;
}

Pieces SplitAt(std::string_view text, std::string_view separator, size_t max) {
  Pieces pieces;
  size_t at = 0;
  while (pieces.size() < max) {
    const size_t found = text.find(separator, at);
    if (found == std::string_view::npos) {
      break;
    }
    pieces.push_back(text.substr(at, found - at));
    at = found + separator.size();
  }
  pieces.push_back(text.substr(at));
  return pieces;
}

Pieces SplitAtFromEnd(std::string_view text, std::string_view separator, size_t max) {
  Pieces pieces;
  while (pieces.size() < max) {
    const size_t found = text.rfind(separator);
    if (found == std::string_view::npos) {
      break;
    }
    pieces.push_back(text.substr(found + separator.size()));
    text = text.substr(0, found);
  }
  pieces.push_back(text);
  std::ranges::reverse(pieces);
  return pieces;
}

template <bool from_end>
Result<Value> Split(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(given, IntArgument(args, 1, -1));
  const size_t max = given < 0 ? std::string_view::npos : static_cast<size_t>(std::min<Int>(given, Int{1} << 40U));
  const std::string_view text = self.text();
  ATELIER_TRY(runtime.Step(text.size() / 8));  // pieces may be as many as bytes
  if (IsAbsent(args.positional[0])) {
    return ListOf(runtime, from_end && max != text.npos ? SplitAtSpaceFromEnd(text, max) : SplitAtSpace(text, max));
  }
  ATELIER_ASSIGN(separator, TextArgument(args, 0));
  if (separator.empty()) {
    return TemplateError("empty separator");
  }
  ATELIER_TRY(runtime.StepSearch(text, separator));
  return ListOf(runtime, from_end ? SplitAtFromEnd(text, separator, max) : SplitAt(text, separator, max));
}

Result<Value> SplitLinesMethod(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_TRY(runtime.Step(self.text().size() / 8));
  return ListOf(runtime, SplitLines(self.text(), FlagArgument(args, 0)));
}

template <bool from_end>
Result<Value> Partition(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(separator, TextArgument(args, 0));
  if (separator.empty()) {
    return TemplateError("empty separator");
  }
  const std::string_view text = self.text();
  ATELIER_TRY(runtime.StepSearch(text, separator));
  const size_t found = from_end ? text.rfind(separator) : text.find(separator);
  if (found == std::string_view::npos) {
    return ListOf(runtime, from_end ? Pieces{"", "", text} : Pieces{text, "", ""}, Shape::kTuple);
  }
  return ListOf(runtime, {text.substr(0, found), separator, text.substr(found + separator.size())}, Shape::kTuple);
}

enum class Side { kLeft, kRight, kCenter };

template <Side side>
Result<Value> Pad(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(width, SizeArgument(args, 0, 0));
  const std::string_view fill = args.positional[1].is_text() ? args.positional[1].text() : std::string_view(" ");
  if (CountCodePoints(fill) != 1) {
    return TemplateError("The fill character must be exactly one character long");
  }
  const size_t length = CountCodePoints(self.text());
  const size_t padding = width > length ? width - length : 0;
  const size_t before = side == Side::kRight ? padding : side == Side::kLeft ? 0 : padding / 2 + (padding & width & 1U);
  TextBuilder out(runtime);
  ATELIER_TRY(out.AddRepeated(fill, before));
  ATELIER_TRY(out.Add(self.text()));
  ATELIER_TRY(out.AddRepeated(fill, padding - before));
  return out.Finish();
}

Result<Value> ZeroFill(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(width, SizeArgument(args, 0, 0));
  const std::string_view text = self.text();
  const size_t length = CountCodePoints(text);
  const size_t sign = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  TextBuilder out(runtime);
  ATELIER_TRY(out.Add(text.substr(0, sign)));
  ATELIER_TRY(out.AddRepeated("0", width > length ? width - length : 0));
  ATELIER_TRY(out.Add(text.substr(sign)));
  return out.Finish();
}

constexpr Native kTable[] = {
    {"center", Pad<Side::kCenter>, 1, {"width", "fillchar"}},
    {"ljust", Pad<Side::kLeft>, 1, {"width", "fillchar"}},
    {"partition", Partition<false>, 1, {"sep"}},
    {"rjust", Pad<Side::kRight>, 1, {"width", "fillchar"}},
    {"rpartition", Partition<true>, 1, {"sep"}},
    {"rsplit", Split<true>, 0, {"sep", "maxsplit"}},
    {"split", Split<false>, 0, {"sep", "maxsplit"}},
    {"splitlines", SplitLinesMethod, 0, {"keepends"}},
    {"zfill", ZeroFill, 1, {"width"}},
};

}  // namespace

std::span<const Native> MoreStringMethods() { return kTable; }

}  // namespace atelier::text::jinja
