#include "base/ids.h"
#include "text/tokenizers/json_parts.h"
#include "text/tokenizers/pre_tokenizers.h"
#include "text/utf8.h"

namespace atelier::text {
namespace {

using Behaviour = SplitStep::Behaviour;

constexpr std::string_view kPunctuation = R"([\p{P}!-/:-@\[-`{-~])";

Result<Behaviour> ReadBehaviour(Fields& fields, std::string fallback) {
  ATELIER_ASSIGN(name, fields.StringOr("behavior", std::move(fallback)));
  if (name == "Removed") {
    return Behaviour::kRemoved;
  }
  if (name == "Isolated") {
    return Behaviour::kIsolated;
  }
  if (name == "MergedWithPrevious") {
    return Behaviour::kMergedWithPrevious;
  }
  if (name == "MergedWithNext") {
    return Behaviour::kMergedWithNext;
  }
  if (name == "Contiguous") {
    return Behaviour::kContiguous;
  }
  return UnknownPart(fields.Path("behavior"), "the behaviour " + QuotedName(name));
}

// A regex for just this text.
std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool sign =
        c > ' ' && c < 0x7F && !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z');
    out += sign ? std::string{'\\', c} : std::string(1, c);
  }
  return out;
}

Status ReadSplit(Fields& fields, const json::object& object, const std::string& path, SpecDraft& draft) {
  ATELIER_ASSIGN(pattern, ReadPattern(object, path));
  ATELIER_ASSIGN(behaviour, ReadBehaviour(fields, ""));
  ATELIER_ASSIGN(invert, fields.BoolOr("invert", false));
  draft.spec.splits->push_back({pattern.is_regex ? pattern.text : Escaped(pattern.text), behaviour, invert});
  return {};
}

Status ReadByteLevel(Fields& fields, const std::string& path, SpecDraft& draft) {
  ATELIER_ASSIGN(prefix, fields.BoolOr("add_prefix_space", true));
  ATELIER_ASSIGN(use_regex, fields.BoolOr("use_regex", true));
  draft.byte_level = true;
  if (prefix) {
    if (!draft.spec.splits->empty()) {
      return UnknownPart(path, "a ByteLevel with add_prefix_space behind a split");
    }
    draft.spec.normalizer.push_back({.kind = NormalizerStep::Kind::kPrependIfMissing, .content = " "});
  }
  if (use_regex) {
    draft.spec.splits->push_back({.regex = std::string(Gpt2Regex())});
  }
  return {};
}

Status ReadMetaspace(Fields& fields, const std::string& path, SpecDraft& draft) {
  ATELIER_ASSIGN(replacement, fields.StringOr("replacement", std::string(kSpaceMark)));
  ATELIER_ASSIGN(old_prefix, fields.BoolOr("add_prefix_space", true));
  ATELIER_ASSIGN(scheme, fields.StringOr("prepend_scheme", old_prefix ? "always" : "never"));
  ATELIER_ASSIGN(split, fields.BoolOr("split", true));
  if (replacement != kSpaceMark) {
    return UnknownPart(path, "a Metaspace that replaces by " + QuotedName(replacement));
  }
  if (scheme != "always" && scheme != "first" && scheme != "never") {
    return UnknownPart(path, "the prepend_scheme " + QuotedName(scheme));
  }
  draft.marks_spaces = true;
  draft.spec.add_space_prefix = scheme != "never";
  draft.spec.space_prefix = scheme == "first" ? SpacePrefix::kFirstIfMissing : SpacePrefix::kEachIfMissing;
  if (split) {
    draft.spec.splits->push_back({std::string(kSpaceMark), Behaviour::kMergedWithNext, false});
  }
  return {};
}

// Before a Metaspace each word gets its mark, so that white space may as well become one space.
void AddWhitespaceSplit(SpecDraft& draft) {
  if (draft.byte_level || draft.spec.kind == TokenizerKind::kWordPiece) {
    draft.spec.splits->push_back({R"(\s+)", Behaviour::kRemoved, false});
    return;
  }
  // A word that begins with a mark gets no other.
  draft.spec.normalizer.push_back({.kind = NormalizerStep::Kind::kReplaceRegex, .pattern = R"(\s+(?=\x{2581}))"});
  draft.spec.normalizer.push_back({.kind = NormalizerStep::Kind::kReplaceRegex, .pattern = R"(\s+)", .content = " "});
  draft.spec.normalizer.push_back({.kind = NormalizerStep::Kind::kStrip});
}

}  // namespace

Result<PatternPart> ReadPattern(const json::object& object, const std::string& path) {
  const json::value* pattern = object.if_contains("pattern");
  if (pattern != nullptr && pattern->is_object() && pattern->get_object().size() == 1) {
    const auto& entry = *pattern->get_object().begin();
    const bool is_regex = entry.key() == "Regex";
    if ((is_regex || entry.key() == "String") && entry.value().is_string() && !entry.value().get_string().empty()) {
      return PatternPart{std::string(std::string_view(entry.value().get_string())), is_regex};
    }
  }
  return BadPart(path + ".pattern", "it is neither a String nor a Regex");
}

Status ReadPreTokenizerPart(const json::value& value, const std::string& path, SpecDraft& draft) {
  if (value.is_null()) {
    return {};
  }
  ATELIER_ASSIGN(part, ReadPart(value, path));
  Fields fields(*part.object, path);
  std::vector<SplitStep>& splits = *draft.spec.splits;
  if (part.type == "Sequence") {
    return ForEachPart(part, "pretokenizers", path, [&](const json::value& member, const std::string& place) {
      return ReadPreTokenizerPart(member, place, draft);
    });
  }
  if (part.type == "BertPreTokenizer" && draft.spec.kind == TokenizerKind::kWordPiece) {
    return {};  // the model does it
  }
  if (draft.spec.kind == TokenizerKind::kWordPiece) {
    return UnknownPart(path, "a WordPiece with the pre-tokeniser " + QuotedName(part.type));
  }
  if (part.type == "ByteLevel") {
    return ReadByteLevel(fields, path, draft);
  }
  if (part.type == "Metaspace") {
    return ReadMetaspace(fields, path, draft);
  }
  if (part.type == "Split") {
    return ReadSplit(fields, *part.object, path, draft);
  }
  if (part.type == "WhitespaceSplit") {
    AddWhitespaceSplit(draft);
  } else if (part.type == "Whitespace") {
    splits.push_back({R"(\w+|[^\w\s]+)", Behaviour::kRemoved, true});
  } else if (part.type == "Digits") {
    ATELIER_ASSIGN(individual, fields.BoolOr("individual_digits", false));
    splits.push_back({individual ? R"(\p{N})" : R"(\p{N}+)", Behaviour::kIsolated, false});
  } else if (part.type == "Punctuation") {
    ATELIER_ASSIGN(behaviour, ReadBehaviour(fields, "Isolated"));
    splits.push_back({std::string(kPunctuation), behaviour, false});
  } else {
    return UnknownPart(path, "the pre-tokeniser " + QuotedName(part.type));
  }
  return {};
}

}  // namespace atelier::text
