#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/language/rewriter.h"

#include <pcre2.h>

namespace atelier::text::language {
namespace {

constexpr uint32_t kMatchLimit = 20'000'000;  // of one search
constexpr uint32_t kHeapLimitKib = 64 * 1024;

struct FreeContext {
  void operator()(pcre2_real_match_context_8* context) const { pcre2_match_context_free(context); }
};
using Context = std::unique_ptr<pcre2_real_match_context_8, FreeContext>;

PCRE2_SPTR Bytes(const std::string& text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

}  // namespace

void Rewriter::Free::operator()(pcre2_real_code_8* code) const { pcre2_code_free(code); }

Result<Rewriter> Rewriter::Create(std::span<const RewriteRule> rules) {
  Rewriter rewriter;
  for (const auto& rule : rules) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    Rule made;
    made.code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(rule.pattern.data()), rule.pattern.size(),
                                  PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr));
    if (made.code == nullptr) {
      return Internal("the rule " + std::string(rule.pattern) + " does not compile");
    }
    pcre2_jit_compile(made.code.get(), PCRE2_JIT_COMPLETE);  // where it fails, the interpreter runs
    made.replacement = rule.replacement;
    rewriter.rules_.push_back(std::move(made));
  }
  return rewriter;
}

Result<std::string> Rewriter::Apply(std::string text) const {
  const Context context(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(context.get(), kMatchLimit);
  pcre2_set_heap_limit(context.get(), kHeapLimitKib);
  std::string out;
  for (const auto& rule : rules_) {
    size_t size = text.size() + text.size() / 4 + 64;
    int done = PCRE2_ERROR_NOMEMORY;
    for (int attempt = 0; attempt < 2 && done == PCRE2_ERROR_NOMEMORY; ++attempt) {
      out.resize(size);
      done = pcre2_substitute(rule.code.get(), Bytes(text), text.size(), 0,
                              PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_OVERFLOW_LENGTH | PCRE2_NO_UTF_CHECK, nullptr,
                              context.get(), Bytes(rule.replacement), rule.replacement.size(),
                              reinterpret_cast<PCRE2_UCHAR*>(out.data()), &size);
    }
    if (done < 0) {
      return MakeError(Code::kOutOfRange, "the text is too long or too irregular to be cut into words",
                       "request_too_large");
    }
    if (done > 0) {
      out.resize(size);
      text.swap(out);
    }
  }
  return text;
}

}  // namespace atelier::text::language
