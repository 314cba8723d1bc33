#include <unicode/uchar.h>

#include <algorithm>

#include "text/tokenizers/models.h"
#include "text/utf8.h"

namespace atelier::text {
namespace {

struct Range {
  char32_t first, last;
};
// The blocks that BERT takes for Chinese characters; 2B920 is what the published vocabularies were made with.
constexpr Range kIdeographs[] = {{0x4E00, 0x9FFF},   {0x3400, 0x4DBF},   {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
                                 {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0xF900, 0xFAFF},   {0x2F800, 0x2FA1F}};

bool IsIdeograph(char32_t character) {
  return std::ranges::any_of(kIdeographs,
                             [=](const Range& range) { return range.first <= character && character <= range.last; });
}

bool HasCategory(char32_t character, uint32_t mask) {
  return (U_GET_GC_MASK(static_cast<UChar32>(character)) & mask) != 0;
}

// What BERT drops: control and format characters, private ones, NUL and U+FFFD; not tab and line breaks.
bool IsDropped(char32_t character) {
  if (character == '\t' || character == '\n' || character == '\r') {
    return false;
  }
  return character == 0 || character == 0xFFFD ||
         HasCategory(character, U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK | U_GC_CS_MASK);
}

bool IsPunctuation(char32_t character) {
  if (character < 0x80) {
    return character > ' ' && character < 0x7F && !u_isalnum(static_cast<UChar32>(character));
  }
  return HasCategory(character, U_GC_P_MASK);
}

// A word, and how many characters it has.
struct Word {
  std::string text;
  int32_t characters = 0;
};

// The forms that English text has without the space that joining words puts there.
constexpr std::pair<std::string_view, std::string_view> kCleanups[] = {
    {" .", "."},     {" ?", "?"},   {" !", "!"},   {" ,", ","},     {" ' ", "'"},
    {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};

class WordPieceTokenizer final : public TokenizerBase {
 public:
  explicit WordPieceTokenizer(TokenizerSpec spec) : TokenizerBase(std::move(spec)), options_(spec_.word_piece) {}

  std::string Decode(const std::vector<int32_t>& ids) const override {
    std::string out = TokenizerBase::Decode(ids);
    for (const auto& [from, to] : kCleanups) {
      out = ReplaceAll(out, from, to);
    }
    return out;
  }

 protected:
  Status PrepareModel() override {
    std::vector<Trie::Entry> begin;
    std::vector<Trie::Entry> inside;
    for (int32_t id = 0; id < size(); ++id) {
      if (IsPlain(id)) {
        (BeginsWord(TokenText(id)) ? begin : inside).emplace_back(Stripped(TokenText(id)), id);
      }
    }
    begin_ = Trie(std::move(begin));
    inside_ = Trie(std::move(inside));
    return {};
  }

  void EncodeText(std::string_view text, bool /*first*/, std::vector<int32_t>& ids) const override {
    for (const Word& word : Words(text)) {
      EncodeWord(word, ids);
    }
  }

  std::string BytesOf(int32_t id) const override {
    const std::string_view token = TokenText(id);
    return (BeginsWord(token) ? " " : "") + std::string(Stripped(token));
  }

 private:
  bool BeginsWord(std::string_view token) const {
    return options_.continuing_prefix.empty() ? token.starts_with(options_.word_prefix)
                                              : !token.starts_with(options_.continuing_prefix);
  }

  std::string_view Stripped(std::string_view token) const {
    const std::string& prefix = BeginsWord(token) ? options_.word_prefix : options_.continuing_prefix;
    return token.starts_with(prefix) ? token.substr(prefix.size()) : token;
  }

  std::vector<Word> Words(std::string_view text) const {
    const std::string decomposed = options_.strip_accents ? DecomposeCanonically(text) : std::string(text);
    std::vector<Word> words;
    bool open = false;  // the last word goes on
    const auto append = [&](char32_t character) {
      if (!open) {
        words.emplace_back();
      }
      AppendUtf8(words.back().text, options_.lowercase ? LowerCase(character) : character);
      ++words.back().characters;
      open = true;
    };
    for (size_t at = 0; at < decomposed.size();) {
      const Utf8Step step = ReadUtf8(decomposed, at);
      at += step.length;
      const char32_t character = step.value;
      if ((options_.clean_text && IsDropped(character)) ||
          (options_.strip_accents && HasCategory(character, U_GC_MN_MASK))) {
        continue;
      }
      if (u_isUWhiteSpace(static_cast<UChar32>(character))) {
        open = false;
      } else if (IsPunctuation(character) || (options_.separate_chinese && IsIdeograph(character))) {
        open = false;
        append(character);
        open = false;
      } else {
        append(character);
      }
    }
    return words;
  }

  void EncodeWord(const Word& word, std::vector<int32_t>& ids) const {
    const size_t before = ids.size();
    bool known = options_.max_word_chars <= 0 || word.characters <= options_.max_word_chars;
    for (size_t at = 0; known && at < word.text.size();) {
      const Trie::Match match = (at == 0 ? begin_ : inside_).Longest(word.text, at);
      known = match.length > 0;
      if (known) {
        ids.push_back(match.value);
        at += match.length;
      }
    }
    if (!known) {
      ids.resize(before);
      ids.push_back(*spec_.unknown);
    }
  }

  const WordPieceOptions& options_;
  Trie begin_;
  Trie inside_;
};

}  // namespace

std::unique_ptr<TokenizerBase> MakeWordPiece(TokenizerSpec spec) {
  return std::make_unique<WordPieceTokenizer>(std::move(spec));
}

}  // namespace atelier::text
