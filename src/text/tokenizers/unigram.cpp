#include <algorithm>
#include <limits>

#include "text/tokenizers/models.h"
#include "text/utf8.h"

namespace atelier::text {
namespace {

constexpr double kUnknownPenalty = 10.0;  // below the lowest score, as SentencePiece has it

// The best way to a place of the text.
struct Best {
  double score = -std::numeric_limits<double>::infinity();
  uint32_t from = 0;
  int32_t token = -1;  // -1: a character that no token covers
};

class UnigramTokenizer final : public TokenizerBase {
 public:
  explicit UnigramTokenizer(TokenizerSpec spec) : TokenizerBase(std::move(spec)) {}

 protected:
  Status PrepareModel() override {
    byte_tokens_ = ByteTokens();
    std::vector<Trie::Entry> entries;
    float lowest = std::numeric_limits<float>::max();
    for (int32_t id = 0; id < size(); ++id) {
      if (IsPlain(id)) {
        entries.emplace_back(TokenText(id), id);
      }
      if (KindOf(id) == TokenKind::kNormal) {
        lowest = std::min(lowest, spec_.scores[static_cast<size_t>(id)]);
      }
    }
    tokens_ = Trie(std::move(entries));
    unknown_score_ = (lowest == std::numeric_limits<float>::max() ? 0.0 : lowest) - kUnknownPenalty;
    return {};
  }

  void EncodeText(std::string_view text, bool first, std::vector<int32_t>& ids) const override {
    const std::string escaped = spec_.remove_extra_whitespaces ? EscapeWords(text) : EscapeSpaces(text, first);
    const std::vector<Best> best = FindBest(escaped);
    std::vector<uint32_t> ends;
    for (auto end = static_cast<uint32_t>(escaped.size()); end > 0; end = best[end].from) {
      ends.push_back(end);
    }
    std::ranges::reverse(ends);
    bool after_unknown = false;
    for (const uint32_t end : ends) {
      const Best& step = best[end];
      if (step.token >= 0) {
        ids.push_back(step.token);
      } else {
        AppendUnknown(std::string_view(escaped).substr(step.from, end - step.from), after_unknown, ids);
      }
      after_unknown = step.token < 0;
    }
  }

  std::string BytesOf(int32_t id) const override { return ReplaceAll(TokenText(id), kSpaceMark, " "); }

 private:
  // One mark before each word, none elsewhere; the first word has one only where the spec says so.
  std::string EscapeWords(std::string_view text) const {
    std::string out;
    for (size_t at = text.find_first_not_of(' '); at < text.size(); at = text.find_first_not_of(' ', at)) {
      const size_t end = std::min(text.find(' ', at), text.size());
      if (!out.empty() || spec_.add_space_prefix) {
        out += kSpaceMark;
      }
      out.append(text, at, end - at);
      at = end;
    }
    return out;
  }

  std::vector<Best> FindBest(std::string_view text) const {
    std::vector<Best> best(text.size() + 1);
    best[0].score = 0;
    for (size_t at = 0; at < text.size();) {
      const size_t length = ReadUtf8(text, at).length;
      const double score = best[at].score;
      const auto offer = [&](size_t end, double challenger, int32_t token) {
        if (challenger > best[end].score) {
          best[end] = {challenger, static_cast<uint32_t>(at), token};
        }
      };
      bool covered = false;
      uint32_t node = Trie::kRoot;
      for (size_t end = at; end < text.size();) {
        node = tokens_.Child(node, static_cast<uint8_t>(text[end++]));
        if (node == Trie::kNone) {
          break;
        }
        if (const int32_t token = tokens_.Value(node); token >= 0) {
          covered = covered || end - at == length;
          const bool user_defined = KindOf(token) == TokenKind::kUserDefined;
          offer(end, score + (user_defined ? 0.0 : spec_.scores[static_cast<size_t>(token)]), token);
        }
      }
      if (!covered) {
        offer(at + length, score + unknown_score_, -1);
      }
      at += length;
    }
    return best;
  }

  // Byte tokens for each byte, where the vocabulary has them; else one unknown token for a run of unknown characters.
  void AppendUnknown(std::string_view character, bool after_unknown, std::vector<int32_t>& ids) const {
    const auto has_token = [&](char byte) { return byte_tokens_[static_cast<uint8_t>(byte)] >= 0; };
    if (std::ranges::all_of(character, has_token)) {
      for (const char byte : character) {
        ids.push_back(byte_tokens_[static_cast<uint8_t>(byte)]);
      }
    } else if (spec_.unknown && !after_unknown) {
      ids.push_back(*spec_.unknown);
    }
  }

  Trie tokens_;
  std::array<int32_t, 256> byte_tokens_{};
  double unknown_score_ = 0;
};

}  // namespace

std::unique_ptr<TokenizerBase> MakeUnigram(TokenizerSpec spec) {
  return std::make_unique<UnigramTokenizer>(std::move(spec));
}

}  // namespace atelier::text
