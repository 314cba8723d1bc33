#include "text/training/train.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "base/testing/shared_data.h"
#include "text/spec_json.h"
#include "text/testing/test_files.h"

namespace atelier::text {
namespace {

using ::testing::ElementsAre;
using testing::IdsOf;
using testing::TestData;
using testing::TextOf;

std::vector<std::string> TextsOf(const json::value& list) {
  std::vector<std::string> texts;
  for (const auto& text : list.as_array()) {
    texts.push_back(TextOf(text));
  }
  return texts;
}

Corpus CorpusOf(std::vector<std::string> texts) {
  return [texts = std::move(texts)](const auto& each) -> Status {
    for (const auto& text : texts) {
      ATELIER_TRY(each(text));
    }
    return {};
  };
}

Corpus Lines(std::string_view text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return CorpusOf(std::move(lines));
}

TokenizerTraining Options(TokenizerAlgorithm algorithm, int64_t size) {
  return {.algorithm = algorithm, .vocabulary_size = size, .special = UsualSpecials(algorithm)};
}

std::unique_ptr<Tokenizer> Train(const Corpus& corpus, const TokenizerTraining& options) {
  const auto trained = TrainTokenizer(corpus, options);
  EXPECT_TRUE(trained.ok()) << (trained.ok() ? "" : trained.error().message);
  return trained.ok() ? MakeTokenizer(*trained).value() : nullptr;
}

// What huggingface/tokenizers 0.23 learns from the same lines, with merges in the same order.
TEST(TrainTokenizerTest, LearnsTheReferencesBytePairs) {
  const json::value data = TestData("trained.json");
  ASSERT_TRUE(data.is_object());
  const auto tokenizer = Train(CorpusOf(TextsOf(data.at("texts"))), Options(TokenizerAlgorithm::kByteBpe, 420));
  ASSERT_TRUE(tokenizer);
  const json::value& expected = data.at("byte");
  EXPECT_EQ(tokenizer->spec().tokens, TextsOf(expected.at("vocabulary")));
  EXPECT_EQ(tokenizer->spec().merges, TextsOf(expected.at("merges")));
  for (const auto& row : expected.at("cases").as_array()) {
    const std::string text = TextOf(row.at("text"));
    EXPECT_EQ(tokenizer->Encode(text, {}), IdsOf(row.at("ids"))) << text;
    EXPECT_EQ(tokenizer->Decode(IdsOf(row.at("ids"))), text);
  }
  EXPECT_EQ(tokenizer->spec().bos, 0);
  EXPECT_EQ(tokenizer->spec().eos, 0);
}

TEST(TrainTokenizerTest, LearnsTheReferencesCharacterPairs) {
  const json::value data = TestData("trained.json");
  ASSERT_TRUE(data.is_object());
  const json::value& expected = data.at("character");
  TokenizerTraining options = Options(TokenizerAlgorithm::kCharacterBpe, 90);
  options.byte_fallback = false;
  const auto tokenizer = Train(CorpusOf(TextsOf(expected.at("texts"))), options);
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ(tokenizer->spec().tokens, TextsOf(expected.at("vocabulary")));
  EXPECT_EQ(tokenizer->spec().merges, TextsOf(expected.at("merges")));
  for (const auto& row : expected.at("cases").as_array()) {
    std::vector<std::string> tokens;
    for (const int32_t id : tokenizer->Encode(TextOf(row.at("text")), {})) {
      tokens.push_back(tokenizer->spec().tokens[static_cast<size_t>(id)]);
    }
    EXPECT_EQ(tokens, TextsOf(row.at("tokens")));
  }
}

constexpr std::string_view kVerse =
    "Full fathom five thy father lies;\nOf his bones are coral made;\nThose are pearls that were his eyes:\n"
    "Nothing of him that doth fade,\nBut doth suffer a sea-change\nInto something rich and strange.\n"
    "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。\nHis father's father, and his father's eyes.\n";

TEST(TrainTokenizerTest, WritesBertsVocabulary) {
  const auto tokenizer = Train(Lines(kVerse), Options(TokenizerAlgorithm::kWordPiece, 160));
  ASSERT_TRUE(tokenizer);
  const TokenizerSpec& spec = tokenizer->spec();
  EXPECT_THAT(std::vector<std::string>(spec.tokens.begin(), spec.tokens.begin() + 5),
              ElementsAre("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"));
  EXPECT_EQ(spec.classification, 2);
  EXPECT_EQ(spec.separator, 3);
  EXPECT_EQ(spec.mask, 4);
  const auto has = [&](std::string_view token) { return std::ranges::find(spec.tokens, token) != spec.tokens.end(); };
  EXPECT_TRUE(has("father"));  // lower case, of the frequent words
  EXPECT_TRUE(has("##a"));
  EXPECT_FALSE(has("Full"));
  EXPECT_FALSE(has("明月"));  // ideographs are words of their own
  const auto ids = tokenizer->Encode("Father 明月!", {});
  EXPECT_EQ(ids.front(), 2);
  EXPECT_EQ(ids.back(), 3);
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode("his father made 明月", {})), "his father made 明 月");
  EXPECT_EQ(tokenizer->Encode("\u00e9 \u0416", {.add_special = false}).back(), 1);  // a letter that was not there
}

TEST(TrainTokenizerTest, LearnsUnigrams) {
  const auto tokenizer = Train(Lines(kVerse), Options(TokenizerAlgorithm::kUnigram, 360));
  ASSERT_TRUE(tokenizer);
  const TokenizerSpec& spec = tokenizer->spec();
  EXPECT_EQ(spec.kind, TokenizerKind::kUnigram);
  EXPECT_EQ(spec.unknown, 1);
  EXPECT_LE(spec.tokens.size(), 360U);
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode("his father's  明月\nlies \u0416", {})),
            "his father's 明月 lies \u0416");
  const auto words = tokenizer->Encode("his eyes", {});
  EXPECT_LE(words.size(), 6U);
}

TEST(TrainTokenizerTest, KeepsCharacters) {
  TokenizerTraining options = Options(TokenizerAlgorithm::kCharacters, 2000);
  const auto tokenizer = Train(CorpusOf({std::string(kVerse)}), options);
  ASSERT_TRUE(tokenizer);
  const std::string text = "His father,\n  明月\t🙂";
  const auto ids = tokenizer->Encode(text, {});
  EXPECT_EQ(ids.size(), 11U + 1 + 2 + 2 + 1 + 4);  // the tab and the picture as bytes
  EXPECT_EQ(tokenizer->Decode(ids), text);
  options.byte_fallback = false;
  options.alphabet_limit = 10;
  const auto ten = Train(CorpusOf({std::string(kVerse)}), options);
  ASSERT_TRUE(ten);
  EXPECT_EQ(ten->size(), 14);
  EXPECT_EQ(ten->Encode("eX", {}).back(), 1);
}

TEST(TrainTokenizerTest, IsAFunctionOfTheTexts) {
  for (const auto algorithm : {TokenizerAlgorithm::kByteBpe, TokenizerAlgorithm::kCharacterBpe,
                               TokenizerAlgorithm::kWordPiece, TokenizerAlgorithm::kUnigram}) {
    const auto once = TrainTokenizer(Lines(kVerse), Options(algorithm, 400));
    const auto again = TrainTokenizer(Lines(kVerse), Options(algorithm, 400));
    ASSERT_TRUE(once.ok() && again.ok());
    EXPECT_EQ(once->tokenizer_json, again->tokenizer_json);
  }
}

TEST(TrainTokenizerTest, NormalisesAsTheFileSays) {
  for (const auto algorithm : {TokenizerAlgorithm::kByteBpe, TokenizerAlgorithm::kCharacterBpe,
                               TokenizerAlgorithm::kWordPiece, TokenizerAlgorithm::kUnigram}) {
    TokenizerTraining options = Options(algorithm, 400);
    options.normalizer = {{.kind = NormalizerStep::Kind::kNfkc}, {.kind = NormalizerStep::Kind::kLowercase}};
    const auto tokenizer = Train(Lines(kVerse), options);
    ASSERT_TRUE(tokenizer);
    EXPECT_EQ(tokenizer->Encode("ＨＩＳ father", {}), tokenizer->Encode("his FATHER", {}));
  }
}

TEST(TrainTokenizerTest, AddsBeginAndEnd) {
  TokenizerTraining options = Options(TokenizerAlgorithm::kCharacterBpe, 400);
  options.add_bos = options.add_eos = true;
  options.special.others = {"<|user|>"};
  const auto tokenizer = Train(Lines(kVerse), options);
  ASSERT_TRUE(tokenizer);
  const auto ids = tokenizer->Encode("<|user|>his", {});
  EXPECT_EQ(ids.front(), 2);
  EXPECT_EQ(ids[1], 4);
  EXPECT_EQ(ids.back(), 3);
}

TEST(TrainTokenizerTest, RefusesWhatCannotBeLearnt) {
  struct Row {
    std::string param;
    TokenizerTraining options;
    std::string_view text = kVerse;
  };
  const auto changed = [](TokenizerAlgorithm algorithm, int64_t size, const auto& change) {
    TokenizerTraining options = Options(algorithm, size);
    change(options);
    return options;
  };
  const auto as_it_is = [](TokenizerTraining&) {};
  using Algorithm = TokenizerAlgorithm;
  const std::vector<Row> rows = {
      {"vocabulary_size", changed(Algorithm::kByteBpe, 256, as_it_is)},
      {"vocabulary_size", changed(Algorithm::kByteBpe, -1, as_it_is)},
      {"vocabulary_size", changed(Algorithm::kByteBpe, int64_t{1} << 40, as_it_is)},
      {"vocabulary_size", changed(Algorithm::kCharacters, 260, as_it_is)},
      {"pre", changed(Algorithm::kByteBpe, 400, [](auto& o) { o.pre = "none"; })},
      {"special", changed(Algorithm::kWordPiece, 400, [](auto& o) { o.special.unknown.clear(); })},
      {"special", changed(Algorithm::kUnigram, 400, [](auto& o) { o.special.eos = "<pad>"; })},
      {"special", changed(Algorithm::kByteBpe, 400, [](auto& o) { o.special.others = {"\xFF"}; })},
      {"special", changed(Algorithm::kByteBpe, 400, [](auto& o) { o.special.others = {""}; })},
      {"", Options(Algorithm::kByteBpe, 400), ""},
      {"", Options(Algorithm::kUnigram, 400), " \n "}};
  for (const auto& row : rows) {
    const auto trained = TrainTokenizer(Lines(row.text), row.options);
    ASSERT_FALSE(trained.ok()) << row.param;
    EXPECT_EQ(trained.error().code, Code::kInvalidArgument);
    EXPECT_EQ(trained.error().param, row.param) << trained.error().message;
  }
  const Corpus broken = [](const auto& each) -> Status {
    ATELIER_TRY(each("text"));
    return DataLoss("a shard is gone");
  };
  EXPECT_EQ(TrainTokenizer(broken, Options(Algorithm::kByteBpe, 400)).error().code, Code::kDataLoss);
}

// Bytes that are no UTF-8, words without end, characters beyond the first plane.
TEST(TrainTokenizerTest, TakesAnyBytes) {
  const std::string text = "\xFF\xFE ab\x80 " + std::string(20000, 'a') + " \xF0\x9F\x99\x82\xF0\x9F ab ab";
  for (const auto algorithm :
       {TokenizerAlgorithm::kByteBpe, TokenizerAlgorithm::kCharacterBpe, TokenizerAlgorithm::kWordPiece,
        TokenizerAlgorithm::kUnigram, TokenizerAlgorithm::kCharacters}) {
    const auto tokenizer = Train(CorpusOf({text}), Options(algorithm, 400));
    ASSERT_TRUE(tokenizer);
    EXPECT_FALSE(tokenizer->Encode("ab", {}).empty());
  }
}

}  // namespace
}  // namespace atelier::text
