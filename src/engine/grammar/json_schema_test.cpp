#include "engine/grammar/json_schema.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/grammar/testing/grammar_testing.h"

namespace atelier::engine::grammar {
namespace {

using testing::Accepts;

Result<GrammarPtr> Compile(std::string_view schema, const JsonOptions& options = {}) {
  Budget budget{GrammarLimits()};
  return CompileJsonSchemaText(schema, options, budget);
}
std::string ReasonOf(std::string_view schema) {
  const auto grammar = Compile(schema);
  return grammar.ok() ? "" : grammar.error().reason;
}

struct SchemaCase {
  const char* schema;
  std::vector<const char*> valid;
  std::vector<const char*> invalid;
};
void PrintTo(const SchemaCase& schema_case, std::ostream* out) {
  *out << ::testing::PrintToString(std::string(schema_case.schema));
}

class SchemaCases : public ::testing::TestWithParam<SchemaCase> {};

TEST_P(SchemaCases, AcceptExactlyTheValid) {
  const auto grammar = Compile(GetParam().schema);
  ASSERT_TRUE(grammar.ok()) << GetParam().schema << ": " << grammar.error().message;
  for (const char* text : GetParam().valid) {
    EXPECT_TRUE(Accepts(**grammar, text)) << GetParam().schema << " refuses " << text;
  }
  for (const char* text : GetParam().invalid) {
    EXPECT_FALSE(Accepts(**grammar, text)) << GetParam().schema << " accepts " << text;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Scalars, SchemaCases,
    ::testing::Values(
        SchemaCase{"true", {"1", "{}", "[1,[]]", "\"a\"", "null"}, {"", "nul", "{", "01", "1.", "\"\n\"", "'a'"}},
        SchemaCase{R"({"type":"integer"})", {"0", "-5", "12.0"}, {"1.5", "+1", "00", "\"1\""}},
        SchemaCase{R"({"type":"integer","minimum":-3,"maximum":120})", {"-3", "0", "99", "120"}, {"-4", "121", "1000"}},
        SchemaCase{R"({"type":"number","exclusiveMinimum":0.25})",
                   {"0.26", "0.250001", "1", "30"},
                   {"0.25", "0.250", "0.2", "-1", "0"}},
        SchemaCase{R"({"minimum":5,"exclusiveMinimum":true})", {"5.1", "6", "\"x\""}, {"5", "5.0", "-6"}},
        SchemaCase{R"({"type":"integer","multipleOf":7})", {"0", "14", "-21"}, {"1", "15", "22"}},
        SchemaCase{R"({"type":"number","multipleOf":0.01})", {"1", "0.25", "3.10", "2.500"}, {"0.005", "1.001"}},
        SchemaCase{R"({"type":"string","minLength":2,"maxLength":3})",
                   {"\"ab\"", "\"\xE4\xBD\xA0\xE5\xA5\xBD\"", "\"\\n\\u00e9a\"", "\"\\ud83d\\ude00a\""},
                   {"\"a\"", "\"abcd\"", "\"\\ud83d\\ude00\""}},
        SchemaCase{R"({"type":"string","pattern":"^[a-c]+$","maxLength":4})",
                   {"\"abc\"", "\"cccc\""},
                   {"\"\"", "\"abd\"", "\"aaaaa\""}},
        SchemaCase{R"({"type":"string","pattern":"b"})", {"\"abc\"", "\"b\""}, {"\"ac\""}},
        SchemaCase{R"({"enum":["a","\"q\"",1,null,[1,{"x":2}]]})",
                   {"\"a\"", "\"\\\"q\\\"\"", "1", "1.0", "null", "[1,{\"x\":2}]"},
                   {"\"b\"", "2", "[1,{\"x\":3}]", "[1]", "true"}},
        SchemaCase{R"({"const":{"a":[true]}})",
                   {"{\"a\":[true]}", "{ \"a\": [true] }"},
                   {"{}", "{\"a\":[1]}", "{\"a\":[true],\"b\":1}"}},
        SchemaCase{R"({"type":["string","null"]})", {"null", "\"\""}, {"1", "nullx"}},
        SchemaCase{R"({"type":"string","format":"date"})",
                   {"\"2024-02-29\"", "\"2023-12-31\""},
                   {"\"2023-02-29\"", "\"2024-13-01\"", "\"2023-04-31\""}},
        SchemaCase{R"({"type":"string","format":"ipv4"})",
                   {"\"127.0.0.1\"", "\"255.255.255.255\""},
                   {"\"256.0.0.1\"", "\"1.2.3\"", "\"01.2.3.4\""}},
        SchemaCase{R"({"type":"string","format":"ipv6"})",
                   {"\"::1\"", "\"2001:db8::8a2e:370:7334\"", "\"::ffff:1.2.3.4\""},
                   {"\"1::2::3\"", "\"12345::\""}},
        SchemaCase{R"({"type":"string","format":"uuid"})",
                   {"\"123e4567-e89b-12d3-a456-426614174000\""},
                   {"\"123e4567e89b12d3a456426614174000\""}},
        SchemaCase{R"({"type":"string","format":"email"})", {"\"a.b@example.com\""}, {"\"a@\"", "\"@b\"", "\"a b@c\""}},
        SchemaCase{R"({"type":"string","format":"date-time"})",
                   {"\"2024-01-02T03:04:05Z\"", "\"2024-01-02T03:04:05.25+01:00\""},
                   {"\"2024-01-02\"", "\"2024-01-02T25:00:00Z\""}},
        SchemaCase{R"({"type":"string","format":"uri"})",
                   {"\"https://example.com/a?b=c#d\"", "\"mailto:a@b.c\""},
                   {"\"example.com\"", "\"http://a b\""}}));

INSTANTIATE_TEST_SUITE_P(
    Structures, SchemaCases,
    ::testing::Values(
        SchemaCase{
            R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["b"],"additionalProperties":false})",
            {"{\"b\":\"\"}", "{\"a\":1,\"b\":\"x\"}", "{\n  \"a\": 1,\n  \"b\": \"x\"\n}"},
            {"{}", "{\"a\":1}", "{\"b\":\"\",\"a\":1}", "{\"b\":\"\",\"c\":1}", "{\"b\":\"\",}", "{,\"b\":\"\"}"}},
        SchemaCase{
            R"({"type":"object","properties":{"a":{}},"minProperties":2,"maxProperties":2,"additionalProperties":{"type":"null"}})",
            {"{\"a\":1,\"z\":null}", "{\"y\":null,\"z\":null}"},
            {"{\"a\":1}", "{\"a\":1,\"z\":1}", "{\"a\":1,\"y\":null,\"z\":null}"}},
        SchemaCase{
            R"({"type":"object","patternProperties":{"^x":{"type":"integer"},"y$":{"minimum":5}},"additionalProperties":false})",
            {"{\"x\":1}", "{\"xy\":5}", "{\"y\":7}", "{}"},
            {"{\"xy\":4}", "{\"z\":1}", "{\"x\":\"\"}"}},
        SchemaCase{R"({"type":"object","propertyNames":{"maxLength":2}})", {"{\"ab\":1}"}, {"{\"abc\":1}"}},
        SchemaCase{R"({"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":false})",
                   {"[]", "[1]", "[1,\"a\"]"},
                   {"[\"a\"]", "[1,\"a\",2]", "[1,]"}},
        SchemaCase{R"({"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":3})",
                   {"[1,2]", "[1, 2, 3]"},
                   {"[]", "[1]", "[1,2,3,4]"}},
        SchemaCase{R"({"type":"array","contains":{"const":5},"maxContains":2})",
                   {"[5]", "[1,5,2,5]"},
                   {"[]", "[1]", "[5,5,5]"}},
        SchemaCase{
            R"({"type":"array","contains":{"type":"string"},"maxItems":2})", {"[1,\"a\"]", "[\"a\"]"}, {"[1,2]", "[]"}},
        SchemaCase{
            R"({"$defs":{"n":{"type":"object","properties":{"v":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/n"},{"type":"null"}]}},"required":["v","next"],"additionalProperties":false}},"$ref":"#/$defs/n"})",
            {"{\"v\":1,\"next\":null}", "{\"v\":1,\"next\":{\"v\":2,\"next\":null}}"},
            {"{\"v\":1,\"next\":1}", "{\"v\":1,\"next\":{\"v\":2}}"}},
        SchemaCase{
            R"({"allOf":[{"properties":{"a":{"type":"integer"}},"required":["a"]},{"properties":{"a":{"minimum":3}},"type":"object"}]})",
            {"{\"a\":3}"},
            {"{\"a\":2}", "{}", "1"}},
        SchemaCase{R"({"oneOf":[{"type":"integer"},{"minimum":2}]})", {"1", "2.5", "\"x\""}, {"3", "1.5"}},
        SchemaCase{R"({"type":"object","oneOf":[{"required":["a"]},{"required":["b"]}]})",
                   {"{\"a\":1}", "{\"b\":1,\"c\":2}"},
                   {"{}", "{\"a\":1,\"b\":2}", "{\"c\":1}"}},
        SchemaCase{R"({"not":{"type":["object","string"]}})", {"1", "[]", "null"}, {"{}", "\"\""}},
        SchemaCase{R"({"type":"string","not":{"enum":["a","b"]}})", {"\"c\"", "\"aa\"", "\"\""}, {"\"a\"", "\"b\""}},
        SchemaCase{
            R"({"type":"object","properties":{"k":{"enum":["x","y"]}},"required":["k"],"if":{"properties":{"k":{"const":"x"}}},"then":{"required":["p"]},"else":{"required":["q"]}})",
            {"{\"k\":\"x\",\"p\":1}", "{\"k\":\"y\",\"q\":1}"},
            {"{\"k\":\"x\",\"q\":1}", "{\"k\":\"y\",\"p\":1}"}},
        SchemaCase{
            R"({"type":"object","dependentRequired":{"a":["b"]},"properties":{"a":{},"b":{}},"additionalProperties":false})",
            {"{}", "{\"b\":1}", "{\"a\":1,\"b\":1}"},
            {"{\"a\":1}"}},
        SchemaCase{R"({"type":"object","properties":{"a\"\n/":{"type":"null"}},"required":["a\"\n/"]})",
                   {"{\"a\\\"\\n/\":null}", "{\"a\\\"\\n\\/\":null}"},
                   {"{\"a\":null}"}},
        SchemaCase{
            R"({"type":"object","properties":{"p":{"$ref":"#/properties/q"},"q":{"type":"boolean"}},"unevaluatedProperties":false})",
            {"{\"p\":true,\"q\":false}"},
            {"{\"p\":1}", "{\"z\":1}"}}));

TEST(JsonSchema, TakesPropertiesInAnyOrderOnRequest) {
  const auto* const schema =
      R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"},"c":{}},"required":["a","b"],"additionalProperties":false})";
  const auto grammar = Compile(schema, {.order = PropertyOrder::kAny});
  ASSERT_TRUE(grammar.ok());
  EXPECT_TRUE(Accepts(**grammar, R"({"b":"","a":1})"));
  EXPECT_TRUE(Accepts(**grammar, R"({"c":[],"b":"","a":1})"));
  EXPECT_FALSE(Accepts(**grammar, R"({"b":"","b":"","a":1})"));
  EXPECT_FALSE(Accepts(**grammar, R"({"b":"","c":1})"));
}

TEST(JsonSchema, WritesCompactlyOnRequest) {
  const auto grammar =
      Compile(R"({"type":"array","items":{"type":"integer"}})", {.whitespace = JsonWhitespace::kCompact});
  ASSERT_TRUE(grammar.ok());
  EXPECT_TRUE(Accepts(**grammar, "[1,2]"));
  EXPECT_FALSE(Accepts(**grammar, "[1, 2]"));
}

TEST(JsonSchema, RefusesWhatItCannotEnforceByName) {
  const auto grammar = Compile(R"({"properties":{"a":{"type":"array","uniqueItems":true}}})");
  ASSERT_FALSE(grammar.ok());
  EXPECT_EQ(grammar.error().code, Code::kInvalidArgument);
  EXPECT_EQ(grammar.error().reason, "unsupported_schema_keyword");
  EXPECT_EQ(grammar.error().param, "/properties/a/uniqueItems");
  EXPECT_EQ(ReasonOf(R"({"$ref":"https://example.com/other.json"})"), "unsupported_schema_keyword");
  EXPECT_EQ(ReasonOf(R"J({"pattern":"(?=a)"})J"), "unsupported_schema_keyword");
  EXPECT_EQ(ReasonOf(R"({"type":"any"})"), "unsupported_schema_keyword");
  EXPECT_EQ(ReasonOf(R"({"not":{"additionalProperties":false}})"), "unsupported_schema_keyword");
  EXPECT_EQ(ReasonOf(R"({"multipleOf":0.000000000001234567})"), "unsupported_schema_keyword");
  EXPECT_EQ(ReasonOf(R"({"type":)"), "invalid_json");
}

TEST(JsonSchema, RefusesWhatNothingSatisfies) {
  for (const auto* schema :
       {"false", R"({"type":"string","minLength":3,"maxLength":2})", R"({"allOf":[{"type":"string"},{"type":"null"}]})",
        R"({"type":"object","properties":{"a":false},"required":["a"]})", R"({"enum":[]})",
        R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})",
        R"({"type":"array","items":false,"minItems":1})", R"({"type":"integer","minimum":3,"maximum":2})"}) {
    EXPECT_EQ(ReasonOf(schema), "unsatisfiable_schema") << schema;
  }
}

std::string Repeated(std::string_view text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) {
    out += text;
  }
  return out;
}

TEST(JsonSchema, BoundsHostileSchemas) {
  EXPECT_EQ(ReasonOf(Repeated(R"({"items":)", 10000) + "{}" + Repeated("}", 10000)), "invalid_json");
  EXPECT_EQ(ReasonOf(R"({"$ref":"#"})"), "unsupported_schema_keyword");
  EXPECT_EQ(ReasonOf(R"({"allOf":[{"anyOf":[{"$ref":"#"},{"type":"null"}]}]})"), "unsupported_schema_keyword");
  std::string many = R"({"type":"object","properties":{)";
  for (int i = 0; i < 10000; ++i) {
    many += (i > 0 ? ",\"p" : "\"p") + std::to_string(i) + "\":{}";
  }
  EXPECT_NE(ReasonOf(many + "}}"), "");
  EXPECT_EQ(ReasonOf(R"({"type":"string","pattern":"^((a|a)*){1000}((a?){300}a{300}){300}$"})"), "schema_too_complex");
  EXPECT_EQ(ReasonOf(R"({"type":"string","pattern":"(.*a.{20}){2}"})"), "schema_too_complex");
  EXPECT_EQ(ReasonOf(R"({"type":"string","pattern":"^a","maxLength":1000000000})"), "schema_too_complex");
  // Twenty choices of two each, all different: 2^20 cases.
  std::string choices;
  for (int i = 0; i < 20; ++i) {
    const auto n = std::to_string(i);
    choices += (i > 0 ? "," : "") + (R"({"anyOf":[{"required":["a)" + n + R"("]},{"required":["b)" + n + R"("]}]})");
  }
  EXPECT_EQ(ReasonOf(R"({"type":"object","allOf":[)" + choices + "]}"), "schema_too_complex");
  // Sixteen levels of definitions that each refer twice to the one below.
  std::string laughs = R"({"$ref":"#/$defs/d20","$defs":{"d0":{"type":"string"})";
  for (int i = 1; i <= 20; ++i) {
    const auto below = R"({"$ref":"#/$defs/d)" + std::to_string(i - 1) + "\"}";
    laughs += ",\"d" + std::to_string(i) + "\":{\"allOf\":[" + below + "," + below + "]}";
  }
  const auto grammar = Compile(laughs + "}}");
  ASSERT_TRUE(grammar.ok()) << grammar.error().message;
  EXPECT_TRUE(Accepts(**grammar, "\"x\""));
}

TEST(JsonSchema, SurvivesSchemasThatLeadBackToThemselves) {
  EXPECT_EQ(ReasonOf(R"({"propertyNames":{"propertyNames":{"$ref":"#"}}})"), "schema_too_complex");
  // An object without end satisfies each branch, and what is no object satisfies both.
  EXPECT_EQ(ReasonOf(R"({"oneOf":[{"required":["a"],"properties":{"a":{"$ref":"#"}}},)"
                     R"({"required":["a"],"properties":{"a":{"$ref":"#"}},"minProperties":2}]})"),
            "unsatisfiable_schema");
}

TEST(JsonSchema, CountsHugeBoundsWithoutUnrolling) {
  const auto grammar = Compile(
      R"({"type":"array","minItems":1000000000,"maxItems":2000000000,"items":{"type":"string","maxLength":1000000000}})");
  ASSERT_TRUE(grammar.ok()) << grammar.error().message;
  EXPECT_LT((*grammar)->MemoryBytes(), 1U << 20U);
  EXPECT_FALSE(Accepts(**grammar, "[\"a\"]"));
}

TEST(JsonSchema, StopsWhenTimeIsUp) {
  ManualClock clock;
  GrammarLimits limits;
  limits.max_compile_ms = 0;
  Budget budget(limits, &clock);
  clock.AdvanceMs(1);
  const auto grammar = CompileJsonSchemaText(R"({"type":"object","properties":{"a":{"format":"uri"}}})", {}, budget);
  ASSERT_FALSE(grammar.ok());
  EXPECT_EQ(grammar.error().reason, "schema_too_complex");
}

TEST(JsonSchema, AnObjectIsAnObject) {
  Budget budget{GrammarLimits()};
  const auto grammar = CompileJsonObject({}, budget);
  ASSERT_TRUE(grammar.ok());
  EXPECT_TRUE(Accepts(**grammar, R"({"a": [1, {"b": null}], "c": "\u00e9"})"));
  EXPECT_FALSE(Accepts(**grammar, "[]"));
  EXPECT_FALSE(Accepts(**grammar, "{} "));
}

}  // namespace
}  // namespace atelier::engine::grammar
