#include <algorithm>
#include <queue>

#include "text/tokenizers/models.h"
#include "text/utf8.h"

namespace atelier::text {
namespace {

constexpr uint32_t kEnd = UINT32_MAX;  // of the chain of symbols

// Two neighbours that would make a token.
struct Candidate {
  float score;
  uint32_t left, right;
  uint32_t length;  // of both, to see whether they still are what they were
  bool operator<(const Candidate& other) const {
    return score < other.score || (score == other.score && left > other.left);
  }
};

// A piece of the text; merged pieces lie side by side, so that a piece is a range.
struct Symbol {
  uint32_t begin;
  uint32_t length;  // 0: it went into its left neighbour
  uint32_t previous, next;
};

class ScoredBpeTokenizer final : public TokenizerBase {
 public:
  explicit ScoredBpeTokenizer(TokenizerSpec spec) : TokenizerBase(std::move(spec)) {}

 protected:
  Status PrepareModel() override {
    plain_ = PlainTokens();
    byte_tokens_ = ByteTokens();
    for (const auto& [token, id] : plain_) {
      longest_ = std::max(longest_, token.size());
    }
    return {};
  }

  void EncodeText(std::string_view text, bool first, std::vector<int32_t>& ids) const override {
    const std::string escaped = EscapeSpaces(text, first);
    std::vector<Symbol> symbols = Characters(escaped);
    Merge(escaped, symbols);
    bool after_unknown = false;
    for (uint32_t i = 0; i < symbols.size(); i = symbols[i].next) {
      AppendSymbol(std::string_view(escaped).substr(symbols[i].begin, symbols[i].length), after_unknown, ids);
    }
  }

  std::string BytesOf(int32_t id) const override { return ReplaceAll(TokenText(id), kSpaceMark, " "); }

 private:
  static std::vector<Symbol> Characters(std::string_view text) {
    std::vector<Symbol> symbols;
    for (uint32_t at = 0; at < text.size();) {
      const Utf8Step step = ReadUtf8(text, at);
      const auto index = static_cast<uint32_t>(symbols.size());
      symbols.push_back({at, step.valid ? step.length : 1, index - 1, index + 1});
      at += symbols.back().length;
    }
    if (!symbols.empty()) {
      symbols.back().next = kEnd;
    }
    return symbols;
  }

  void Merge(std::string_view text, std::vector<Symbol>& symbols) const {
    std::priority_queue<Candidate> queue;
    const auto add = [&](uint32_t left, uint32_t right) {
      const uint32_t length = symbols[left].length + symbols[right].length;
      if (length > longest_) {
        return;
      }
      const auto found = plain_.find(text.substr(symbols[left].begin, length));
      if (found != plain_.end()) {
        queue.push({spec_.scores[static_cast<size_t>(found->second)], left, right, length});
      }
    };
    for (uint32_t i = 1; i < symbols.size(); ++i) {
      add(i - 1, i);
    }
    while (!queue.empty()) {
      const Candidate best = queue.top();
      queue.pop();
      Symbol& left = symbols[best.left];
      Symbol& right = symbols[best.right];
      if (left.length == 0 || right.length == 0 || left.length + right.length != best.length) {
        continue;  // one of them merged with another
      }
      left.length = best.length;
      right.length = 0;
      left.next = right.next;
      if (left.next != kEnd) {
        symbols[left.next].previous = best.left;
        add(best.left, left.next);
      }
      if (left.previous != kEnd) {
        add(left.previous, best.left);
      }
    }
  }

  void AppendSymbol(std::string_view symbol, bool& after_unknown, std::vector<int32_t>& ids) const {
    if (const auto found = plain_.find(symbol); found != plain_.end()) {
      ids.push_back(found->second);
      after_unknown = false;
      return;
    }
    for (const char byte : symbol) {
      const int32_t id = byte_tokens_[static_cast<uint8_t>(byte)];
      if (id >= 0) {
        ids.push_back(id);
      } else if (spec_.unknown && !after_unknown) {
        ids.push_back(*spec_.unknown);
      }
      after_unknown = id < 0;
    }
  }

  Index plain_;
  std::array<int32_t, 256> byte_tokens_{};
  size_t longest_ = 0;  // bytes of a token
};

}  // namespace

std::unique_ptr<TokenizerBase> MakeScoredBpe(TokenizerSpec spec) {
  return std::make_unique<ScoredBpeTokenizer>(std::move(spec));
}

}  // namespace atelier::text
