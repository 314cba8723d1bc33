// Learns a tokeniser from texts, and writes it as Hugging Face's tokenizer.json.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/tokenizer.h"

namespace atelier::text {

// Calls its argument with each text of a corpus, in the same order each time, and passes on the first error.
using Corpus = std::function<Status(const std::function<Status(std::string_view text)>& each)>;

enum class TokenizerAlgorithm : uint8_t {
  kByteBpe,       // merges of frequent pairs over bytes (Sennrich, Haddow and Birch 2016; Radford et al. 2019)
  kCharacterBpe,  // the same over characters, with U+2581 for spaces as SentencePiece has it
  kWordPiece,     // merges that raise the likelihood most (Schuster and Nakajima 2012), written as BERT's
  kUnigram,       // Kudo 2018, "Subword Regularization"; by SentencePiece's trainer
  kCharacters,    // each character is a token
};

// How the tokens that have a task are spelled. Empty: there is none. Their ids come first, in this order.
struct SpecialSpellings {
  std::string padding, unknown, bos, eos, classification, separator, mask;
  std::vector<std::string> others{};
};

// What models of a kind usually have: [PAD] [UNK] [CLS] [SEP] [MASK] of WordPiece, <|endoftext|> of BPE over bytes,
// <pad> <unk> <s> </s> of the others.
SpecialSpellings UsualSpecials(TokenizerAlgorithm algorithm);

struct TokenizerTraining {
  TokenizerAlgorithm algorithm = TokenizerAlgorithm::kByteBpe;
  int64_t vocabulary_size = 8000;  // tokens of every kind; fewer where the texts do not give as many
  int64_t min_frequency = 2;       // of a pair that merges
  int64_t alphabet_limit = 0;    // kinds over characters: so many of the most frequent; 0: as many as there is room for
  bool byte_fallback = true;     // kinds over characters but WordPiece: 256 tokens for the bytes of other characters
  std::string pre = "gpt-2";     // kByteBpe: a name of text/tokenizers/pre_tokenizers.h
  bool add_space_prefix = true;  // kCharacterBpe, kUnigram: a text begins as a word does
  bool add_bos = false;          // around each text; WordPiece always has [CLS] and [SEP]
  bool add_eos = false;
  WordPieceOptions word_piece{};
  std::vector<NormalizerStep> normalizer{};  // before all else
  SpecialSpellings special = UsualSpecials(TokenizerAlgorithm::kByteBpe);
};

// The texts of two files, which text::ReadTokenizerJson and Hugging Face's `tokenizers` read alike.
struct TrainedTokenizer {
  std::string tokenizer_json;
  std::string tokenizer_config_json;  // class and special tokens
};

// A pure function of texts and options. White space is one space in kUnigram and ends words in kCharacterBpe. The
// memory is that of the distinct words. Errors: kInvalidArgument naming the option ("vocabulary_size" that has no room
// for special tokens, bytes and an alphabet; "special" spellings that are missing or given twice), or without one (the
// texts are empty); those of the corpus and of Tokenizer::Make.
Result<TrainedTokenizer> TrainTokenizer(const Corpus& corpus, const TokenizerTraining& options);

// The tokeniser of the two texts.
Result<std::unique_ptr<Tokenizer>> MakeTokenizer(const TrainedTokenizer& trained);

}  // namespace atelier::text
