#include "text/tokenizer_json.h"

#include <openssl/evp.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/json.h"
#include "text/tokenizers/check_spec.h"
#include "text/tokenizers/pre_tokenizers.h"
#include "text/utf8.h"

namespace atelier::text {
namespace {

json::object Typed(std::string_view type) { return {{"type", type}}; }
json::object Sequence(std::string_view of, json::array parts) { return {{"type", "Sequence"}, {of, std::move(parts)}}; }
json::object Replace(std::string_view pattern, std::string_view content) {
  return {{"type", "Replace"}, {"pattern", {{"String", pattern}}}, {"content", content}};
}

std::string Base64(const std::string& bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  return text;
}

// A step of the normaliser; the charsmap is the spec's.
Result<json::object> NormalizerPart(const NormalizerStep& step, const std::string& charsmap) {
  switch (step.kind) {
    case NormalizerStep::Kind::kNfc:
      return Typed("NFC");
    case NormalizerStep::Kind::kNfd:
      return Typed("NFD");
    case NormalizerStep::Kind::kNfkc:
      return Typed("NFKC");
    case NormalizerStep::Kind::kNfkd:
      return Typed("NFKD");
    case NormalizerStep::Kind::kLowercase:
      return Typed("Lowercase");
    case NormalizerStep::Kind::kStripAccents:
      return Typed("StripAccents");
    case NormalizerStep::Kind::kStrip:
      return json::object{{"type", "Strip"}, {"strip_left", step.left}, {"strip_right", step.right}};
    case NormalizerStep::Kind::kReplace:
      return Replace(step.pattern, step.content);
    case NormalizerStep::Kind::kReplaceRegex:
      return json::object{{"type", "Replace"}, {"pattern", {{"Regex", step.pattern}}}, {"content", step.content}};
    case NormalizerStep::Kind::kPrepend:
      return json::object{{"type", "Prepend"}, {"prepend", step.content}};
    case NormalizerStep::Kind::kPrependIfMissing:
      return MakeError(Code::kUnimplemented, "a space before texts that have none cannot be written",
                       "unknown_tokenizer_component", "normalizer");
    case NormalizerStep::Kind::kCharsmap:
      break;
  }
  return json::object{{"type", "Precompiled"}, {"precompiled_charsmap", Base64(charsmap)}};
}

std::string_view NameOf(SplitStep::Behaviour behaviour) {
  switch (behaviour) {
    case SplitStep::Behaviour::kIsolated:
      return "Isolated";
    case SplitStep::Behaviour::kRemoved:
      return "Removed";
    case SplitStep::Behaviour::kMergedWithPrevious:
      return "MergedWithPrevious";
    case SplitStep::Behaviour::kMergedWithNext:
      return "MergedWithNext";
    case SplitStep::Behaviour::kContiguous:
      return "Contiguous";
  }
  return "Isolated";
}

class Writer {
 public:
  explicit Writer(const TokenizerSpec& spec) : spec_(spec), words_(spec.kind == TokenizerKind::kWordPiece) {}

  Result<std::string> Write() {
    json::object root{{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}};
    ATELIER_TRY(SetSteps());
    root["added_tokens"] = AddedTokens();
    root["post_processor"] = PostProcessor();
    switch (spec_.kind) {
      case TokenizerKind::kByteLevelBpe:
        ATELIER_TRY(WriteByteLevel(root));
        break;
      case TokenizerKind::kSentencePieceBpe:
        WriteSentencePiece(root);
        break;
      case TokenizerKind::kUnigram:
        WriteUnigram(root);
        break;
      case TokenizerKind::kWordPiece:
        WriteWordPiece(root);
        break;
    }
    return json::serialize(root);
  }

 private:
  TokenKind Kind(size_t id) const { return spec_.kinds.empty() ? TokenKind::kNormal : spec_.kinds[id]; }
  std::string_view Text(std::optional<int32_t> id) const {
    return id ? std::string_view(spec_.tokens[static_cast<size_t>(*id)]) : std::string_view();
  }

  Status SetSteps() {
    bool charsmap = spec_.precompiled_charsmap.empty();
    for (const NormalizerStep& step : spec_.normalizer) {
      ATELIER_ASSIGN(part, NormalizerPart(step, spec_.precompiled_charsmap));
      charsmap = charsmap || step.kind == NormalizerStep::Kind::kCharsmap;
      steps_.push_back(std::move(part));
    }
    if (!charsmap) {  // of GGUF, which has no other step
      ATELIER_ASSIGN(part, NormalizerPart({.kind = NormalizerStep::Kind::kCharsmap}, spec_.precompiled_charsmap));
      steps_.push_back(std::move(part));
    }
    return {};
  }

  json::value Normalizer(json::array more) const {
    json::array all = steps_;
    all.insert(all.end(), more.begin(), more.end());
    return all.empty() ? json::value() : json::value(Sequence("normalizers", std::move(all)));
  }

  // WordPiece: as tokenizer.json spells it, which marks tokens within words.
  std::string Spelling(size_t id) const {
    const std::string& token = spec_.tokens[id];
    const WordPieceOptions& options = spec_.word_piece;
    if (!words_ || options.word_prefix.empty() || Kind(id) != TokenKind::kNormal) {
      return token;
    }
    return token.starts_with(options.word_prefix) ? token.substr(options.word_prefix.size()) : "##" + token;
  }

  json::array AddedTokens() const {
    json::array added;
    for (size_t id = 0; id < spec_.tokens.size(); ++id) {
      const TokenKind kind = Kind(id);
      if (kind != TokenKind::kControl && kind != TokenKind::kUserDefined && kind != TokenKind::kUnknown) {
        continue;
      }
      const auto strips = [&](const std::vector<int32_t>& ids) {
        return std::ranges::find(ids, static_cast<int32_t>(id)) != ids.end();
      };
      added.push_back(json::object{{"id", id},
                                   {"content", spec_.tokens[id]},
                                   {"single_word", false},
                                   {"lstrip", strips(spec_.strips_left)},
                                   {"rstrip", strips(spec_.strips_right)},
                                   {"normalized", false},
                                   {"special", kind != TokenKind::kUserDefined}});
    }
    return added;
  }

  // What is put before and after a text, and two of them.
  json::value PostProcessor() const {
    std::vector<int32_t> before = spec_.before;
    std::vector<int32_t> after = spec_.after;
    const auto begin = words_ && spec_.classification ? spec_.classification : spec_.bos;
    const auto end = words_ && spec_.separator ? spec_.separator : spec_.eos;
    if (spec_.add_bos && begin) {
      before.insert(before.begin(), *begin);
    }
    if (spec_.add_eos && end) {
      after.push_back(*end);
    }
    if (before.empty() && after.empty()) {
      return nullptr;
    }
    json::array single;
    json::object tokens;
    const auto add = [&](const std::vector<int32_t>& ids) {
      for (const int32_t id : ids) {
        const std::string_view text = Text(id);
        single.push_back(json::object{{"SpecialToken", {{"id", text}, {"type_id", 0}}}});
        tokens[text] = json::object{{"id", text}, {"ids", json::array{id}}, {"tokens", json::array{text}}};
      }
    };
    add(before);
    single.push_back(json::object{{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
    add(after);
    json::array pair = single;
    single.clear();
    if (!words_) {
      add(before);
    }
    single.push_back(json::object{{"Sequence", {{"id", "B"}, {"type_id", 1}}}});
    add(after);
    json::array once(pair);
    pair.insert(pair.end(), single.begin(), single.end());
    return json::object{{"type", "TemplateProcessing"},
                        {"single", std::move(once)},
                        {"pair", std::move(pair)},
                        {"special_tokens", tokens}};
  }

  json::object Vocabulary() const {
    json::object vocabulary;
    for (size_t id = 0; id < spec_.tokens.size(); ++id) {
      if (Kind(id) != TokenKind::kUnused) {
        vocabulary[Spelling(id)] = id;
      }
    }
    return vocabulary;
  }

  json::object Bpe(json::array merges) const {
    json::object model{{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", nullptr},
                       {"continuing_subword_prefix", nullptr},
                       {"end_of_word_suffix", nullptr},
                       {"fuse_unk", spec_.fuse_unknown},
                       {"byte_fallback", false},
                       {"ignore_merges", spec_.ignore_merges.value_or(false)}};
    model["vocab"] = Vocabulary();
    model["merges"] = std::move(merges);
    return model;
  }

  Status WriteByteLevel(json::object& root) const {
    const PreTokenizer* known = FindPreTokenizer(spec_.pre);
    if (!spec_.splits && known == nullptr) {
      return MakeError(Code::kUnimplemented, "the pre-tokeniser '" + spec_.pre.substr(0, 100) + "' is not supported",
                       "unknown_tokenizer_component", "pre");
    }
    json::array parts;
    for (const SplitStep& step : spec_.splits ? *spec_.splits : known->steps) {
      parts.push_back(json::object{{"type", "Split"},
                                   {"pattern", {{"Regex", step.regex}}},
                                   {"behavior", NameOf(step.behaviour)},
                                   {"invert", step.invert}});
    }
    json::object byte_level{
        {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}};
    parts.push_back(byte_level);
    root["normalizer"] = Normalizer({});
    root["pre_tokenizer"] = Sequence("pretokenizers", std::move(parts));
    root["decoder"] = std::move(byte_level);
    root["model"] = Bpe(json::array(spec_.merges.begin(), spec_.merges.end()));
    root["model"].as_object()["ignore_merges"] = spec_.ignore_merges.value_or(known != nullptr && known->ignore_merges);
    return {};
  }

  // Every way to make a token of two others, best scores first.
  json::array MergesOfScores() const {
    std::unordered_map<std::string_view, size_t> ids;
    for (size_t id = 0; id < spec_.tokens.size(); ++id) {
      if (Kind(id) == TokenKind::kNormal) {
        ids.emplace(spec_.tokens[id], id);
      }
    }
    struct Merge {
      float score;
      size_t left, right;
    };
    std::vector<Merge> merges;
    for (const auto& [token, id] : ids) {
      for (size_t at = 1; at < token.size(); ++at) {
        const auto left = ids.find(token.substr(0, at));
        const auto right = ids.find(token.substr(at));
        if (left != ids.end() && right != ids.end()) {
          merges.push_back({spec_.scores.empty() ? 0.0F : spec_.scores[id], left->second, right->second});
        }
      }
    }
    std::ranges::sort(merges, [](const Merge& a, const Merge& b) {
      return a.score != b.score ? a.score > b.score : std::pair(a.left, a.right) < std::pair(b.left, b.right);
    });
    json::array out;
    for (const Merge& merge : merges) {
      out.emplace_back(spec_.tokens[merge.left] + " " + spec_.tokens[merge.right]);
    }
    return out;
  }

  void WriteSentencePiece(json::object& root) const {
    json::array normalizers;
    json::array decoders{Replace(kSpaceMark, " "), Typed("ByteFallback"), Typed("Fuse")};
    if (spec_.add_space_prefix) {
      normalizers.push_back(json::object{{"type", "Prepend"}, {"prepend", kSpaceMark}});
      decoders.push_back(json::object{{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
    }
    normalizers.push_back(Replace(" ", kSpaceMark));
    root["normalizer"] = Normalizer(std::move(normalizers));
    root["pre_tokenizer"] = nullptr;
    root["decoder"] = Sequence("decoders", std::move(decoders));
    root["model"] =
        Bpe(spec_.merges.empty() ? MergesOfScores() : json::array(spec_.merges.begin(), spec_.merges.end()));
    json::object& model = root["model"].as_object();
    model["byte_fallback"] = std::ranges::find(spec_.kinds, TokenKind::kByte) != spec_.kinds.end();
    model["fuse_unk"] = true;
    model["unk_token"] = spec_.unknown ? json::value(Text(spec_.unknown)) : json::value();
  }

  void WriteUnigram(json::object& root) const {
    json::array vocabulary;
    for (size_t id = 0; id < spec_.tokens.size(); ++id) {
      vocabulary.push_back(json::array{spec_.tokens[id], spec_.scores.empty() ? 0.0F : spec_.scores[id]});
    }
    json::array parts;
    if (spec_.remove_extra_whitespaces) {
      parts.push_back(Typed("WhitespaceSplit"));
    }
    json::object metaspace{{"type", "Metaspace"},
                           {"replacement", kSpaceMark},
                           {"prepend_scheme", spec_.add_space_prefix ? "always" : "never"},
                           {"split", true}};
    parts.push_back(metaspace);
    root["normalizer"] = Normalizer({});
    root["pre_tokenizer"] = Sequence("pretokenizers", std::move(parts));
    root["decoder"] = std::move(metaspace);
    root["model"] =
        json::object{{"type", "Unigram"},
                     {"unk_id", spec_.unknown.value_or(0)},
                     {"vocab", std::move(vocabulary)},
                     {"byte_fallback", std::ranges::find(spec_.kinds, TokenKind::kByte) != spec_.kinds.end()}};
  }

  void WriteWordPiece(json::object& root) const {
    const WordPieceOptions& options = spec_.word_piece;
    json::object bert{{"type", "BertNormalizer"},
                      {"clean_text", options.clean_text},
                      {"handle_chinese_chars", options.separate_chinese},
                      {"strip_accents", options.strip_accents},
                      {"lowercase", options.lowercase}};
    root["normalizer"] = steps_.empty() ? json::value(std::move(bert)) : Normalizer({std::move(bert)});
    root["pre_tokenizer"] = Typed("BertPreTokenizer");
    root["decoder"] = json::object{{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
    root["model"] =
        json::object{{"type", "WordPiece"},
                     {"unk_token", Text(spec_.unknown)},
                     {"continuing_subword_prefix", "##"},
                     {"max_input_chars_per_word", options.max_word_chars > 0 ? options.max_word_chars : 100},
                     {"vocab", Vocabulary()}};
  }

  const TokenizerSpec& spec_;
  bool words_;
  json::array steps_;  // of the normaliser
};

}  // namespace

Result<std::string> WriteTokenizerJson(const TokenizerSpec& spec) {
  ATELIER_TRY(CheckSpec(spec));
  return Writer(spec).Write();
}

}  // namespace atelier::text
