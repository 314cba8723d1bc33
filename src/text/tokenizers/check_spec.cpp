#include "text/tokenizers/check_spec.h"

#include <cmath>
#include <string_view>
#include <unordered_map>

#include "base/ids.h"
#include "text/tokenizers/tokenizer_base.h"

namespace atelier::text {
namespace {

Error Bad(std::string_view field, const std::string& message) {
  return InvalidArgument("the tokeniser's " + std::string(field) + ": " + message, std::string(field),
                         "invalid_tokenizer");
}

Status CheckTokens(const TokenizerSpec& spec) {
  if (spec.tokens.empty() || spec.tokens.size() > kMaxTokens) {
    return Bad("tokens",
               "there are " + std::to_string(spec.tokens.size()) + ", not 1 to " + std::to_string(kMaxTokens));
  }
  size_t bytes = 0;
  std::unordered_map<std::string_view, size_t> seen;
  seen.reserve(spec.tokens.size());
  for (size_t id = 0; id < spec.tokens.size(); ++id) {
    const std::string& token = spec.tokens[id];
    bytes += token.size();
    if (token.size() > kMaxTokenBytes || bytes > kMaxVocabularyBytes) {
      return Bad("tokens", "token " + std::to_string(id) + " of " + std::to_string(token.size()) +
                               " bytes is too long, or all are");
    }
    const auto [other, inserted] = seen.emplace(token, id);
    if (!inserted && !token.empty()) {
      return Bad("tokens",
                 QuotedName(token) + " is both token " + std::to_string(other->second) + " and " + std::to_string(id));
    }
  }
  return {};
}

Status CheckKinds(const TokenizerSpec& spec) {
  if (!spec.kinds.empty() && spec.kinds.size() != spec.tokens.size()) {
    return Bad("kinds", "there are " + std::to_string(spec.kinds.size()) + " for " +
                            std::to_string(spec.tokens.size()) + " tokens");
  }
  for (size_t id = 0; id < spec.kinds.size(); ++id) {
    if (spec.kinds[id] > TokenKind::kByte) {
      return Bad("kinds", "token " + std::to_string(id) + " is of an unknown kind");
    }
    if (spec.kinds[id] == TokenKind::kByte && !ByteOfToken(spec.tokens[id])) {
      return Bad("tokens", QuotedName(spec.tokens[id]) + " is no byte token such as '<0x0A>'");
    }
  }
  return {};
}

Status CheckScores(const TokenizerSpec& spec) {
  const bool needed =
      spec.kind == TokenizerKind::kUnigram || (spec.kind == TokenizerKind::kSentencePieceBpe && spec.merges.empty());
  if ((needed || !spec.scores.empty()) && spec.scores.size() != spec.tokens.size()) {
    return Bad("scores", "there are " + std::to_string(spec.scores.size()) + " for " +
                             std::to_string(spec.tokens.size()) + " tokens");
  }
  for (size_t id = 0; id < spec.scores.size(); ++id) {
    if (!std::isfinite(spec.scores[id])) {
      return Bad("scores", "that of token " + std::to_string(id) + " is no finite number");
    }
  }
  return {};
}

Status CheckId(const TokenizerSpec& spec, std::string_view field, int32_t id) {
  if (id < 0 || static_cast<size_t>(id) >= spec.tokens.size()) {
    return Bad(field, std::to_string(id) + " is no token; there are " + std::to_string(spec.tokens.size()));
  }
  return {};
}

Status CheckIds(const TokenizerSpec& spec) {
  const std::pair<std::string_view, std::optional<int32_t>> ids[] = {
      {"bos", spec.bos},         {"eos", spec.eos},
      {"eot", spec.eot},         {"unknown", spec.unknown},
      {"padding", spec.padding}, {"separator", spec.separator},
      {"mask", spec.mask},       {"classification", spec.classification}};
  for (const auto& [field, id] : ids) {
    if (id) {
      ATELIER_TRY(CheckId(spec, field, *id));
    }
  }
  const std::pair<std::string_view, const std::vector<int32_t>*> lists[] = {{"strips_left", &spec.strips_left},
                                                                            {"strips_right", &spec.strips_right},
                                                                            {"before", &spec.before},
                                                                            {"after", &spec.after}};
  for (const auto& [field, list] : lists) {
    for (const int32_t id : *list) {
      ATELIER_TRY(CheckId(spec, field, id));
    }
  }
  return {};
}

Status CheckNeeded(const TokenizerSpec& spec) {
  const bool words = spec.kind == TokenizerKind::kWordPiece;
  if ((words || spec.kind == TokenizerKind::kUnigram) && !spec.unknown) {
    return Bad("unknown", "this kind needs an unknown token");
  }
  if (spec.add_bos && !spec.bos && !(words && spec.classification)) {
    return Bad("add_bos", "there is no beginning-of-sequence token to add");
  }
  if (spec.add_eos && !spec.eos && !(words && spec.separator)) {
    return Bad("add_eos", "there is no end-of-sequence token to add");
  }
  const bool merging = spec.kind == TokenizerKind::kByteLevelBpe || spec.kind == TokenizerKind::kSentencePieceBpe;
  if (spec.merges.size() > (merging ? kMaxMerges : 0)) {
    return Bad("merges", "there are " + std::to_string(spec.merges.size()) + ", which this kind cannot have");
  }
  if (words && spec.word_piece.continuing_prefix.empty() && spec.word_piece.word_prefix.empty()) {
    return Bad("word_piece", "tokens that begin a word cannot be told from those within");
  }
  return {};
}

}  // namespace

Status CheckSpec(const TokenizerSpec& spec) {
  if (spec.kind < TokenizerKind::kByteLevelBpe || spec.kind > TokenizerKind::kWordPiece) {
    return Bad("kind", "it is unknown");
  }
  ATELIER_TRY(CheckTokens(spec));
  ATELIER_TRY(CheckKinds(spec));
  ATELIER_TRY(CheckScores(spec));
  ATELIER_TRY(CheckIds(spec));
  return CheckNeeded(spec);
}

}  // namespace atelier::text
