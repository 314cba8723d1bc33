#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/tokenizers/regex.h"

#include <pcre2.h>

#include <algorithm>
#include <array>

#include "base/ids.h"

namespace atelier::text {
namespace {

constexpr size_t kMaxPatternBytes = 16384;
constexpr uint32_t kMatchLimit = 20'000'000;  // of one search; a search over a run of 1 MB takes a few per byte
constexpr uint32_t kHeapLimitKib = 256 * 1024;
constexpr size_t kJitStackStart = 32 * 1024;
constexpr size_t kJitStackMax = 8 * 1024 * 1024;
constexpr int kMaxFailures = 4;

Error Bad(std::string_view pattern, const std::string& message) {
  return InvalidArgument("the regex " + QuotedName(pattern) + ": " + message, "splits", "invalid_tokenizer");
}

bool IsHex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); });
}

constexpr std::string_view kWordClass = R"(\p{L}\p{M}\p{Nd}\p{Pc})";

// Writes the escape at pattern[at], a backslash, in PCRE2's words; moves `at` behind it.
Status TranslateEscape(std::string_view pattern, bool in_class, size_t& at, std::string& out) {
  if (at + 1 >= pattern.size()) {
    return Bad(pattern, "it ends with a backslash");
  }
  const char next = pattern[at + 1];
  if (next == 's' || next == 'S') {
    out += next == 's' ? "\\p{White_Space}" : "\\P{White_Space}";
  } else if (next == 'w' && in_class) {
    out += kWordClass;
  } else if (next == 'w' || (next == 'W' && !in_class)) {
    out.append(next == 'w' ? "[" : "[^").append(kWordClass).append("]");
  } else if (next == 'u' && at + 6 <= pattern.size() && IsHex(pattern.substr(at + 2, 4))) {
    out.append("\\x{").append(pattern.substr(at + 2, 4)).append("}");
    at += 4;
  } else if (next == 'h' || next == 'H' || next == 'W') {
    return Bad(pattern, std::string("\\") + next + " is not supported");
  } else {
    out.append(pattern.substr(at, 2));
  }
  at += 2;
  return {};
}

Result<std::string> Translate(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  size_t class_start = 0;
  for (size_t at = 0; at < pattern.size();) {
    if (pattern[at] == '\\') {
      ATELIER_TRY(TranslateEscape(pattern, in_class, at, out));
      continue;
    }
    if (in_class && (pattern[at] == '[' || pattern.substr(at, 2) == "&&")) {
      return Bad(pattern, "'[' and '&&' within a class are not supported");
    }
    if (!in_class && pattern[at] == '[') {
      in_class = true;
      class_start = at + (pattern.substr(at + 1, 1) == "^" ? 2 : 1);
    } else if (in_class && pattern[at] == ']' && at != class_start) {
      in_class = false;
    }
    out += pattern[at++];
  }
  return out;
}

}  // namespace

void Regex::Free::operator()(pcre2_real_code_8* code) const { pcre2_code_free(code); }
void RegexMatcher::Free::operator()(pcre2_real_match_data_8* data) const { pcre2_match_data_free(data); }
void RegexMatcher::Free::operator()(pcre2_real_match_context_8* context) const { pcre2_match_context_free(context); }
void RegexMatcher::Free::operator()(pcre2_real_jit_stack_8* stack) const { pcre2_jit_stack_free(stack); }

Result<Regex> Regex::Compile(std::string_view pattern) {
  if (pattern.size() > kMaxPatternBytes || !IsUtf8(pattern)) {
    return Bad(pattern, "it is too long or no UTF-8");
  }
  ATELIER_ASSIGN(translated, Translate(pattern));
  int error = 0;
  PCRE2_SIZE offset = 0;
  Regex regex;
  regex.code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                  PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &offset,
                                  nullptr));
  if (regex.code_ == nullptr) {
    std::array<PCRE2_UCHAR, 256> text{};
    pcre2_get_error_message(error, text.data(), text.size());
    return Bad(pattern, reinterpret_cast<const char*>(text.data()));
  }
  pcre2_jit_compile(regex.code_.get(), PCRE2_JIT_COMPLETE);  // where it fails, the interpreter runs
  return regex;
}

RegexMatcher::RegexMatcher(const Regex& regex)
    : regex_(regex),
      data_(pcre2_match_data_create(1, nullptr)),
      context_(pcre2_match_context_create(nullptr)),
      stack_(pcre2_jit_stack_create(kJitStackStart, kJitStackMax, nullptr)) {
  pcre2_set_match_limit(context_.get(), kMatchLimit);
  pcre2_set_heap_limit(context_.get(), kHeapLimitKib);
  pcre2_jit_stack_assign(context_.get(), nullptr, stack_.get());
}

bool RegexMatcher::Find(std::string_view subject, size_t from, size_t& begin, size_t& end) {
  if (failures_ >= kMaxFailures) {
    return false;
  }
  const auto* text = reinterpret_cast<PCRE2_SPTR>(subject.data());
  constexpr uint32_t kOptions = PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY_ATSTART;
  int found = pcre2_match(regex_.code_.get(), text, subject.size(), from, kOptions, data_.get(), context_.get());
  if (found == PCRE2_ERROR_JIT_STACKLIMIT) {
    found = pcre2_match(regex_.code_.get(), text, subject.size(), from, kOptions | PCRE2_NO_JIT, data_.get(),
                        context_.get());
  }
  if (found < 0) {
    failures_ += found == PCRE2_ERROR_NOMATCH ? 0 : 1;
    return false;
  }
  const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(data_.get());
  if (offsets[0] < from || offsets[1] <= from || offsets[1] < offsets[0]) {
    ++failures_;  // what \K in a lookaround does: whoever searches on from there would never end
    return false;
  }
  begin = offsets[0];
  end = offsets[1];
  return true;
}

}  // namespace atelier::text
