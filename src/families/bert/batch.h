// Texts as token ids, and batches of them.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/tokenizer.h"

namespace atelier::families::bert {

// [CLS] first [SEP], or [CLS] first [SEP] second [SEP].
struct Text {
  std::vector<int32_t> ids{};
  int64_t first = 0;  // tokens up to the first [SEP] and with it
  bool operator==(const Text&) const = default;
};

// Immutable and thread-safe. Borrows the tokeniser.
class Encoder {
 public:
  // Errors: kInvalidArgument "invalid_tokenizer" where there is no [CLS], [SEP] or unknown token, and no [MASK] where
  // `masks`.
  static Result<Encoder> Make(const text::Tokenizer& tokenizer, int64_t max_length, bool masks);

  // Longer texts lose their end; of a pair the longer one first.
  Text One(std::string_view text) const;
  Text Pair(std::string_view first, std::string_view second) const;

  // Words that are tagged: the first piece of each counts. Words that do not fit any more have no place.
  struct Words {
    Text text{};
    std::vector<int32_t> places{};  // of the first pieces in text.ids
  };
  Words Tagged(std::span<const std::string> words) const;

  // A text with one [MASK], as the tokeniser spells it; the place is -1 where there is none or more than one.
  struct Masked {
    Text text{};
    int64_t place = -1;
  };
  Masked WithMask(std::string_view text) const;

  const text::Tokenizer& tokenizer() const { return *tokenizer_; }

 private:
  Encoder(const text::Tokenizer& tokenizer, int64_t max_length) : tokenizer_(&tokenizer), max_length_(max_length) {}
  std::vector<int32_t> Pieces(std::string_view text) const;
  Text Join(std::vector<int32_t> first, const std::vector<int32_t>* second) const;

  const text::Tokenizer* tokenizer_;
  int64_t max_length_;
};

struct Batch {
  torch::Tensor tokens{};   // I64 [texts, longest]
  torch::Tensor types{};    // I64 of the same shape: 0, and 1 of the second of a pair; undefined: all 0
  torch::Tensor present{};  // Bool of the same shape: false: padding; undefined: there is none
};
Batch MakeBatch(std::span<const Text* const> texts, int64_t padding);

// What a masked language model is to say: `share` of the tokens besides the special ones, of which 80 % become [MASK],
// 10 % another token and 10 % stay (Devlin et al., section 3.1). At least one token is chosen, where there is one.
struct Masking {
  torch::Tensor tokens{};   // I64, as those of the batch
  torch::Tensor places{};   // I64 [chosen], in the tokens as one row
  torch::Tensor targets{};  // I64 [chosen]: what stood there
};
struct MaskOptions {
  double share = 0.15;
  int64_t vocabulary = 0;
  int64_t mask = 0;
  std::vector<int64_t> special{};  // ids that are never chosen; padding among them
};
// Draws from the generator, or from torch's own.
Masking MaskTokens(const torch::Tensor& tokens, const MaskOptions& options,
                   c10::optional<torch::Generator> generator = {});
MaskOptions MaskOptionsOf(const text::Tokenizer& tokenizer, double share);

}  // namespace atelier::families::bert
