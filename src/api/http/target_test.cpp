#include "api/http/target.h"

#include <gtest/gtest.h>

namespace atelier::api::http {
namespace {

TEST(PercentDecode, DecodesOnce) {
  EXPECT_EQ(*PercentDecode("a%20b%2Fc", false), "a b/c");
  EXPECT_EQ(*PercentDecode("%2541", false), "%41");
  EXPECT_EQ(*PercentDecode("%e4%BD%a0", false), "你");
  EXPECT_EQ(*PercentDecode("a+b", true), "a b");
  EXPECT_EQ(*PercentDecode("a+b", false), "a+b");
}

TEST(PercentDecode, RefusesWhatIsNoText) {
  for (const char* bad : {"%", "%1", "%zz", "%0", "a%4", "%00", "%0a", "%7f", "%ff", "%c0%80", "%ed%a0%80", "% 1"}) {
    EXPECT_FALSE(PercentDecode(bad, false).ok()) << bad;
  }
}

TEST(ParseTarget, SplitsPathAndQuery) {
  const auto target = ParseTarget("/v1/models/a%2Fb?limit=5&x=%26&flag&empty=");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->segments, (std::vector<std::string>{"v1", "models", "a/b"}));
  EXPECT_EQ(*target->Query("limit"), "5");
  EXPECT_EQ(*target->Query("x"), "&");
  EXPECT_EQ(*target->Query("flag"), "");
  EXPECT_FALSE(target->Query("none").has_value());
  EXPECT_FALSE(target->ambiguous);
  EXPECT_TRUE(ParseTarget("/")->segments.empty());
}

TEST(ParseTarget, MarksPathsThatOthersMightReadDifferently) {
  for (const char* odd : {"/v1/../x", "/v1/%2e%2e/x", "/v1//x", "//v1", "/v1/", "/a%5cb", "/a\\b", "/./x"}) {
    ASSERT_TRUE(ParseTarget(odd).ok()) << odd;
    EXPECT_TRUE(ParseTarget(odd)->ambiguous) << odd;
  }
}

TEST(ParseTarget, KnowsTheAbsoluteForm) {
  const auto target = ParseTarget("http://host:80/a?b=c");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->authority, "host:80");
  EXPECT_EQ(target->segments, std::vector<std::string>{"a"});
}

TEST(ParseTarget, RefusesOtherForms) {
  for (const char* bad : {"", "x", "*", "host:80", "http://", "http:///a", "ftp://a/b", "/a#b", "/?a=1&a=2", "/?%zz"}) {
    EXPECT_FALSE(ParseTarget(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace atelier::api::http
