#include <openssl/evp.h>

#include "base/ids.h"
#include "text/tokenizers/json_parts.h"
#include "text/utf8.h"

namespace atelier::text {
namespace {

using Kind = NormalizerStep::Kind;

constexpr size_t kMaxCharsmapText = 32U << 20U;

// Base64 (RFC 4648, section 4), padded.
Result<std::string> DecodeBase64(std::string_view text, const std::string& path) {
  std::string out(text.size() / 4 * 3, '\0');
  const int size =
      text.empty() || text.size() % 4 != 0
          ? -1
          : EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                            reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) {
    return BadPart(path, "it is no base64");
  }
  const size_t padding = text.ends_with("==") ? 2 : (text.ends_with("=") ? 1 : 0);
  out.resize(static_cast<size_t>(size) - padding);
  return out;
}

Status ReadBertNormalizer(Fields& fields, const std::string& path, SpecDraft& draft) {
  if (draft.spec.kind != TokenizerKind::kWordPiece) {
    return UnknownPart(path, "a BertNormalizer of another model than WordPiece");
  }
  WordPieceOptions& options = draft.spec.word_piece;
  ATELIER_ASSIGN(clean_text, fields.BoolOr("clean_text", true));
  ATELIER_ASSIGN(separate_chinese, fields.BoolOr("handle_chinese_chars", true));
  ATELIER_ASSIGN(lowercase, fields.BoolOr("lowercase", true));
  ATELIER_ASSIGN(strip_accents, fields.BoolOr("strip_accents", lowercase));
  options.clean_text = clean_text;
  options.separate_chinese = separate_chinese;
  options.lowercase = lowercase;
  options.strip_accents = strip_accents;
  return {};
}

Status ReadReplace(Fields& fields, const json::object& object, const std::string& path, SpecDraft& draft) {
  ATELIER_ASSIGN(pattern, ReadPattern(object, path));
  ATELIER_ASSIGN(content, fields.StringOr("content", ""));
  if (!draft.byte_level && !pattern.is_regex && pattern.text == " " && content == kSpaceMark) {
    draft.marks_spaces = true;  // the model does it
    return {};
  }
  draft.spec.normalizer.push_back(
      {.kind = pattern.is_regex ? Kind::kReplaceRegex : Kind::kReplace, .pattern = pattern.text, .content = content});
  return {};
}

Status ReadPrepend(Fields& fields, SpecDraft& draft) {
  ATELIER_ASSIGN(content, fields.StringOr("prepend", ""));
  if (!draft.byte_level && content == kSpaceMark) {
    draft.spec.add_space_prefix = true;
    draft.spec.space_prefix = SpacePrefix::kEach;
  } else {
    draft.spec.normalizer.push_back({.kind = Kind::kPrepend, .content = content});
  }
  return {};
}

Status ReadCharsmap(Fields& fields, const std::string& path, SpecDraft& draft) {
  ATELIER_ASSIGN(text, fields.StringOr("precompiled_charsmap", "", kMaxCharsmapText));
  if (text.empty()) {
    return {};
  }
  if (!draft.spec.precompiled_charsmap.empty()) {
    return UnknownPart(path, "a second Precompiled");
  }
  ATELIER_ASSIGN(charsmap, DecodeBase64(text, path + ".precompiled_charsmap"));
  draft.spec.precompiled_charsmap = charsmap;
  draft.spec.normalizer.push_back({.kind = Kind::kCharsmap});
  return {};
}

struct SimpleRow {
  std::string_view type;
  Kind kind;
};
constexpr SimpleRow kSimple[] = {{"NFC", Kind::kNfc},
                                 {"NFD", Kind::kNfd},
                                 {"NFKC", Kind::kNfkc},
                                 {"NFKD", Kind::kNfkd},
                                 {"Lowercase", Kind::kLowercase},
                                 {"StripAccents", Kind::kStripAccents}};

}  // namespace

Status ReadNormalizerPart(const json::value& value, const std::string& path, SpecDraft& draft) {
  if (value.is_null()) {
    return {};
  }
  ATELIER_ASSIGN(part, ReadPart(value, path));
  Fields fields(*part.object, path);
  if (part.type == "Sequence") {
    return ForEachPart(part, "normalizers", path, [&](const json::value& member, const std::string& place) {
      return ReadNormalizerPart(member, place, draft);
    });
  }
  for (const SimpleRow& row : kSimple) {
    if (row.type == part.type) {
      draft.spec.normalizer.push_back({.kind = row.kind});
      return {};
    }
  }
  if (part.type == "BertNormalizer") {
    return ReadBertNormalizer(fields, path, draft);
  }
  if (part.type == "Replace") {
    return ReadReplace(fields, *part.object, path, draft);
  }
  if (part.type == "Prepend") {
    return ReadPrepend(fields, draft);
  }
  if (part.type == "Precompiled") {
    return ReadCharsmap(fields, path, draft);
  }
  if (part.type == "Strip") {
    ATELIER_ASSIGN(left, fields.BoolOr("strip_left", true));
    ATELIER_ASSIGN(right, fields.BoolOr("strip_right", true));
    draft.spec.normalizer.push_back({.kind = Kind::kStrip, .left = left, .right = right});
    return {};
  }
  return UnknownPart(path, "the normaliser " + QuotedName(part.type));
}

}  // namespace atelier::text
