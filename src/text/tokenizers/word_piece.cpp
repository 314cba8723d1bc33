#include "text/tokenizers/basic_words.h"
#include "text/tokenizers/models.h"
#include "text/utf8.h"

namespace atelier::text {
namespace {

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
    for (const BasicWord& word : BasicWords(text, options_)) {
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

  void EncodeWord(const BasicWord& word, std::vector<int32_t>& ids) const {
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
