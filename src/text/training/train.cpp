#include "text/training/train.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>

#include "base/ids.h"
#include "base/json.h"
#include "text/spec_json.h"
#include "text/tokenizer_json.h"
#include "text/tokenizers/check_spec.h"
#include "text/training/learn.h"
#include "text/training/words.h"

namespace atelier::text {
namespace {

constexpr size_t kMaxSpellingBytes = 256;

struct SpecialRow {
  std::string SpecialSpellings::*spelling;
  std::optional<int32_t> TokenizerSpec::*id;
  std::string_view name;  // in tokenizer_config.json
};
// In the order of the ids.
constexpr SpecialRow kSpecials[] = {{&SpecialSpellings::padding, &TokenizerSpec::padding, "pad_token"},
                                    {&SpecialSpellings::unknown, &TokenizerSpec::unknown, "unk_token"},
                                    {&SpecialSpellings::bos, &TokenizerSpec::bos, "bos_token"},
                                    {&SpecialSpellings::eos, &TokenizerSpec::eos, "eos_token"},
                                    {&SpecialSpellings::classification, &TokenizerSpec::classification, "cls_token"},
                                    {&SpecialSpellings::separator, &TokenizerSpec::separator, "sep_token"},
                                    {&SpecialSpellings::mask, &TokenizerSpec::mask, "mask_token"}};

class Trainer {
 public:
  explicit Trainer(const TokenizerTraining& options) : options_(options) {}

  Result<TrainedTokenizer> Train(const Corpus& corpus) {
    ATELIER_TRY(AddSpecials());
    ATELIER_TRY(CheckSpecials());
    ATELIER_TRY(AddByteTokens());
    ATELIER_ASSIGN(words, CountWords(corpus, options_));
    if (words.empty()) {
      return InvalidArgument("the texts are empty: there is nothing to learn a tokeniser from");
    }
    ATELIER_ASSIGN(learnt, Learn(words));
    Take(std::move(learnt));
    ATELIER_ASSIGN(json, WriteTokenizerJson(spec_));
    TrainedTokenizer trained{std::move(json), Config()};
    ATELIER_TRY(MakeTokenizer(trained));
    return trained;
  }

 private:
  size_t Room() const {
    const auto wanted = static_cast<size_t>(options_.vocabulary_size);
    return wanted > spec_.tokens.size() ? wanted - spec_.tokens.size() : 0;
  }

  int32_t Add(std::string token, TokenKind kind) {
    spec_.tokens.push_back(std::move(token));
    spec_.kinds.push_back(kind);
    return static_cast<int32_t>(spec_.tokens.size()) - 1;
  }

  Result<int32_t> AddSpecial(const std::string& spelling, TokenKind kind) {
    if (spelling.empty() || spelling.size() > kMaxSpellingBytes || !IsUtf8(spelling) ||
        std::ranges::find(spec_.tokens, spelling) != spec_.tokens.end()) {
      return InvalidArgument(
          "the special token " + QuotedName(spelling) + " is there twice, is empty, too long or no UTF-8", "special");
    }
    return Add(spelling, kind);
  }

  Status AddSpecials() {
    if (options_.vocabulary_size < 1 || options_.vocabulary_size > static_cast<int64_t>(kMaxTokens)) {
      return InvalidArgument("vocabulary_size must be 1 to " + std::to_string(kMaxTokens), "vocabulary_size");
    }
    for (const SpecialRow& row : kSpecials) {
      const std::string& spelling = options_.special.*row.spelling;
      if (spec_.bos && spelling == options_.special.bos) {
        spec_.*row.id = spec_.bos;  // one token may begin and end texts
      } else if (!spelling.empty()) {
        const bool unknown = row.id == &TokenizerSpec::unknown;
        ATELIER_ASSIGN(id, AddSpecial(spelling, unknown ? TokenKind::kUnknown : TokenKind::kControl));
        spec_.*row.id = id;
      }
    }
    for (const std::string& spelling : options_.special.others) {
      ATELIER_TRY(AddSpecial(spelling, TokenKind::kControl));
    }
    return {};
  }

  Status CheckSpecials() const {
    const bool words = options_.algorithm == TokenizerAlgorithm::kWordPiece;
    const bool needs_unknown = words || options_.algorithm == TokenizerAlgorithm::kUnigram;
    if ((needs_unknown && !spec_.unknown) || (words && (!spec_.classification || !spec_.separator)) ||
        (options_.add_bos && !spec_.bos) || (options_.add_eos && !spec_.eos)) {
      return InvalidArgument("a special token that this kind of tokeniser needs is missing", "special");
    }
    return {};
  }

  Status AddByteTokens() {
    const bool bytes = options_.algorithm == TokenizerAlgorithm::kByteBpe;
    const bool fallback = options_.byte_fallback && !bytes && options_.algorithm != TokenizerAlgorithm::kWordPiece;
    for (unsigned byte = 0; byte < (fallback ? 256 : 0); ++byte) {
      char spelling[8];
      std::snprintf(spelling, sizeof(spelling), "<0x%02X>", byte);
      Add(spelling, TokenKind::kByte);
    }
    const size_t least = bytes ? 256 : 1;
    if (Room() < least) {
      return InvalidArgument("vocabulary_size " + std::to_string(options_.vocabulary_size) +
                                 " has no room for the alphabet; at least " +
                                 std::to_string(spec_.tokens.size() + least) + " tokens are needed",
                             "vocabulary_size");
    }
    return {};
  }

  Result<Learnt> Learn(const WordCounts& words) {
    switch (options_.algorithm) {
      case TokenizerAlgorithm::kByteBpe:
        spec_.kind = TokenizerKind::kByteLevelBpe;
        spec_.pre = options_.pre;
        return LearnByteBpe(words, Room(), options_);
      case TokenizerAlgorithm::kCharacterBpe:
        spec_.kind = TokenizerKind::kSentencePieceBpe;
        spec_.add_space_prefix = options_.add_space_prefix;
        return LearnCharacterBpe(words, Room(), options_);
      case TokenizerAlgorithm::kWordPiece:
        spec_.kind = TokenizerKind::kWordPiece;
        spec_.word_piece = options_.word_piece;
        spec_.word_piece.continuing_prefix = kContinuing;
        return LearnWordPiece(words, Room(), options_);
      case TokenizerAlgorithm::kUnigram:
        spec_.kind = TokenizerKind::kUnigram;
        spec_.remove_extra_whitespaces = true;
        spec_.add_space_prefix = options_.add_space_prefix;
        return LearnUnigramPieces(words, Room(), options_);
      case TokenizerAlgorithm::kCharacters:
        break;
    }
    spec_.kind = TokenizerKind::kSentencePieceBpe;
    spec_.add_space_prefix = false;
    return LearnCharacters(words, Room(), options_);
  }

  void Take(Learnt learnt) {
    const std::set<std::string> taken(spec_.tokens.begin(), spec_.tokens.end());
    const bool scored = spec_.kind == TokenizerKind::kUnigram ||
                        (spec_.kind == TokenizerKind::kSentencePieceBpe && learnt.merges.empty());
    std::vector<float> scores(spec_.tokens.size(), 0);
    for (size_t i = 0; i < learnt.tokens.size(); ++i) {
      if (!taken.contains(learnt.tokens[i])) {
        Add(std::move(learnt.tokens[i]), TokenKind::kNormal);
        scores.push_back(learnt.scores.empty() ? 0.0F : learnt.scores[i]);
      }
    }
    if (scored) {
      spec_.scores = std::move(scores);
    }
    spec_.merges = std::move(learnt.merges);
    const bool words = spec_.kind == TokenizerKind::kWordPiece;
    spec_.add_bos = words || options_.add_bos;
    spec_.add_eos = words || options_.add_eos;
    spec_.normalizer = options_.normalizer;
  }

  std::string Config() const {
    json::object config{{"tokenizer_class", "PreTrainedTokenizerFast"}, {"clean_up_tokenization_spaces", false}};
    for (const SpecialRow& row : kSpecials) {
      if (const auto& id = spec_.*row.id) {
        config[row.name] = spec_.tokens[static_cast<size_t>(*id)];
      }
    }
    return json::serialize(config);
  }

  const TokenizerTraining& options_;
  TokenizerSpec spec_;
};

}  // namespace

SpecialSpellings UsualSpecials(TokenizerAlgorithm algorithm) {
  SpecialSpellings special;
  if (algorithm == TokenizerAlgorithm::kByteBpe) {
    special.bos = special.eos = "<|endoftext|>";
  } else if (algorithm == TokenizerAlgorithm::kWordPiece) {
    special.padding = "[PAD]";
    special.unknown = "[UNK]";
    special.classification = "[CLS]";
    special.separator = "[SEP]";
    special.mask = "[MASK]";
  } else {
    special.padding = "<pad>";
    special.unknown = "<unk>";
    special.bos = "<s>";
    special.eos = "</s>";
  }
  return special;
}

Result<TrainedTokenizer> TrainTokenizer(const Corpus& corpus, const TokenizerTraining& options) {
  return Trainer(options).Train(corpus);
}

Result<std::unique_ptr<Tokenizer>> MakeTokenizer(const TrainedTokenizer& trained) {
  ATELIER_ASSIGN(spec, ReadTokenizerJson({.tokenizer_json = trained.tokenizer_json,
                                          .tokenizer_config_json = trained.tokenizer_config_json}));
  return Tokenizer::Make(std::move(spec));
}

}  // namespace atelier::text
