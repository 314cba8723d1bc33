#include "families/sequence/words.h"

#include <unicode/brkiter.h>
#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <algorithm>

#include "text/utf8.h"

namespace atelier::families {
namespace {

constexpr int32_t kMaxShape = 8;

// Written without spaces, a character a token.
bool StandsAlone(UChar32 c) {
  const auto script = u_getIntPropertyValue(c, UCHAR_SCRIPT);
  return u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC) || script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA;
}

std::string Utf8(const icu::UnicodeString& text, int32_t begin, int32_t end) {
  std::string out;
  text.tempSubStringBetween(begin, end).toUTF8String(out);
  return out;
}

class IcuCutter final : public WordCutter {
 public:
  IcuCutter(Cut cut, std::unique_ptr<icu::BreakIterator> words) : cut_(cut), words_(std::move(words)) {}

  std::vector<std::string> Tokens(std::string_view text, size_t limit) const override {
    const auto unicode = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
    std::vector<std::string> tokens;
    if (cut_ == Cut::kCharacter) {
      AppendCharacters(unicode, 0, unicode.length(), limit, tokens);
      return tokens;
    }
    const std::unique_ptr<icu::BreakIterator> words(words_->clone());
    words->setText(unicode);
    int32_t begin = words->first();
    for (int32_t end = words->next(); end != icu::BreakIterator::DONE && tokens.size() < limit; end = words->next()) {
      const UChar32 first = unicode.char32At(begin);
      if (cut_ == Cut::kAuto && StandsAlone(first)) {
        AppendCharacters(unicode, begin, end, limit, tokens);
      } else if (!u_isUWhiteSpace(first)) {
        tokens.push_back(Utf8(unicode, begin, end));
      }
      begin = end;
    }
    return tokens;
  }

 private:
  static void AppendCharacters(const icu::UnicodeString& text, int32_t begin, int32_t end, size_t limit,
                               std::vector<std::string>& tokens) {
    while (begin < end && tokens.size() < limit) {
      const int32_t next = text.moveIndex32(begin, 1);
      if (!u_isUWhiteSpace(text.char32At(begin))) {
        tokens.push_back(Utf8(text, begin, next));
      }
      begin = next;
    }
  }

  Cut cut_;
  std::unique_ptr<icu::BreakIterator> words_;
};

}  // namespace

Cut CutFromName(std::string_view name) {
  return name == "word" ? Cut::kWord : (name == "character" ? Cut::kCharacter : Cut::kAuto);
}

std::string_view Name(Cut cut) { return cut == Cut::kWord ? "word" : (cut == Cut::kCharacter ? "character" : "auto"); }

Result<std::unique_ptr<WordCutter>> WordCutter::Make(Cut cut) {
  UErrorCode code = U_ZERO_ERROR;
  std::unique_ptr<icu::BreakIterator> words(icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), code));
  if (U_FAILURE(code) || words == nullptr) {
    return Internal(std::string("ICU has no word boundaries: ") + u_errorName(code));
  }
  return std::unique_ptr<WordCutter>(std::make_unique<IcuCutter>(cut, std::move(words)));
}

std::string Lowercase(std::string_view text) {
  std::string out(text);
  if (std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
  }
  out.clear();
  icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())))
      .toLower(icu::Locale::getRoot())
      .toUTF8String(out);
  return out;
}

std::string_view Prefix(std::string_view text, size_t count) {
  size_t end = 0;
  for (; count > 0 && end < text.size(); --count) {
    end += text::ReadUtf8(text, end).length;
  }
  return text.substr(0, end);
}

std::string_view Suffix(std::string_view text, size_t count) {
  size_t begin = text.size();
  for (; count > 0 && begin > 0; --count) {
    --begin;
    while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0U) == 0x80U) {
      --begin;
    }
  }
  return text.substr(begin);
}

std::string Shape(std::string_view text) {
  std::string shape;
  char32_t last = 0;
  for (size_t at = 0; at < text.size() && shape.size() < kMaxShape;) {
    const auto step = text::ReadUtf8(text, at);
    const auto c = static_cast<UChar32>(step.value);
    char32_t kind = step.value;
    if (u_isalpha(c)) {
      kind = u_isupper(c) ? 'X' : 'x';
    } else if (u_isdigit(c)) {
      kind = '9';
    }
    if (kind != last) {
      text::AppendUtf8(shape, kind);
    }
    last = kind;
    at += step.length;
  }
  return shape;
}

std::vector<std::string> SplitSpaces(std::string_view text) {
  std::vector<std::string> items;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    items.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return items;
}

}  // namespace atelier::families
