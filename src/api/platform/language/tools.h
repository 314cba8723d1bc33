// What the endpoints of /v1/text share: the tools that are kept, and the texts of a request.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "api/services.h"
#include "base/guarded.h"
#include "base/json.h"
#include "registry/registry.h"
#include "text/language/tagger.h"
#include "text/language/toolbox.h"

namespace atelier::api {

namespace language = ::atelier::text::language;

// Thread-safe.
class LanguageTools {
 public:
  language::Toolbox& box() { return box_; }
  // A tagger of the registry, NAME, NAME@VERSION or NAME@ALIAS; the last few are kept. Errors: those of the registry;
  // kInvalidArgument on `tagger` for a model of another family; kDataLoss.
  Result<std::shared_ptr<const language::Tagger>> TaggerOf(const Services& services, const std::string& reference);

 private:
  struct Kept {
    std::string sha256;
    std::shared_ptr<const language::Tagger> tagger;
  };
  language::Toolbox box_;
  Guarded<std::list<Kept>> taggers_;  // the last used first
};

namespace platform {

inline constexpr size_t kMaxTexts = 1000;
inline constexpr size_t kMaxTextBytes = 1U << 20U;  // of all texts of a request

// `input`, a text or a list of texts. Errors: kInvalidArgument on `input`; kOutOfRange "request_too_large".
Result<std::vector<std::string>> TextsIn(Fields& fields, const json::object& body);
// The same of lists of words.
Result<std::vector<std::vector<std::string>>> WordListsIn(Fields& fields, const json::object& body);

// `language`: "auto", or a code.
struct LanguageWish {
  std::string code;  // empty: find out
  language::LanguageGuess Of(language::Toolbox& box, std::string_view text) const;
};
Result<LanguageWish> LanguageIn(Fields& fields);

}  // namespace platform
}  // namespace atelier::api
