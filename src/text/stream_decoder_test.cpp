#include "text/stream_decoder.h"

#include <gmock/gmock.h>

#include "base/rng.h"
#include "text/utf8.h"

namespace atelier::text {
namespace {

std::unique_ptr<Tokenizer> Bytes() {
  TokenizerSpec spec;
  spec.kind = TokenizerKind::kSentencePieceBpe;
  const auto add = [&](std::string token, TokenKind kind) {
    spec.tokens.push_back(std::move(token));
    spec.kinds.push_back(kind);
    spec.scores.push_back(0);
  };
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (size_t byte = 0; byte < 256; ++byte) {
    add(std::string("<0x") + kHex[byte / 16] + kHex[byte % 16] + ">", TokenKind::kByte);
  }
  add("\xE2\x96\x81Hi", TokenKind::kNormal);
  add("<s>", TokenKind::kControl);
  return Tokenizer::Make(std::move(spec)).value();
}

TEST(StreamDecoderTest, HoldsBackWhatIsNotWhole) {
  const auto tokenizer = Bytes();
  StreamDecoder decoder(*tokenizer);
  EXPECT_EQ(decoder.Push(0xF0), "");
  EXPECT_EQ(decoder.Push(0x9F), "");
  EXPECT_EQ(decoder.Push(0x98), "");
  EXPECT_EQ(decoder.Push(0x80), "😀");
  EXPECT_EQ(decoder.Push(257), "");
  EXPECT_EQ(decoder.Push(-1), "");
  EXPECT_EQ(decoder.Push(1000), "");
  EXPECT_EQ(decoder.Push(0xE4), "");
  EXPECT_EQ(decoder.Push('a'), "\uFFFDa");
  EXPECT_EQ(decoder.Push(0xE4), "");
  EXPECT_EQ(decoder.Push(0xBD), "");
  EXPECT_EQ(decoder.Finish(), "\uFFFD");
  EXPECT_EQ(decoder.Finish(), "");
}

TEST(StreamDecoderTest, DropsTheFirstSpaceOfATextOfItsOwn) {
  const auto tokenizer = Bytes();
  StreamDecoder own(*tokenizer, true);
  EXPECT_EQ(own.Push(257), "");
  EXPECT_EQ(own.Push(256), "Hi");
  EXPECT_EQ(own.Push(256), " Hi");
  StreamDecoder continued(*tokenizer);
  EXPECT_EQ(continued.Push(256), " Hi");
}

TEST(StreamDecoderTest, ReplacesWhatCanNeverBecomeACharacter) {
  const auto tokenizer = Bytes();
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"\x80", "\uFFFD"},
      {"\xC0\x80", "\uFFFD\uFFFD"},
      {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},
      {"\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
      {"\xE0\x9F\xBF", "\uFFFD\uFFFD\uFFFD"},
      {"\xF1\x80\x80z", "\uFFFDz"},
      {"\xFF\xFE", "\uFFFD\uFFFD"},
      {"\xF4\x8F\xBF\xBF", "\U0010FFFF"},
  };
  for (const auto& [bytes, expected] : rows) {
    StreamDecoder decoder(*tokenizer);
    EXPECT_EQ(decoder.PushBytes(bytes) + decoder.Finish(), expected);
    EXPECT_EQ(ReplaceInvalidUtf8(bytes), expected);
  }
}

TEST(StreamDecoderTest, GivesTheSameTextHoweverItIsCut) {
  const auto tokenizer = Bytes();
  SeededRng rng(11);
  const std::string_view pieces[] = {"a", "é", "你", "😀", "\x80", "\xC3", "\xF0\x9F", "\xED\xA0", "\xE4\xBD"};
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (int i = 0; i < 20; ++i) {
      text += pieces[rng.Next() % std::size(pieces)];
    }
    StreamDecoder decoder(*tokenizer);
    std::string out;
    for (size_t at = 0; at < text.size();) {
      const size_t length = 1 + rng.Next() % 4;
      const std::string chunk = decoder.PushBytes(std::string_view(text).substr(at, length));
      EXPECT_EQ(chunk, ReplaceInvalidUtf8(chunk));
      out += chunk;
      at += length;
    }
    EXPECT_EQ(out + decoder.Finish(), ReplaceInvalidUtf8(text));
  }
}

}  // namespace
}  // namespace atelier::text
