#include "base/ids.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace atelier {
namespace {

using namespace std::string_literals;

TEST(Ids, HaveAPrefixAnd128RandomBits) {
  SystemRng rng;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = NewId("job_", rng);
    ASSERT_EQ(id.size(), 4U + 32U);
    ASSERT_TRUE(id.starts_with("job_"));
    ASSERT_EQ(id.find_first_not_of("0123456789abcdef", 4), std::string::npos);
    ASSERT_TRUE(seen.insert(id).second);
  }
}

TEST(Ids, HexIsLowerCaseAndKeepsLeadingZeros) {
  const std::array bytes{std::byte{0x00}, std::byte{0x0f}, std::byte{0xa5}, std::byte{0xff}};
  EXPECT_EQ(Hex(bytes), "000fa5ff");
}

TEST(Ids, Sha256IsLowerCaseHexOfItsLength) {
  EXPECT_TRUE(IsSha256(std::string(64, 'a')));
  EXPECT_FALSE(IsSha256(std::string(63, 'a')));
  EXPECT_FALSE(IsSha256(std::string(65, 'a')));
  EXPECT_FALSE(IsSha256(std::string(64, 'A')));
  EXPECT_FALSE(IsSha256(std::string(63, 'a') + "/"));
  EXPECT_FALSE(IsSha256(""));
}

class GoodName : public testing::TestWithParam<std::string> {};
TEST_P(GoodName, IsTaken) { EXPECT_TRUE(ValidateName(GetParam(), "name").ok()) << GetParam(); }
INSTANTIATE_TEST_SUITE_P(Ids, GoodName,
                         testing::Values("a", "7", "fashion-mnist", "iris.v2", "A_b-C.9", "情感分类", "中文-模型_1",
                                         "données", "модель", "日本語", "한국어", "𠀀𠀁", "console", "com", "com10",
                                         "nullable", std::string(128, 'x')));

class HostileName : public testing::TestWithParam<std::string> {};
TEST_P(HostileName, IsRefused) {
  const auto status = ValidateName(GetParam(), "name");
  ASSERT_FALSE(status.ok()) << GetParam();
  EXPECT_EQ(status.error().code, Code::kInvalidArgument);
  EXPECT_EQ(status.error().param, "name");
  EXPECT_EQ(status.error().reason, "invalid_name");
}
INSTANTIATE_TEST_SUITE_P(Ids, HostileName,
                         testing::Values("", ".", "..", "../etc/passwd", "a/b", "a\\b", "a..b", ".hidden", "-rf", "_x",
                                         "a b", " a", "a\n", "a\tb", "a\0b"s, "a@1", "a:b", "a%2e", "~", "$(id)", "a;b",
                                         "CON", "nul", "Aux.txt", "com1", "LPT9.gz", std::string(129, 'x')));
INSTANTIATE_TEST_SUITE_P(HostileUnicode, HostileName,
                         testing::Values("a\u202Eb",              // right-to-left override
                                         "a\u200Bb", "a\u2060b",  // zero width
                                         "\uFEFFa", "a\u00A0b",   // byte order mark, no-break space
                                         "a\u3000b", "a\u0085b",  // ideographic space, C1 control
                                         "a\u2028b", "\uFFFD",    // line separator, replacement character
                                         "\xC3", "\xFF\xFE",      // cut off, never valid
                                         "\xC0\xAE\xC0\xAE/",     // overlong ".."
                                         "\xED\xA0\x80"));        // surrogate

TEST(Ids, ALongNameIsCountedInBytes) {
  std::string name;
  for (int i = 0; i < 42; ++i) {
    name += "字";  // 3 bytes
  }
  EXPECT_TRUE(ValidateName(name, "name").ok());
  EXPECT_FALSE(ValidateName(name + "字", "name").ok());
}

// RFC 3629 section 4, and Markus Kuhn's "UTF-8 decoder capability and stress test".
TEST(Ids, Utf8IsStrict) {
  for (const auto& good : {"", "plain", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsUtf8(good));
  }
  for (const auto& bad : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x80\x80", "\xE0\x9F\xBF",
                          "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
                          "\xF5\x80\x80\x80", "\xF8\x88\x80\x80\x80", "\xFE", "\xFF", "\xE4\xB8"}) {
    EXPECT_FALSE(IsUtf8(bad));
  }
}

TEST(Ids, QuotesNamesForPeople) {
  EXPECT_EQ(QuotedName("blk.0"), "'blk.0'");
  EXPECT_EQ(QuotedName("词\n"), "'词?'");
  EXPECT_EQ(QuotedName("\xff\x1b"), std::string("'?") + "?'");
  EXPECT_EQ(QuotedName(std::string(99, 'a') + "词"), "'" + std::string(99, 'a') + "...'");
  const std::string quoted = QuotedName(std::string(3, 'a') + std::string(60, '\xc3'));
  EXPECT_TRUE(IsUtf8(quoted)) << quoted;
}

}  // namespace
}  // namespace atelier
