// Lines taken apart by a regular expression of the user's: its named groups are the columns.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/ids.h"
#include "data/formats/line_table.h"

namespace atelier::data {
namespace {

constexpr uint32_t kMatchLimit = 1'000'000;  // of one line
constexpr uint32_t kHeapLimitKib = 64 * 1024;

Error Bad(const std::string& what) { return InvalidArgument("the pattern " + what, "pattern", "invalid_pattern"); }

std::string Words(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  ::pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

class Pattern {
 public:
  static Result<std::shared_ptr<Pattern>> Compile(const std::string& pattern) {
    int code = 0;
    PCRE2_SIZE offset = 0;
    // Shared, as a std::function holds it, which is copied.
    auto out = std::make_shared<Pattern>();
    out->code_.reset(::pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                     PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_DUPNAMES, &code, &offset,
                                     nullptr));
    if (out->code_ == nullptr) {
      return Bad("is wrong at character " + std::to_string(offset + 1) + ": " + Words(code));
    }
    out->data_.reset(::pcre2_match_data_create_from_pattern(out->code_.get(), nullptr));
    out->context_.reset(::pcre2_match_context_create(nullptr));
    if (out->data_ == nullptr || out->context_ == nullptr) {
      return Bad("needs more memory than there is");
    }
    ::pcre2_set_match_limit(out->context_.get(), kMatchLimit);
    ::pcre2_set_heap_limit(out->context_.get(), kHeapLimitKib);
    ATELIER_TRY(out->ReadNames());
    return out;
  }

  const std::vector<std::string>& names() const { return names_; }

  Status Match(std::string_view line, std::vector<std::string_view>& fields) const {
    const int found =
        ::pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(line.data()), line.size(), 0,
                      PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED | PCRE2_ENDANCHORED, data_.get(), context_.get());
    if (found < 0) {
      return InvalidArgument(found == PCRE2_ERROR_NOMATCH
                                 ? "the pattern does not fit " + QuotedName(line.substr(0, 100))
                                 : "the pattern takes too long: " + Words(found),
                             "files", "invalid_text");
    }
    const PCRE2_SIZE* offsets = ::pcre2_get_ovector_pointer(data_.get());
    fields.clear();
    for (const uint32_t group : groups_) {
      const PCRE2_SIZE begin = offsets[2 * size_t{group}];
      const PCRE2_SIZE end = offsets[2 * size_t{group} + 1];
      fields.push_back(begin == PCRE2_UNSET || end < begin ? std::string_view() : line.substr(begin, end - begin));
    }
    return {};
  }

 private:
  struct Free {
    void operator()(pcre2_code_8* code) const { ::pcre2_code_free(code); }
    void operator()(pcre2_match_data_8* data) const { ::pcre2_match_data_free(data); }
    void operator()(pcre2_match_context_8* context) const { ::pcre2_match_context_free(context); }
  };

  // The named groups, in the order in which they stand in the pattern.
  Status ReadNames() {
    uint32_t count = 0;
    uint32_t entry = 0;
    PCRE2_SPTR table = nullptr;
    ::pcre2_pattern_info(code_.get(), PCRE2_INFO_NAMECOUNT, &count);
    ::pcre2_pattern_info(code_.get(), PCRE2_INFO_NAMEENTRYSIZE, &entry);
    ::pcre2_pattern_info(code_.get(), PCRE2_INFO_NAMETABLE, &table);
    if (count == 0) {
      return Bad("has no named groups, which would be the columns, as in (?<label>\\S+) (?<text>.*)");
    }
    std::vector<std::pair<uint32_t, std::string>> groups;
    for (uint32_t i = 0; i < count; ++i, table += entry) {  // an entry: the number in two bytes, then the name
      groups.emplace_back((uint32_t{table[0]} << 8U) | table[1], reinterpret_cast<const char*>(table + 2));
    }
    std::ranges::sort(groups);
    for (auto& [group, name] : groups) {
      groups_.push_back(group);
      names_.push_back(std::move(name));
    }
    return {};
  }

  std::unique_ptr<pcre2_code_8, Free> code_;
  std::unique_ptr<pcre2_match_data_8, Free> data_;
  std::unique_ptr<pcre2_match_context_8, Free> context_;
  std::vector<uint32_t> groups_;
  std::vector<std::string> names_;
};

Status Read(FormatContext& context) {
  ATELIER_ASSIGN(pattern, Pattern::Compile(context.options.pattern));
  return ReadLineTable(
      context, "pattern",
      {.names = pattern->names(), .split = [pattern](std::string_view line, std::vector<std::string_view>& fields) {
         return pattern->Match(line, fields);
       }});
}

bool Claims(std::string_view /*path*/) { return true; }

Result<bool> Accepts(FormatContext& context) { return !context.options.pattern.empty(); }

}  // namespace

const Format kPatternFormat{.name = "pattern", .passes = 2, .claims = Claims, .read = Read, .accepts = Accepts};

}  // namespace atelier::data
