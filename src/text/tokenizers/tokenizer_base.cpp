#include "text/tokenizers/tokenizer_base.h"

#include "text/utf8.h"

namespace atelier::text {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

std::optional<uint8_t> ByteOfToken(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') {
    return std::nullopt;
  }
  const int high = HexDigit(token[3]);
  const int low = HexDigit(token[4]);
  if (high < 0 || low < 0) {
    return std::nullopt;
  }
  return static_cast<uint8_t>(high * 16 + low);
}

bool DropsFirstSpace(const TokenizerSpec& spec) {
  switch (spec.kind) {
    case TokenizerKind::kByteLevelBpe:
      return false;
    case TokenizerKind::kSentencePieceBpe:
    case TokenizerKind::kUnigram:
      return spec.add_space_prefix;
    case TokenizerKind::kWordPiece:
      return true;
  }
  return false;
}

Status TokenizerBase::Prepare() {
  ATELIER_ASSIGN(normalizer, Normalizer::Make(spec_));
  normalizer_ = std::move(normalizer);
  special_ = SpecialTokens(spec_);
  ATELIER_TRY(PrepareModel());
  offsets_.reserve(spec_.tokens.size() + 1);
  offsets_.push_back(0);
  for (int32_t id = 0; id < size(); ++id) {
    const TokenKind kind = KindOf(id);
    if (kind == TokenKind::kNormal || kind == TokenKind::kUserDefined) {
      bytes_ += BytesOf(id);
    } else if (kind == TokenKind::kByte) {
      bytes_ += static_cast<char>(ByteOfToken(TokenText(id)).value_or(0));
    }
    offsets_.push_back(bytes_.size());
  }
  return {};
}

std::vector<int32_t> TokenizerBase::Encode(std::string_view text, const EncodeOptions& options) const {
  std::vector<int32_t> ids;
  if (options.add_special) {
    AppendSpecial(true, ids);
  }
  bool first = true;
  for (const Part& part : special_.Partition(text, options.parse_special)) {
    if (part.token >= 0) {
      ids.push_back(part.token);
    } else {
      EncodeText(normalizer_->Apply(std::string(part.text)), first, ids);
    }
    first = false;
  }
  if (options.add_special) {
    AppendSpecial(false, ids);
  }
  return ids;
}

std::string_view TokenizerBase::Bytes(int32_t id) const {
  if (id < 0 || id >= size()) {
    return {};
  }
  const auto index = static_cast<size_t>(id);
  return std::string_view(bytes_).substr(offsets_[index], offsets_[index + 1] - offsets_[index]);
}

std::string TokenizerBase::Decode(const std::vector<int32_t>& ids) const {
  std::string out;
  for (const int32_t id : ids) {
    out += Bytes(id);
  }
  if (DropsFirstSpace(spec_) && out.starts_with(' ')) {
    out.erase(0, 1);
  }
  return out;
}

TokenKind TokenizerBase::KindOf(int32_t id) const {
  return spec_.kinds.empty() ? TokenKind::kNormal : spec_.kinds[static_cast<size_t>(id)];
}

bool TokenizerBase::IsPlain(int32_t id) const {
  const TokenKind kind = KindOf(id);
  return kind == TokenKind::kNormal || kind == TokenKind::kUserDefined || kind == TokenKind::kUnused;
}

TokenizerBase::Index TokenizerBase::PlainTokens() const {
  Index index;
  index.reserve(spec_.tokens.size());
  for (int32_t id = 0; id < size(); ++id) {
    if (IsPlain(id) && !TokenText(id).empty()) {
      index.emplace(TokenText(id), id);
    }
  }
  return index;
}

std::string TokenizerBase::EscapeSpaces(std::string_view text, bool first) const {
  std::string escaped = ReplaceAll(text, " ", kSpaceMark);
  if (!spec_.add_space_prefix || text.empty()) {
    return escaped;
  }
  const bool wanted =
      spec_.space_prefix == SpacePrefix::kEach ||
      ((first || spec_.space_prefix == SpacePrefix::kEachIfMissing) && !escaped.starts_with(kSpaceMark));
  return wanted ? std::string(kSpaceMark) + escaped : escaped;
}

std::array<int32_t, 256> TokenizerBase::ByteTokens() const {
  std::array<int32_t, 256> ids{};
  ids.fill(-1);
  for (int32_t id = 0; id < size(); ++id) {
    if (KindOf(id) == TokenKind::kByte) {
      ids.at(ByteOfToken(TokenText(id)).value_or(0)) = id;
    }
  }
  return ids;
}

void TokenizerBase::AppendSpecial(bool before, std::vector<int32_t>& ids) const {
  const bool words = spec_.kind == TokenizerKind::kWordPiece;
  if (before) {
    const auto& begin = words && spec_.classification ? spec_.classification : spec_.bos;
    if (spec_.add_bos && begin) {
      ids.push_back(*begin);
    }
    ids.insert(ids.end(), spec_.before.begin(), spec_.before.end());
    return;
  }
  ids.insert(ids.end(), spec_.after.begin(), spec_.after.end());
  const auto& end = words && spec_.separator ? spec_.separator : spec_.eos;
  if (spec_.add_eos && end) {
    ids.push_back(*end);
  }
}

}  // namespace atelier::text
