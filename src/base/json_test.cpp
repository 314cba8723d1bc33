#include "base/json.h"

#include <gtest/gtest.h>

namespace atelier {
namespace {

using namespace std::string_literals;

json::object Object(std::string_view text) { return ParseJson(text).value().as_object(); }

TEST(Json, ReadsWhatIsWellFormed) {
  const auto value = ParseJson(R"({"a":[1,-2.5,true,null,"é\u4e2d\ud83d\ude00"],"b":{}} )");
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(value->at("a").at(0), 1);
  EXPECT_EQ(value->at("a").at(1), -2.5);
  EXPECT_EQ(value->at("a").at(4), "é中😀");
  EXPECT_EQ(ParseJson("7")->as_int64(), 7);
  EXPECT_EQ(ParseJson("18446744073709551615")->as_uint64(), UINT64_MAX);
  EXPECT_EQ(ParseJson("1e308")->as_double(), 1e308);
}

class BadJson : public testing::TestWithParam<std::string> {};
TEST_P(BadJson, IsRefused) {
  const auto value = ParseJson(GetParam());
  ASSERT_FALSE(value.ok()) << GetParam();
  EXPECT_EQ(value.error().code, Code::kInvalidArgument);
  EXPECT_EQ(value.error().reason, "invalid_json");
}
INSTANTIATE_TEST_SUITE_P(Json, BadJson,
                         testing::Values("", " ", "{", "[1,", "[1,]", "{\"a\":1,}", "{a:1}", "'a'", "nul", "True",
                                         "[1] x", "{}{}", "01", "+1", "1.", ".5", "-", "0x10", "NaN", "Infinity",
                                         "-Infinity", "1e400", "-1e400", "// c\n1", "/* c */1", "\xEF\xBB\xBF{}", "\0"s,
                                         "{}\0"s));
INSTANTIATE_TEST_SUITE_P(Strings, BadJson,
                         testing::Values(R"("\ud800")", R"("\udc00")", R"("\ud800x")", R"("\ud800\ud800")", R"("\x41")",
                                         R"("\u12")", "\"a\nb\"", "\"\x01\"", "\"\xff\"", "\"\xc0\xae\"",
                                         "\"\xed\xa0\x80\"", "\"\xe4\xb8\"", "\"open"));
INSTANTIATE_TEST_SUITE_P(Duplicates, BadJson,
                         testing::Values(R"({"a":1,"a":2})", R"({"a":1,"b":2,"a":1})", R"([{"x":{"a":1,"a":1}}])",
                                         R"({"a":1,"\u0061":2})"));

TEST(Json, TheSameKeyInDifferentObjectsIsNoDuplicate) { EXPECT_TRUE(ParseJson(R"([{"a":1},{"a":{"a":2}}])").ok()); }

TEST(Json, DepthIsLimited) {
  const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(ParseJson(nested(64)).ok());
  EXPECT_FALSE(ParseJson(nested(65)).ok());
  EXPECT_FALSE(ParseJson(std::string(1'000'000, '[')).ok());
  std::string objects;
  for (int i = 0; i < 100'000; ++i) {
    objects += "{\"a\":";
  }
  EXPECT_FALSE(ParseJson(objects).ok());
}

TEST(Json, SizeIsLimited) {
  const auto value = ParseJson("[1,2,3]", {.max_bytes = 6});
  ASSERT_FALSE(value.ok());
  EXPECT_EQ(value.error().code, Code::kOutOfRange);
  EXPECT_EQ(value.error().reason, "request_too_large");
  EXPECT_TRUE(ParseJson("[1,2,3]", {.max_bytes = 7}).ok());
}

TEST(Fields, GiveValuesAndDefaults) {
  const auto object = Object(R"({"s":"x","i":3,"whole":4.0,"d":0.5,"b":true,"l":["p","q"],"o":{"k":1},"n":null})");
  Fields fields(object);
  EXPECT_EQ(*fields.String("s"), "x");
  EXPECT_EQ(*fields.Int("i", 0, 10), 3);
  EXPECT_EQ(*fields.Int("whole", 0, 10), 4);
  EXPECT_EQ(*fields.Number("d", 0, 1), 0.5);
  EXPECT_EQ(*fields.Number("i", 0, 10), 3.0);
  EXPECT_EQ(*fields.BoolOr("b", false), true);
  EXPECT_EQ(*fields.StringsOr("l", {}, 2), (std::vector<std::string>{"p", "q"}));
  EXPECT_EQ((*fields.ObjectOr("o"))->at("k"), 1);
  EXPECT_EQ(*fields.StringOr("n", "default"), "default");
  EXPECT_EQ(*fields.IntOr("absent", 9, 0, 10), 9);
  EXPECT_EQ(*fields.ObjectOr("absent"), nullptr);
  EXPECT_TRUE(fields.Has("s"));
  EXPECT_FALSE(fields.Has("n"));
  EXPECT_TRUE(fields.RejectUnknown().ok());
}

TEST(Fields, NameTheFieldThatIsWrong) {
  const auto object = Object(R"({"s":5,"i":"3","f":3.5,"big":1e30,"huge":18446744073709551615,"l":["p",1]})");
  Fields fields(object, "layers[2]");
  const auto param = [](const auto& result) { return result.ok() ? "" : result.error().param; };
  EXPECT_EQ(param(fields.String("s")), "layers[2].s");
  EXPECT_EQ(param(fields.Int("i", 0, 10)), "layers[2].i");
  EXPECT_EQ(param(fields.Int("f", 0, 10)), "layers[2].f");
  EXPECT_EQ(param(fields.Int("big", 0, INT64_MAX)), "layers[2].big");
  EXPECT_EQ(param(fields.Int("huge", INT64_MIN, INT64_MAX)), "layers[2].huge");
  EXPECT_EQ(param(fields.StringsOr("l", {}, 5)), "layers[2].l");
  const auto missing = fields.String("absent");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().reason, "missing_required_parameter");
}

TEST(Fields, KeepRanges) {
  const auto object = Object(R"({"i":3,"s":"four","l":["a","b","c"],"d":0.5})");
  Fields fields(object);
  EXPECT_FALSE(fields.Int("i", 4, 10).ok());
  EXPECT_FALSE(fields.Int("i", 0, 2).ok());
  EXPECT_FALSE(fields.IntOr("i", 5, 4, 10).ok());
  EXPECT_FALSE(fields.String("s", 3).ok());
  EXPECT_FALSE(fields.StringsOr("l", {}, 2).ok());
  EXPECT_FALSE(fields.Number("d", 0.6, 1).ok());
  EXPECT_FALSE(fields.NumberOr("d", 0, 0, 0.4).ok());
}

TEST(Fields, RefuseWhatNobodyAskedFor) {
  const auto object = Object(R"({"model":"m","temprature":1})");
  Fields fields(object);
  ASSERT_TRUE(fields.String("model").ok());
  const auto status = fields.RejectUnknown();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().param, "temprature");
  EXPECT_EQ(status.error().reason, "unknown_parameter");
}

TEST(Json, TheLenientGettersTakeDefaults) {
  const auto object = Object(R"({"s":"x","i":2,"d":1.5,"b":true,"o":{"i":3}})");
  EXPECT_EQ(GetString(object, "s"), "x");
  EXPECT_EQ(GetString(object, "i", "y"), "y");
  EXPECT_EQ(GetInt(object, "i"), 2);
  EXPECT_EQ(GetInt(object, "d", 7), 7);
  EXPECT_EQ(GetNumber(object, "i"), 2.0);
  EXPECT_EQ(GetNumber(object, "absent", 0.5), 0.5);
  EXPECT_TRUE(GetBool(object, "b"));
  EXPECT_TRUE(GetBool(object, "absent", true));
  EXPECT_EQ(GetInt(GetObject(object, "o"), "i"), 3);
  EXPECT_TRUE(GetObject(object, "i").empty());
  EXPECT_TRUE(GetObject(GetObject(object, "absent"), "o").empty());
}

}  // namespace
}  // namespace atelier
