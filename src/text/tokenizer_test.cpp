#include "text/tokenizer.h"

#include <gmock/gmock.h>

#include <chrono>
#include <functional>
#include <limits>
#include <span>

#include "base/rng.h"
#include "base/testing/shared_data.h"
#include "text/end_tokens.h"
#include "text/llama2c.h"
#include "text/testing/test_files.h"
#include "text/tokenizers/byte_alphabet.h"
#include "text/utf8.h"

namespace atelier::text {
namespace {

using testing::IdsOf;
using testing::Slurp;
using testing::TextOf;
using Ids = std::vector<int32_t>;

constexpr std::string_view kMark = "\xE2\x96\x81";

std::string Marked(std::string_view text) { return ReplaceAll(text, "_", kMark); }

// All 256 bytes, then merges of letters, spaces and a Chinese character, then special tokens.
TokenizerSpec ByteLevelSpec() {
  TokenizerSpec spec;
  spec.pre = "gpt-2";
  for (int byte = 0; byte < 256; ++byte) {
    spec.tokens.emplace_back(AlphabetOf(static_cast<uint8_t>(byte)));
  }
  const auto merge = [&](std::string_view left, std::string_view right) {
    spec.merges.push_back(ToAlphabet(left) + " " + ToAlphabet(right));
    spec.tokens.push_back(ToAlphabet(std::string(left) + std::string(right)));
  };
  merge("a", "a");
  merge("aa", "aa");
  merge("aaaa", "aaaa");
  merge(" ", " ");
  merge("  ", "  ");
  merge("\xE4", "\xBD");
  merge("\xE4\xBD", "\xA0");
  merge("你", "你");
  merge("h", "e");
  merge("l", "l");
  merge("he", "ll");
  merge("hell", "o");
  spec.kinds.assign(spec.tokens.size(), TokenKind::kNormal);
  for (const auto* token : {"<s>", "</s>", "<|im_end|>"}) {
    spec.tokens.emplace_back(token);
    spec.kinds.push_back(TokenKind::kControl);
  }
  spec.tokens.emplace_back("<think>");
  spec.kinds.push_back(TokenKind::kUserDefined);
  const auto count = static_cast<int32_t>(spec.tokens.size());
  spec.bos = count - 4;
  spec.eos = count - 3;
  spec.eot = count - 2;
  return spec;
}

// SentencePiece's, with scores and byte tokens.
TokenizerSpec ScoredSpec() {
  TokenizerSpec spec;
  spec.kind = TokenizerKind::kSentencePieceBpe;
  spec.tokens = {"<unk>", "<s>", "</s>"};
  spec.kinds = {TokenKind::kUnknown, TokenKind::kControl, TokenKind::kControl};
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (size_t byte = 0; byte < 256; ++byte) {
    spec.tokens.push_back(std::string("<0x") + kHex[byte / 16] + kHex[byte % 16] + ">");
    spec.kinds.push_back(TokenKind::kByte);
  }
  for (const auto* token : {"_", "a", "b", "ab", "_ab", "aa", "aaaa", "__", "____", "你", "你你"}) {
    spec.tokens.push_back(Marked(token));
    spec.kinds.push_back(TokenKind::kNormal);
  }
  spec.scores.assign(spec.tokens.size(), 0);
  for (size_t id = 259; id < spec.tokens.size(); ++id) {
    spec.scores[id] = -static_cast<float>(id);
  }
  spec.unknown = 0;
  spec.bos = 1;
  spec.eos = 2;
  spec.add_bos = true;
  return spec;
}

TokenizerSpec UnigramSpec() {
  TokenizerSpec spec;
  spec.kind = TokenizerKind::kUnigram;
  spec.tokens = {"<unk>", Marked("_"), "a", "b", "ab", Marked("_ab"), "aa", "你"};
  spec.kinds.assign(spec.tokens.size(), TokenKind::kNormal);
  spec.kinds[0] = TokenKind::kUnknown;
  spec.scores = {0, -3, -2, -2, -3, -3.5F, -3, -4};
  spec.unknown = 0;
  return spec;
}

TokenizerSpec WordPieceSpec() {
  TokenizerSpec spec;
  spec.kind = TokenizerKind::kWordPiece;
  spec.tokens = {"[UNK]", "[CLS]", "[SEP]", "hello", "##lo", "hel", "!", "你"};
  spec.kinds.assign(spec.tokens.size(), TokenKind::kNormal);
  spec.kinds[0] = TokenKind::kUnknown;
  spec.kinds[1] = spec.kinds[2] = TokenKind::kControl;
  spec.unknown = 0;
  spec.classification = 1;
  spec.separator = 2;
  spec.add_bos = spec.add_eos = true;
  return spec;
}

std::unique_ptr<Tokenizer> Make(TokenizerSpec spec) {
  auto tokenizer = Tokenizer::Make(std::move(spec));
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  return std::move(tokenizer).value();
}

TEST(TokenizerTest, MergesByRank) {
  const auto tokenizer = Make(ByteLevelSpec());
  const int32_t aa = 256;
  EXPECT_EQ(tokenizer->Encode("aaa", {}), (Ids{aa, 'a'})) << "leftmost first";
  EXPECT_EQ(tokenizer->Bytes(aa), "aa");
  EXPECT_EQ(tokenizer->Encode("hello", {}), (Ids{267}));
  EXPECT_EQ(tokenizer->Encode("", {}), (Ids{}));
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode(" hello 你你 aaa", {})), " hello 你你 aaa");
}

TEST(TokenizerTest, ControlTokensNeedParseSpecial) {
  auto spec = ByteLevelSpec();
  spec.add_bos = spec.add_eos = true;
  const int32_t think = static_cast<int32_t>(spec.tokens.size()) - 1;
  const auto tokenizer = Make(spec);
  EXPECT_EQ(tokenizer->Encode("<s>hello<think></s>", {}),
            (Ids{*spec.bos, *spec.bos, 267, think, *spec.eos, *spec.eos}));
  const Ids plain = tokenizer->Encode("<s>hello<think></s>", {.add_special = false, .parse_special = false});
  EXPECT_THAT(plain, ::testing::Contains(think)) << "user-defined tokens always";
  EXPECT_THAT(plain, ::testing::Not(::testing::Contains(*spec.bos)));
  EXPECT_EQ(tokenizer->Decode(plain), "<s>hello<think></s>");
  EXPECT_EQ(tokenizer->Bytes(*spec.bos), "");
  EXPECT_EQ(tokenizer->Bytes(-1), "");
  EXPECT_EQ(tokenizer->Bytes(tokenizer->size()), "");
  EXPECT_EQ(EndTokens(tokenizer->spec()), (Ids{*spec.eos, *spec.eot}));
}

TEST(TokenizerTest, TheLongestSpecialTokenWinsAndMayTakeWhiteSpace) {
  auto spec = ByteLevelSpec();
  const auto first = static_cast<int32_t>(spec.tokens.size());
  for (const auto* token : {"<x", "<x>", "<x>>"}) {
    spec.tokens.emplace_back(token);
    spec.kinds.push_back(TokenKind::kControl);
  }
  spec.strips_left = {first};
  spec.strips_right = {first + 1};
  const auto tokenizer = Make(spec);
  EXPECT_EQ(tokenizer->Encode("<x>><x><x", {}), (Ids{first + 2, first + 1, first}));
  EXPECT_EQ(tokenizer->Encode("a \n<x", {}), (Ids{'a', first}));
  EXPECT_EQ(tokenizer->Encode("<x> \n a", {}), (Ids{first + 1, 'a'}));
  EXPECT_EQ(tokenizer->Encode("a\u3000 \u00a0<x<x>\u2003a", {}), (Ids{'a', first, first + 1, 'a'}));
  EXPECT_EQ(tokenizer->Encode(" <x> ", {}).size(), 2U);
}

TEST(TokenizerTest, MergesByScore) {
  const auto tokenizer = Make(ScoredSpec());
  const auto id = [&](std::string_view token) {
    const auto& tokens = tokenizer->spec().tokens;
    return static_cast<int32_t>(std::ranges::find(tokens, Marked(token)) - tokens.begin());
  };
  EXPECT_EQ(tokenizer->Encode("ab", {}), (Ids{1, id("_ab")}));
  EXPECT_EQ(tokenizer->Encode("aaab", {.add_special = false}), (Ids{id("_"), id("aa"), id("ab")}));
  EXPECT_EQ(tokenizer->Encode("é", {.add_special = false}), (Ids{id("_"), 3 + 0xC3, 3 + 0xA9}));
  EXPECT_EQ(tokenizer->Encode("ab</s>ab", {}), (Ids{1, id("_ab"), 2, id("_ab")}));
  EXPECT_EQ(tokenizer->Encode("<0x41>", {.add_special = false}).size(), 7U) << "spelled bytes are text";
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode("  ab é", {})), "  ab é");
  auto spec = ScoredSpec();
  spec.add_space_prefix = false;
  EXPECT_EQ(Make(spec)->Encode("ab", {}), (Ids{1, id("ab")}));
  EXPECT_EQ(Make(spec)->Decode({id("_ab")}), " ab");
}

TEST(TokenizerTest, FindsTheMostProbableSegmentation) {
  const auto tokenizer = Make(UnigramSpec());
  EXPECT_EQ(tokenizer->Encode("ab", {}), (Ids{5}));
  EXPECT_EQ(tokenizer->Encode("abab", {}), (Ids{5, 4}));
  EXPECT_EQ(tokenizer->Encode("a??b", {}), (Ids{1, 2, 0, 3})) << "a run of unknown characters is one token";
  EXPECT_EQ(tokenizer->Encode("\xFF\xFE", {}), (Ids{1, 0}));
  EXPECT_EQ(tokenizer->Encode("  ab  ab ", {}), (Ids{1, 1, 5, 1, 5, 1}));
  auto spec = UnigramSpec();
  spec.remove_extra_whitespaces = true;
  EXPECT_EQ(Make(spec)->Encode("  ab  ab ", {}), (Ids{5, 5}));
  EXPECT_EQ(Make(spec)->Encode("  ", {}), (Ids{}));
  EXPECT_EQ(Make(spec)->Decode({5, 5}), "ab ab");
}

TEST(TokenizerTest, MatchesTheLongestPiecesOfWords) {
  const auto tokenizer = Make(WordPieceSpec());
  EXPECT_EQ(tokenizer->Encode("Héllo hello!你好", {}), (Ids{1, 3, 3, 6, 7, 0, 2}));
  EXPECT_EQ(tokenizer->Encode("hel hellolo helx", {.add_special = false}), (Ids{5, 3, 4, 0}));
  EXPECT_EQ(tokenizer->Encode(std::string(101, 'h'), {.add_special = false}), (Ids{0}));
  EXPECT_EQ(tokenizer->Decode({1, 5, 4, 6, 3, 2}), "hello! hello");
}

// Text goes through, whatever it is.
TEST(TokenizerTest, RoundTripsRandomTextAndBytes) {
  const auto bytes = Make(ByteLevelSpec());
  const auto scored = Make(ScoredSpec());
  SeededRng rng(5);
  for (int round = 0; round < 400; ++round) {
    std::string text;
    const uint32_t length = rng.Below(60);
    for (uint32_t i = 0; i < length; ++i) {
      if (round % 2 == 0) {
        text += static_cast<char>(rng.Below(256));
        continue;
      }
      const char32_t character = rng.Below(4) == 0 ? rng.Below(0x110000) : rng.Below(0x3000);
      AppendUtf8(text, character >= 0xD800 && character < 0xE000 ? ' ' : character);
    }
    for (const Tokenizer* tokenizer : {bytes.get(), scored.get()}) {
      const Ids ids = tokenizer->Encode(text, {.add_special = false, .parse_special = false});
      const bool marks = tokenizer == scored.get();  // in which a mark is a space
      EXPECT_EQ(tokenizer->Decode(ids), marks ? ReplaceAll(text, kMark, " ") : text);
    }
  }
}

std::vector<std::string> Monotonous(size_t count) {
  std::string chinese;
  std::string words;
  for (size_t i = 0; i < count / 3; ++i) {
    chinese += "你";
  }
  while (words.size() < count) {
    words += "hello, 12 ";
  }
  return {std::string(count, 'a'), std::string(count, ' '),  chinese, std::string(count, 'A'),
          std::string(count, '9'), std::string(count, '\n'), words,   std::string(count, '\xFF')};
}

void ExpectFast(const TokenizerSpec& spec, std::span<const std::string> texts) {
  const auto tokenizer = Make(spec);
  for (const auto& text : texts) {
    const auto start = std::chrono::steady_clock::now();
    const Ids ids = tokenizer->Encode(text, {.add_special = false});
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    EXPECT_LT(taken.count(), 5.0) << spec.pre << " " << text.substr(0, 6);  // quadratic: minutes
    if (spec.kind == TokenizerKind::kByteLevelBpe) {
      EXPECT_EQ(tokenizer->Decode(ids), text);
    }
  }
}

TEST(TokenizerTest, TakesLinearTime) {
  const auto large = Monotonous(1'000'000);
  auto words = WordPieceSpec();
  words.word_piece.max_word_chars = 0;
  for (const auto& spec : {ByteLevelSpec(), ScoredSpec(), UnigramSpec(), words}) {
    ExpectFast(spec, std::span(large).first(3));
  }
  const auto small = Monotonous(100'000);
  for (const auto* pre : {"llama-bpe", "qwen2", "gpt-4o", "deepseek-v3", "deepseek-llm", "deepseek-coder", "falcon",
                          "default", "tekken", "exaone-moe", "bloom"}) {
    auto spec = ByteLevelSpec();
    spec.pre = pre;
    ExpectFast(spec, small);
  }
}

using Break = std::function<void(TokenizerSpec&)>;

TEST(TokenizerTest, RefusesBrokenSpecsByName) {
  struct Row {
    std::string named;
    TokenizerSpec spec;
    Break broken;
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<Row> rows{
      {"tokens", {}, [](auto&) {}},
      {"kind", ByteLevelSpec(), [](auto& spec) { spec.kind = static_cast<TokenizerKind>(9); }},
      {"'a' is both", ByteLevelSpec(), [](auto& spec) { spec.tokens[0] = "a"; }},
      {"too long", ByteLevelSpec(), [](auto& spec) { spec.tokens[0] = std::string(1 << 20, 'x'); }},
      {"tokens", ByteLevelSpec(), [](auto& spec) { spec.tokens.resize(3'000'000); }},
      {"kinds", ByteLevelSpec(), [](auto& spec) { spec.kinds.pop_back(); }},
      {"kinds", ByteLevelSpec(), [](auto& spec) { spec.kinds[7] = static_cast<TokenKind>(77); }},
      {"'<0x-1>'", ScoredSpec(), [](auto& spec) { spec.tokens[3] = "<0x-1>"; }},
      {"'<0xZZ>'", ScoredSpec(), [](auto& spec) { spec.tokens[3] = "<0xZZ>"; }},
      {"'<0x100>'", ScoredSpec(), [](auto& spec) { spec.tokens[3] = "<0x100>"; }},
      {"scores", ScoredSpec(), [](auto& spec) { spec.scores.pop_back(); }},
      {"scores", ScoredSpec(), [](auto& spec) { spec.scores.clear(); }},
      {"token 5", ScoredSpec(), [=](auto& spec) { spec.scores[5] = nan; }},
      {"token 5", UnigramSpec(), [](auto& spec) { spec.scores[5] = -std::numeric_limits<float>::infinity(); }},
      {"scores", UnigramSpec(), [](auto& spec) { spec.scores.push_back(0); }},
      {"bos", ByteLevelSpec(), [](auto& spec) { spec.bos = -1; }},
      {"eos", ByteLevelSpec(), [](auto& spec) { spec.eos = 100'000; }},
      {"eot", ByteLevelSpec(), [](auto& spec) { spec.eot = std::numeric_limits<int32_t>::max(); }},
      {"unknown", ScoredSpec(), [](auto& spec) { spec.unknown = 5000; }},
      {"padding", ScoredSpec(), [](auto& spec) { spec.padding = 5000; }},
      {"separator", WordPieceSpec(), [](auto& spec) { spec.separator = 8; }},
      {"classification", WordPieceSpec(), [](auto& spec) { spec.classification = -7; }},
      {"mask", WordPieceSpec(), [](auto& spec) { spec.mask = 8; }},
      {"strips_left", ByteLevelSpec(), [](auto& spec) { spec.strips_left = {-1}; }},
      {"strips_right", ByteLevelSpec(), [](auto& spec) { spec.strips_right = {9000}; }},
      {"before", ByteLevelSpec(), [](auto& spec) { spec.before = {9000}; }},
      {"after", ByteLevelSpec(), [](auto& spec) { spec.after = {-2}; }},
      {"unknown token", UnigramSpec(), [](auto& spec) { spec.unknown.reset(); }},
      {"unknown token", WordPieceSpec(), [](auto& spec) { spec.unknown.reset(); }},
      {"add_bos", ScoredSpec(), [](auto& spec) { spec.bos.reset(); }},
      {"add_eos", ByteLevelSpec(), [](auto& spec) { spec.add_eos = true, spec.eos.reset(); }},
      {"merge 0, 'a'", ByteLevelSpec(), [](auto& spec) { spec.merges[0] = "a"; }},
      {"merge 1, ''", ByteLevelSpec(), [](auto& spec) { spec.merges[1] = ""; }},
      {"merge 1, 'a '", ByteLevelSpec(), [](auto& spec) { spec.merges[1] = "a "; }},
      {"merge 1, ' a'", ByteLevelSpec(), [](auto& spec) { spec.merges[1] = " a"; }},
      {"merge 2", ByteLevelSpec(), [](auto& spec) { spec.merges[2] = "a zz"; }},
      {"merge 2", ByteLevelSpec(), [](auto& spec) { spec.merges[2] = "b c"; }},
      {"merges", UnigramSpec(), [](auto& spec) { spec.merges = {"a b"}; }},
      {"'gpt-9'", ByteLevelSpec(), [](auto& spec) { spec.pre = "gpt-9"; }},
      {"regex '(a'", ByteLevelSpec(), [](auto& spec) { spec.splits = {{.regex = "(a"}}; }},
      {"splits", ByteLevelSpec(), [](auto& spec) { spec.splits.emplace(100); }},
      {"pattern", ByteLevelSpec(), [](auto& spec) { spec.normalizer = {{.kind = NormalizerStep::Kind::kReplace}}; }},
      {"precompiled_charsmap", UnigramSpec(),
       [](auto& spec) { spec.normalizer = {{.kind = NormalizerStep::Kind::kCharsmap}}; }},
      {"precompiled_charsmap", UnigramSpec(), [](auto& spec) { spec.precompiled_charsmap = "abc"; }},
      {"precompiled_charsmap", UnigramSpec(),
       [](auto& spec) { spec.precompiled_charsmap = std::string("\xFF\xFF\xFF\xFF....\0", 9); }},
      {"precompiled_charsmap", UnigramSpec(),
       [](auto& spec) { spec.precompiled_charsmap = std::string("\4\0\0\0....x", 9); }},
      {"word_piece", WordPieceSpec(), [](auto& spec) { spec.word_piece.continuing_prefix.clear(); }},
  };
  for (const auto& row : rows) {
    auto spec = row.spec;
    row.broken(spec);
    auto tokenizer = Tokenizer::Make(std::move(spec));
    ASSERT_FALSE(tokenizer.ok()) << row.named;
    EXPECT_THAT(tokenizer.error().message, ::testing::HasSubstr(row.named));
    EXPECT_THAT(tokenizer.error().reason, ::testing::AnyOf("invalid_tokenizer", "unknown_pre_tokenizer"));
    EXPECT_NE(tokenizer.error().param, "") << tokenizer.error().message;
  }
}

// Charsmaps from files may point anywhere.
TEST(TokenizerTest, SurvivesRandomCharsmaps) {
  SeededRng rng(3);
  for (int round = 0; round < 300; ++round) {
    std::string map(4 + 256 + 9, '\0');
    for (char& byte : map) {
      byte = static_cast<char>(rng.Below(256));
    }
    map.replace(0, 4, std::string("\0\1\0\0", 4));
    map.back() = '\0';
    auto spec = UnigramSpec();
    spec.precompiled_charsmap = map;
    const auto tokenizer = Make(spec);
    std::string text;
    for (int i = 0; i < 50; ++i) {
      text += static_cast<char>(rng.Below(256));
    }
    tokenizer->Encode(text, {});
  }
}

TEST(Llama2cTest, ReadsTheStoriesVocabulary) {
  const auto file = SharedData() / "weights" / "llama2c_stories260K" / "tok512.bin";
  if (!std::filesystem::exists(file)) {
    GTEST_SKIP() << "no shared data";
  }
  auto spec = ReadLlama2cTokenizer(Slurp(file));
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(spec->tokens.size(), 512U);
  EXPECT_EQ(spec->tokens[261], Marked("_a"));
  const auto tokenizer = Make(*spec);
  const std::string text = "Once upon a time, there was a little girl named Lily.\nShe said: é!";
  const Ids ids = tokenizer->Encode(text, {});
  EXPECT_EQ(ids[0], 1);
  EXPECT_EQ(tokenizer->Decode(ids), text);
  EXPECT_THAT(ids, ::testing::Contains(13)) << "the line break is a byte";
}

TEST(Llama2cTest, AgreesWithTheVectorsOfLlama2) {
  const auto root = SharedData() / "tokenizers";
  if (!std::filesystem::exists(root)) {
    GTEST_SKIP() << "no shared data";
  }
  auto spec = ReadLlama2cTokenizer(Slurp(root / "llama2_sentencepiece" / "tokenizer.bin"));
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  const auto tokenizer = Make(*spec);
  int cases = 0;
  std::ifstream lines(root / "llama_cpp" / "llama-spm.jsonl");
  for (std::string line; std::getline(lines, line); ++cases) {
    const json::value row = ParseJson(line).value();
    EXPECT_EQ(tokenizer->Encode(TextOf(row.at("text")), {.add_special = false}), IdsOf(row.at("ids"))) << line;
  }
  EXPECT_EQ(cases, 38);
}

TEST(Llama2cTest, RefusesDamage) {
  const std::string head("\4\0\0\0", 4);
  const std::string token = std::string("\0\0\0\0\1\0\0\0x", 9);
  for (const auto& bytes :
       {std::string(), std::string("\4\0"), head, head + token, head + token + token + token.substr(0, 8),
        head + token + token + token.substr(0, 3), head + token + token + std::string("\0\0\0\0\xFF\xFF\xFF\xFFx", 9),
        head + token + token + std::string("\0\0\0\0\xFF\xFF\xFF\x7Fx", 9),
        std::string("\xFF\xFF\xFF\xFF", 4) + token + token + token, std::string(4, '\0') + token + token + token}) {
    auto spec = ReadLlama2cTokenizer(bytes);
    ASSERT_FALSE(spec.ok()) << bytes.size();
    EXPECT_EQ(spec.error().reason, "invalid_tokenizer");
  }
}

}  // namespace
}  // namespace atelier::text
