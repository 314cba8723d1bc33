#include "api/platform/language/tools.h"

#include <algorithm>

#include "storage/blob_json.h"

namespace atelier::api {
namespace {

constexpr size_t kMaxTaggerBytes = 64U << 20U;
constexpr size_t kKeptTaggers = 4;

Result<std::shared_ptr<const language::Tagger>> LoadTagger(const Services& services, const std::string& sha256) {
  ATELIER_ASSIGN(bytes, storage::ReadAll(services.blobs, sha256, kMaxTaggerBytes));
  JsonLimits limits;
  limits.max_bytes = kMaxTaggerBytes;
  const auto value = ParseJson(bytes, limits);
  if (!value.ok() || !value->is_object()) {
    return DataLoss("the file of a tagger is not JSON");
  }
  ATELIER_ASSIGN(tagger, language::Tagger::FromJson(value->get_object()));
  return std::make_shared<const language::Tagger>(std::move(tagger));
}

}  // namespace

std::shared_ptr<LanguageTools> MakeLanguageTools() { return std::make_shared<LanguageTools>(); }

Result<std::shared_ptr<const language::Tagger>> LanguageTools::TaggerOf(const Services& services,
                                                                        const std::string& reference) {
  ATELIER_ASSIGN(version, services.registry.Resolve(reference));
  const auto file = version.files.find(std::string(language::kTaggerFile));
  if (file == version.files.end()) {
    return InvalidArgument("'" + reference + "' is no tagger; train one with a job of the kind train_tagger", "tagger",
                           "model_not_supported");
  }
  const std::string sha256 = file->second.sha256;
  auto kept = taggers_.With([&](std::list<Kept>& taggers) -> std::shared_ptr<const language::Tagger> {
    const auto found = std::ranges::find(taggers, sha256, &Kept::sha256);
    if (found == taggers.end()) {
      return nullptr;
    }
    taggers.splice(taggers.begin(), taggers, found);
    return found->tagger;
  });
  if (kept != nullptr) {
    return kept;
  }
  ATELIER_ASSIGN(tagger, LoadTagger(services, sha256));
  taggers_.With([&](std::list<Kept>& taggers) {
    taggers.push_front({sha256, tagger});
    taggers.resize(std::min(taggers.size(), kKeptTaggers));
  });
  return tagger;
}

namespace platform {
namespace {

Error BadInput(const std::string& expected) {
  return InvalidArgument("'input' must be " + expected, "input", "invalid_value");
}

Error TooMuch() {
  return MakeError(Code::kOutOfRange,
                   "'input' is too large: at most 1000 texts of 1 MiB altogether; a data set is cleaned by a job",
                   "request_too_large");
}

// A text of `value`; what it needs is taken from `left`.
Result<std::string> TextIn(const json::value& value, size_t& left) {
  const auto* text = value.if_string();
  if (text == nullptr) {
    return BadInput("a text or a list of texts");
  }
  if (text->size() > left) {
    return TooMuch();
  }
  left -= text->size();
  return std::string(std::string_view(*text));
}

Result<std::vector<std::string>> TextsOf(const json::array& list, size_t& left) {
  std::vector<std::string> texts;
  for (const auto& item : list) {
    ATELIER_ASSIGN(text, TextIn(item, left));
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace

Result<std::vector<std::string>> TextsIn(Fields& fields, const json::object& body) {
  if (!fields.Has("input")) {
    return InvalidArgument("'input' is missing", "input", "missing_required_parameter");
  }
  size_t left = kMaxTextBytes;
  const json::value& input = body.at("input");
  if (!input.is_array()) {
    ATELIER_ASSIGN(text, TextIn(input, left));
    return std::vector<std::string>{std::move(text)};
  }
  if (input.get_array().empty() || input.get_array().size() > kMaxTexts) {
    return input.get_array().empty() ? BadInput("a text or a list of at least one") : TooMuch();
  }
  return TextsOf(input.get_array(), left);
}

Result<std::vector<std::vector<std::string>>> WordListsIn(Fields& fields, const json::object& body) {
  if (!fields.Has("input")) {
    return InvalidArgument("'input' is missing", "input", "missing_required_parameter");
  }
  const auto* input = body.at("input").if_array();
  if (input == nullptr || input->empty()) {
    return BadInput("a list of lists of words, as 'tokenized' says");
  }
  if (input->size() > kMaxTexts) {
    return TooMuch();
  }
  size_t left = kMaxTextBytes;
  std::vector<std::vector<std::string>> lists;
  for (const auto& item : *input) {
    if (!item.is_array()) {
      return BadInput("a list of lists of words, as 'tokenized' says");
    }
    ATELIER_ASSIGN(words, TextsOf(item.get_array(), left));
    lists.push_back(std::move(words));
  }
  return lists;
}

language::LanguageGuess LanguageWish::Of(language::Toolbox& box, std::string_view text) const {
  return code.empty() ? box.Identifier()->Identify(text) : language::LanguageGuess{code, 1};
}

Result<LanguageWish> LanguageIn(Fields& fields) {
  ATELIER_ASSIGN(code, fields.StringOr("language", "auto", 16));
  if (code == "auto") {
    return LanguageWish{};
  }
  const bool good =
      (code.size() == 2 || code.size() == 3) && std::ranges::all_of(code, [](char c) { return c >= 'a' && c <= 'z'; });
  return good ? Result(LanguageWish{code})
              : InvalidArgument("'language' must be auto or a code such as en or zh", "language");
}

}  // namespace platform
}  // namespace atelier::api
