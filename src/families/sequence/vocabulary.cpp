#include "families/sequence/vocabulary.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace atelier::families {
namespace {

constexpr std::array<std::string_view, 1 + kTokenFeatures> kSpecial{"[PAD]", "[UNK]", "[UNK shape]", "[UNK prefix]",
                                                                    "[UNK suffix]"};
constexpr size_t kAffix = 3;
constexpr int64_t kMaxWords = 1 << 21;

size_t SpecialCount(const VocabularyOptions& options) { return options.features ? kSpecial.size() : 2; }

// Calls use(key, id of what is unknown) for each id that the tokens become, in order.
template <class Use>
void ForEachKey(const VocabularyOptions& options, std::span<const std::string> tokens, const Use& use) {
  const auto count = std::min(tokens.size(), static_cast<size_t>(options.max_length));
  std::vector<std::string> words;
  for (const auto& token : tokens.first(count)) {
    words.push_back(options.lowercase ? Lowercase(token) : token);
    use(words.back(), 1);
    if (options.features) {
      use("[shape] " + Shape(token), 2);
      use("[prefix] " + std::string(Prefix(words.back(), kAffix)), 3);
      use("[suffix] " + std::string(Suffix(words.back(), kAffix)), 4);
    }
  }
  for (size_t length = 2; length <= static_cast<size_t>(options.ngrams); ++length) {
    for (size_t first = 0; first + length <= count; ++first) {
      std::string joined = words[first];
      for (size_t i = 1; i < length; ++i) {
        joined += ' ' + words[first + i];
      }
      use(joined, 0);
    }
  }
}

Error BadFile(const std::string& what) { return InvalidArgument(what, "", "invalid_model_file"); }

}  // namespace

void Vocabulary::Learner::Add(std::span<const std::string> tokens) {
  ForEachKey(options_, tokens, [&](const std::string& key, int32_t /*unknown*/) { ++counts_[key]; });
}

Result<Vocabulary> Vocabulary::Learner::Make() && {
  std::vector<std::pair<int64_t, std::string>> known;
  for (auto& [word, count] : counts_) {
    if (count >= options_.min_count) {
      known.emplace_back(-count, word);
    }
  }
  std::ranges::sort(known);
  if (std::ssize(known) > options_.size) {
    known.resize(static_cast<size_t>(options_.size));
  }
  Vocabulary vocabulary;
  vocabulary.options_ = options_;
  vocabulary.words_.assign(kSpecial.begin(), kSpecial.begin() + static_cast<int64_t>(SpecialCount(options_)));
  for (auto& [count, word] : known) {
    vocabulary.words_.push_back(std::move(word));
  }
  ATELIER_TRY(vocabulary.Index());
  return vocabulary;
}

Status Vocabulary::Index() {
  ATELIER_ASSIGN(cutter, WordCutter::Make(options_.cut));
  cutter_ = std::move(cutter);
  for (size_t id = SpecialCount(options_); id < words_.size(); ++id) {
    if (!ids_.emplace(words_[id], static_cast<int32_t>(id)).second) {
      return BadFile("vocabulary.json: a word is there twice");
    }
  }
  return {};
}

json::object Vocabulary::OptionsJson() const {
  return {{"tokens", Name(options_.cut)},
          {"lowercase", options_.lowercase},
          {"max_length", options_.max_length},
          {"ngrams", options_.ngrams},
          {"features", options_.features}};
}

json::object Vocabulary::WordsJson() const { return {{"words", json::value_from(words_)}}; }

Result<Vocabulary> Vocabulary::FromJson(const json::object& options, const json::object& words) {
  Vocabulary vocabulary;
  Fields fields(options, "text");
  ATELIER_ASSIGN(cut, fields.String("tokens", 64));
  ATELIER_ASSIGN(lowercase, fields.BoolOr("lowercase", true));
  ATELIER_ASSIGN(max_length, fields.Int("max_length", 1, 65536));
  ATELIER_ASSIGN(ngrams, fields.Int("ngrams", 1, 5));
  ATELIER_ASSIGN(features, fields.BoolOr("features", false));
  vocabulary.options_ = {.cut = CutFromName(cut),
                         .lowercase = lowercase,
                         .max_length = max_length,
                         .ngrams = ngrams,
                         .features = features};
  Fields list(words);
  ATELIER_ASSIGN(known, list.ArrayOr("words", kMaxWords));
  const size_t special = SpecialCount(vocabulary.options_);
  if (known == nullptr || known->size() < special) {
    return BadFile("vocabulary.json has no words");
  }
  for (const auto& word : *known) {
    if (!word.is_string()) {
      return BadFile("vocabulary.json holds something that is no word");
    }
    vocabulary.words_.emplace_back(word.get_string());
  }
  ATELIER_TRY(vocabulary.Index());
  return vocabulary;
}

std::vector<std::string> Vocabulary::Tokens(std::string_view text) const {
  return cutter_->Tokens(text, static_cast<size_t>(options_.max_length));
}

std::vector<int32_t> Vocabulary::Ids(std::span<const std::string> tokens) const {
  std::vector<int32_t> ids;
  ForEachKey(options_, tokens, [&](const std::string& key, int32_t unknown) {
    const auto found = ids_.find(key);
    const int32_t id = found != ids_.end() ? found->second : unknown;
    if (id > 0) {
      ids.push_back(id);
    }
  });
  for (int32_t id = 1; ids.empty() && id < static_cast<int32_t>(SpecialCount(options_)); ++id) {
    ids.push_back(id);
  }
  return ids;
}

}  // namespace atelier::families
