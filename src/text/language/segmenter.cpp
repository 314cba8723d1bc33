#include "text/language/segmenter.h"

#include <unicode/brkiter.h>
#include <unicode/utext.h>

#include <algorithm>

#include "base/ids.h"
#include "text/language/treebank_words.h"
#include "text/utf8.h"

namespace atelier::text::language {
namespace {

constexpr size_t kMaxTextBytes = 1U << 30U;

class English final : public Segmenter {
 public:
  English(TreebankWords words, PunktParameters punkt) : words_(std::move(words)), punkt_(std::move(punkt)) {}
  std::vector<Span> Sentences(std::string_view text) const override { return PunktSentences(text, punkt_); }

  Result<std::vector<std::string>> WordsOfSentence(std::string_view sentence) const override {
    return words_.Words(sentence);
  }

 private:
  TreebankWords words_;
  PunktParameters punkt_;
};

using Breaks = std::unique_ptr<icu::BreakIterator>;

// The parts of a text between ICU's boundaries.
std::vector<Span> Parts(const icu::BreakIterator& prototype, std::string_view text) {
  std::vector<Span> parts;
  const Breaks breaks(prototype.clone());
  UErrorCode status = U_ZERO_ERROR;
  UText* opened = utext_openUTF8(nullptr, text.data(), static_cast<int64_t>(text.size()), &status);
  breaks->setText(opened, status);
  if (U_SUCCESS(status)) {
    int32_t begin = breaks->first();
    for (int32_t end = breaks->next(); end != icu::BreakIterator::DONE; end = breaks->next()) {
      parts.push_back({static_cast<size_t>(begin), static_cast<size_t>(end)});
      begin = end;
    }
  }
  utext_close(opened);
  return parts;
}

class OfIcu final : public Segmenter {
 public:
  OfIcu(Breaks sentences, Breaks words) : sentences_(std::move(sentences)), words_(std::move(words)) {}

  // Null: Chinese sentences.
  std::vector<Span> Sentences(std::string_view text) const override {
    if (sentences_ == nullptr) {
      return ChineseSentences(text);
    }
    auto parts = Parts(*sentences_, text);
    for (auto& part : parts) {
      const std::string_view stripped = StripSpace(part.In(text));
      part.begin = static_cast<size_t>(stripped.data() - text.data());
      part.end = part.begin + stripped.size();
    }
    std::erase_if(parts, [](const Span& part) { return part.begin == part.end; });
    return parts;
  }

  Result<std::vector<std::string>> WordsOfSentence(std::string_view sentence) const override {
    std::vector<std::string> words;
    for (const auto& part : Parts(*words_, sentence)) {
      const std::string_view word = StripSpace(part.In(sentence));
      if (!word.empty()) {
        words.emplace_back(word);
      }
    }
    return words;
  }

 private:
  Breaks sentences_;
  Breaks words_;
};

bool IsCode(std::string_view language) {
  return language.size() >= 2 && language.size() <= 3 &&
         std::ranges::all_of(language, [](char c) { return c >= 'a' && c <= 'z'; });
}

bool Ends(char32_t value) {
  constexpr std::u32string_view kEnds = U"。！？!?…｡．";
  return kEnds.find(value) != std::u32string_view::npos;
}
bool Closes(char32_t value) {
  constexpr std::u32string_view kClosing = U"”’」』）】》〉〕］｝)]}";
  return kClosing.find(value) != std::u32string_view::npos;
}
// After these marks the sentence goes on in spite of an end before them: “是！”，他说。
bool GoesOn(char32_t value) {
  constexpr std::u32string_view kGoesOn = U"，、；：,;:—";
  return kGoesOn.find(value) != std::u32string_view::npos;
}

// Where the sentence ends that an ending mark at `at` may end; 0: not here. `quoted`: a straight quote is open.
size_t SentenceEnd(std::string_view text, size_t at, bool quoted) {
  const Utf8Step mark = ReadUtf8(text, at);
  size_t end = at + mark.length;
  if (mark.value == '\n') {
    return end;
  }
  if (mark.value == '.') {
    return end == text.size() || IsSpace(CharacterAt(text, end)) ? end : 0;
  }
  if (!Ends(mark.value)) {
    return 0;
  }
  while (end < text.size()) {
    const Utf8Step step = ReadUtf8(text, end);
    if (!Ends(step.value) && !Closes(step.value) && !(quoted && step.value == '"')) {
      break;
    }
    quoted = quoted && step.value != '"';
    end += step.length;
  }
  return end < text.size() && GoesOn(CharacterAt(text, end)) ? 0 : end;
}

}  // namespace

std::vector<Span> ChineseSentences(std::string_view text) {
  std::vector<Span> sentences;
  const auto add = [&](size_t begin, size_t end) {
    const std::string_view sentence = StripSpace(text.substr(begin, end - begin));
    if (!sentence.empty()) {
      const auto from = static_cast<size_t>(sentence.data() - text.data());
      sentences.push_back({from, from + sentence.size()});
    }
  };
  size_t begin = 0;
  bool quoted = false;
  for (size_t at = 0; at < text.size();) {
    const size_t end = SentenceEnd(text, at, quoted);
    if (end != 0) {
      add(begin, end);
      begin = end;
    }
    const size_t next = std::max(end, at + ReadUtf8(text, at).length);
    quoted = quoted != (std::ranges::count(text.substr(at, next - at), '"') % 2 == 1);
    at = next;
  }
  add(begin, text.size());
  return sentences;
}

Result<std::unique_ptr<Segmenter>> Segmenter::Create(std::string_view language, std::optional<PunktParameters> punkt) {
  if (!IsCode(language)) {
    return InvalidArgument("the language must be a code such as en or zh", "language");
  }
  if (language == "en") {
    ATELIER_ASSIGN(words, TreebankWords::Create());
    return std::unique_ptr<Segmenter>(
        std::make_unique<English>(std::move(words), punkt ? *std::move(punkt) : EnglishPunkt()));
  }
  const icu::Locale locale(std::string(language).c_str());
  UErrorCode status = U_ZERO_ERROR;
  Breaks words(icu::BreakIterator::createWordInstance(locale, status));
  Breaks sentences(language == "zh" ? nullptr : icu::BreakIterator::createSentenceInstance(locale, status));
  if (U_FAILURE(status) || words == nullptr) {
    return Internal("ICU has no word breaks: its data are not installed");
  }
  return std::unique_ptr<Segmenter>(std::make_unique<OfIcu>(std::move(sentences), std::move(words)));
}

Result<std::vector<std::string>> Segmenter::Words(std::string_view text) const {
  if (text.size() > kMaxTextBytes) {
    return MakeError(Code::kOutOfRange, "the text is too long to be cut into words", "request_too_large");
  }
  const std::string valid = IsUtf8(text) ? "" : ReplaceInvalidUtf8(text);
  text = valid.empty() ? text : std::string_view(valid);
  std::vector<std::string> all;
  for (const auto& sentence : Sentences(text)) {
    ATELIER_ASSIGN(words, WordsOfSentence(sentence.In(text)));
    all.insert(all.end(), std::make_move_iterator(words.begin()), std::make_move_iterator(words.end()));
  }
  return all;
}

}  // namespace atelier::text::language
