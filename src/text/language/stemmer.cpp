#include "text/language/stemmer.h"

#include <libstemmer.h>

#include "base/ids.h"
#include "text/language/characters.h"
#include "text/utf8.h"

namespace atelier::text::language {
namespace {

constexpr size_t kMaxWordBytes = 4096;  // longer ones are no words: they stay as they are

// The English rules speak of the ASCII apostrophe.
std::string PlainApostrophes(std::string word) {
  if (word.find('\xE2') != std::string::npos) {
    for (const std::string_view mark : {"\u2019", "\u2018", "\u201B"}) {
      word = ReplaceAll(word, mark, "'");
    }
  }
  return word;
}

}  // namespace

void Stemmer::Free::operator()(sb_stemmer* stemmer) const { sb_stemmer_delete(stemmer); }

std::vector<std::string> Stemmer::Algorithms() {
  std::vector<std::string> names;
  for (const char** name = sb_stemmer_list(); *name != nullptr; ++name) {
    names.emplace_back(*name);
  }
  return names;
}

Result<Stemmer> Stemmer::Create(std::string_view algorithm) {
  Stemmer stemmer;
  stemmer.stemmer_.reset(sb_stemmer_new(std::string(algorithm).c_str(), nullptr));
  if (stemmer.stemmer_ == nullptr) {
    std::string names;
    for (const auto& name : Algorithms()) {
      names += (names.empty() ? "" : ", ") + name;
    }
    return InvalidArgument("there is no stemmer " + QuotedName(algorithm) + "; there are " + names, "stemmer");
  }
  stemmer.english_ = algorithm == "english" || algorithm == "en" || algorithm == "eng" || algorithm == "porter";
  return stemmer;
}

std::string Stemmer::Stem(std::string_view word) const {
  if (word.size() > kMaxWordBytes) {
    return std::string(word);
  }
  std::string lower = Lower(word);
  if (english_ && CountCharacters(lower) <= 2) {
    return lower;
  }
  lower = english_ ? PlainApostrophes(std::move(lower)) : std::move(lower);
  const auto* stem =
      sb_stemmer_stem(stemmer_.get(), reinterpret_cast<const sb_symbol*>(lower.data()), static_cast<int>(lower.size()));
  if (stem == nullptr) {
    return lower;
  }
  return {reinterpret_cast<const char*>(stem), static_cast<size_t>(sb_stemmer_length(stemmer_.get()))};
}

}  // namespace atelier::text::language
