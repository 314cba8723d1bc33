#include "text/tokenizers/special_tokens.h"

#include <unicode/uchar.h>

#include "text/utf8.h"

namespace atelier::text {
namespace {

bool IsSpaceAt(std::string_view text, size_t at, uint32_t& length) {
  const Utf8Step step = ReadUtf8(text, at);
  length = step.length;
  return step.valid && u_isUWhiteSpace(static_cast<UChar32>(step.value));
}

std::string_view TrimRight(std::string_view text) {
  while (!text.empty()) {
    size_t last = text.size() - 1;
    while (last > 0 && (static_cast<uint8_t>(text[last]) & 0xC0U) == 0x80) {
      --last;
    }
    uint32_t length = 0;
    if (!IsSpaceAt(text, last, length) || last + length != text.size()) {
      break;
    }
    text = text.substr(0, last);
  }
  return text;
}

size_t SkipSpace(std::string_view text, size_t at) {
  uint32_t length = 0;
  while (at < text.size() && IsSpaceAt(text, at, length)) {
    at += length;
  }
  return at;
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
      at = SkipSpace(text, at);
    }
    begin = at;
  }
  add_text(text.size(), false);
  return parts;
}

}  // namespace atelier::text
