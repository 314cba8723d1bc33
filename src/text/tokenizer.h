// Text to token ids and back: byte-level BPE, SentencePiece BPE and unigram, WordPiece.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::text {

enum class TokenizerKind { kByteLevelBpe, kSentencePieceBpe, kUnigram, kWordPiece };

enum class TokenKind : uint8_t { kNormal, kUnknown, kControl, kUserDefined, kUnused, kByte };

// One step of cutting a text into the words within which tokens are sought; each step cuts the words of the one before.
struct SplitStep {
  // What becomes of a match; what lies between matches is always a word.
  enum class Behaviour : uint8_t { kIsolated, kRemoved, kMergedWithPrevious, kMergedWithNext, kContiguous };
  std::string regex;  // syntax that PCRE2 and Oniguruma share; \s is Unicode's White_Space
  Behaviour behaviour = Behaviour::kIsolated;
  bool invert = false;  // what does not match counts as the match
};

// One step of the normaliser of tokenizer.json, applied to the text between special tokens.
struct NormalizerStep {
  enum class Kind : uint8_t {
    kNfc,
    kNfd,
    kNfkc,
    kNfkd,
    kLowercase,
    kStripAccents,      // removes combining marks
    kStrip,             // removes white space at the ends
    kReplace,           // `pattern`, a string, by `content`
    kReplaceRegex,      // what the regex `pattern` matches, by `content`, as it is
    kPrepend,           // `content`, where the text is not empty
    kPrependIfMissing,  // the same, where the text does not begin with it
    kCharsmap,          // SentencePiece's precompiled_charsmap
  };
  Kind kind = Kind::kNfc;
  std::string pattern{};
  std::string content{};
  bool left = true;   // of kStrip
  bool right = true;  // of kStrip
};

struct WordPieceOptions {
  std::string word_prefix;               // of tokens that begin a word; GGUF: U+2581
  std::string continuing_prefix = "##";  // of tokens within a word; GGUF: none
  bool clean_text = true;                // drops control characters
  bool separate_chinese = true;          // each ideograph is a word
  bool lowercase = true;
  bool strip_accents = true;
  int32_t max_word_chars = 100;  // a longer word becomes the unknown token; 0: no limit
};

// Where SentencePiece puts the space before a text.
enum class SpacePrefix : uint8_t {
  kEach,            // before each text between special tokens
  kEachIfMissing,   // unless a space is there
  kFirstIfMissing,  // only where no special token stands before it, unless a space is there
};

// A tokeniser as data; filled from GGUF metadata or from tokenizer.json.
struct TokenizerSpec {
  TokenizerKind kind = TokenizerKind::kByteLevelBpe;
  std::string pre;                  // name of the pre-tokeniser as GGUF has it: "gpt-2", "llama-bpe", "qwen2" ...
  std::vector<std::string> tokens;  // as the file spells them
  std::vector<float> scores;        // of SentencePiece kinds; may be empty
  std::vector<TokenKind> kinds;     // as many as tokens, or empty: all normal
  std::vector<std::string> merges;  // "left right", in order of rank
  std::optional<int32_t> bos, eos, eot, unknown, separator, padding, classification, mask;
  bool add_bos = false;                   // WordPiece: `classification`, where there is one
  bool add_eos = false;                   // WordPiece: `separator`, where there is one
  bool add_space_prefix = true;           // SentencePiece
  bool remove_extra_whitespaces = false;  // unigram
  std::string precompiled_charsmap;       // unigram: SentencePiece's normaliser, raw bytes

  SpacePrefix space_prefix = SpacePrefix::kEach;  // SentencePiece, with add_space_prefix
  std::optional<std::vector<SplitStep>> splits;   // BPE: instead of those of `pre`
  std::optional<bool> ignore_merges;       // BPE: a word that is a token is that token; instead of what `pre` says
  bool fuse_unknown = false;               // BPE: a run of unknown characters is one unknown token
  std::vector<NormalizerStep> normalizer;  // empty for GGUF
  WordPieceOptions word_piece;
  std::vector<int32_t> strips_left, strips_right;  // special tokens that take the white space before or after them
  std::vector<int32_t> before, after;  // added by add_special, beside BOS and EOS, between them and the text
};

struct EncodeOptions {
  bool add_special = true;    // BOS, EOS, CLS, SEP as the tokeniser says
  bool parse_special = true;  // control tokens spelled in the text become their ids; false for text of a user
};

// Immutable and thread-safe.
class Tokenizer {
 public:
  // Errors: kInvalidArgument "invalid_tokenizer" (duplicate or missing tokens, ids out of range, merges that name no
  // token, scores that are no numbers, bad byte tokens, regexes or charsmaps; `param` names the field of the spec),
  // kUnimplemented (an unknown pre-tokeniser, by name).
  static Result<std::unique_ptr<Tokenizer>> Make(TokenizerSpec spec);
  virtual ~Tokenizer() = default;

  // Every byte string can be encoded; bytes that are no UTF-8 become byte tokens or the unknown token, or are left out
  // where the vocabulary has neither. `text`: less than 2 GiB; time is O(n log n) in its length.
  virtual std::vector<int32_t> Encode(std::string_view text, const EncodeOptions& options) const = 0;
  // The bytes that token `id` adds to a text, in its middle; empty for control tokens and ids out of range. For a
  // control token's spelling see spec().tokens.
  virtual std::string_view Bytes(int32_t id) const = 0;
  // The text of `ids`: joined bytes; a SentencePiece text loses the space that encoding put before it.
  virtual std::string Decode(const std::vector<int32_t>& ids) const = 0;
  virtual const TokenizerSpec& spec() const = 0;
  int32_t size() const { return static_cast<int32_t>(spec().tokens.size()); }
};

}  // namespace atelier::text
