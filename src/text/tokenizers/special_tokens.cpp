#include "text/tokenizers/special_tokens.h"

namespace atelier::text {
namespace {

constexpr std::string_view kWhiteSpace = " \t\n\v\f\r";

std::string_view TrimRight(std::string_view text) {
  const size_t last = text.find_last_not_of(kWhiteSpace);
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::vector<bool> Flags(const std::vector<int32_t>& ids, size_t count) {
  std::vector<bool> flags(count);
  for (const int32_t id : ids) {
    flags.at(static_cast<size_t>(id)) = true;
  }
  return flags;
}

}  // namespace

SpecialTokens::SpecialTokens(const TokenizerSpec& spec)
    : strips_left_(Flags(spec.strips_left, spec.tokens.size())),
      strips_right_(Flags(spec.strips_right, spec.tokens.size())) {
  std::vector<Trie::Entry> all;
  std::vector<Trie::Entry> user_defined;
  for (size_t id = 0; id < spec.kinds.size(); ++id) {
    const Trie::Entry entry{spec.tokens[id], static_cast<int32_t>(id)};
    const TokenKind kind = spec.kinds[id];
    if (kind == TokenKind::kUserDefined) {
      user_defined.push_back(entry);
    }
    if (kind == TokenKind::kUserDefined || kind == TokenKind::kControl || kind == TokenKind::kUnknown) {
      all.push_back(entry);
    }
  }
  all_ = Trie(std::move(all));
  user_defined_ = Trie(std::move(user_defined));
}

std::vector<Part> SpecialTokens::Partition(std::string_view text, bool parse_special) const {
  const Trie& tokens = parse_special ? all_ : user_defined_;
  std::vector<Part> parts;
  size_t begin = 0;  // of the text that is not yet in a part
  const auto add_text = [&](size_t end, bool trim) {
    std::string_view piece = text.substr(begin, end - begin);
    piece = trim ? TrimRight(piece) : piece;
    if (!piece.empty()) {
      parts.push_back({-1, piece});
    }
  };
  for (size_t at = 0; at < text.size() && !tokens.empty();) {
    const Trie::Match match = tokens.Longest(text, at);
    if (match.length == 0) {
      ++at;
      continue;
    }
    const auto id = static_cast<size_t>(match.value);
    add_text(at, strips_left_[id]);
    parts.push_back({match.value, text.substr(at, match.length)});
    at += match.length;
    if (strips_right_[id]) {
      at = std::min(text.find_first_not_of(kWhiteSpace, at), text.size());
    }
    begin = at;
  }
  add_text(text.size(), false);
  return parts;
}

}  // namespace atelier::text
