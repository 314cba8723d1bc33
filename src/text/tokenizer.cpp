#include "text/tokenizer.h"

#include "text/tokenizers/check_spec.h"
#include "text/tokenizers/models.h"

namespace atelier::text {
namespace {

std::unique_ptr<TokenizerBase> MakeModel(TokenizerSpec spec) {
  switch (spec.kind) {
    case TokenizerKind::kByteLevelBpe:
      return MakeBpe(std::move(spec));
    case TokenizerKind::kSentencePieceBpe:
      return spec.merges.empty() ? MakeScoredBpe(std::move(spec)) : MakeBpe(std::move(spec));
    case TokenizerKind::kUnigram:
      return MakeUnigram(std::move(spec));
    case TokenizerKind::kWordPiece:
      break;
  }
  return MakeWordPiece(std::move(spec));
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> Tokenizer::Make(TokenizerSpec spec) {
  ATELIER_TRY(CheckSpec(spec));
  std::unique_ptr<TokenizerBase> tokenizer = MakeModel(std::move(spec));
  ATELIER_TRY(tokenizer->Prepare());
  return std::unique_ptr<Tokenizer>(std::move(tokenizer));
}

}  // namespace atelier::text
