#include "engine/grammar/matcher.h"

#include <gtest/gtest.h>

#include "engine/grammar/gbnf.h"
#include "engine/grammar/grammar_cache.h"
#include "engine/grammar/network.h"
#include "engine/grammar/testing/grammar_testing.h"

namespace atelier::engine::grammar {
namespace {

using testing::Accepts;
using testing::Allowed;

constexpr const char* kSchema =
    R"({"type":"object","properties":{"name":{"type":"string","maxLength":5},"type":{"enum":["id","value","the a"]},)"
    R"("n":{"type":"number","minimum":-12.5},"when":{"type":"string","format":"date"},)"
    R"("list":{"type":"array","items":{"anyOf":[{"type":"string","pattern":"^[a-c\u4f60]+$"},{"type":"null"},{"$ref":"#"}]},"maxItems":3}},)"
    R"("required":["name"],"additionalProperties":{"type":"boolean"}})";

Result<GrammarPtr> Compile(const GrammarSource& source) {
  const auto grammar = CompileGrammar(source, GrammarLimits(), nullptr);
  EXPECT_TRUE(grammar.ok()) << grammar.error().message;
  return grammar;
}
Matcher MatcherOf(const GrammarSource& source) {
  return Matcher(std::make_shared<MaskCache>(*Compile(source), testing::SmallVocabulary()));
}

// What the mask must say: each token tried by itself.
std::vector<int32_t> BruteForce(const Matcher& matcher) {
  std::vector<int32_t> ids;
  for (int32_t id = 0; id < static_cast<int32_t>(matcher.vocabulary().size()); ++id) {
    Matcher copy = matcher;
    if (copy.Accept(id)) {
      ids.push_back(id);
    }
  }
  return ids;
}

TEST(Matcher, MaskEqualsTryingEachToken) {
  SeededRng rng(11);
  const std::vector<GrammarSource> sources{
      {.kind = SourceKind::kJsonSchema, .text = kSchema},
      {.kind = SourceKind::kJsonSchema, .text = kSchema, .json = {.order = PropertyOrder::kAny}},
      {.kind = SourceKind::kJsonObject},
      {.kind = SourceKind::kRegex, .text = "(a|ab|abc)*(name|type){2,3}\xE4\xBD\xA0?"},
      {.kind = SourceKind::kChoice, .choices = {"the name", "the na", "abc", "\xE4\xBD\xA0\xE5\xA5\xBD"}},
      {.kind = SourceKind::kGrammar,
       .text = "root ::= e\ne ::= t ((\"-\" | \"e+\") t)*\nt ::= [0-9]+ | \"[\" e \"]\" | \"[[\" e \"]]\""},
  };
  for (const auto& source : sources) {
    const Matcher start = MatcherOf(source);
    for (int run = 0; run < 6; ++run) {
      Matcher matcher = start;
      for (int step = 0; step < 25; ++step) {
        const auto ids = Allowed(matcher);
        ASSERT_EQ(ids, BruteForce(matcher)) << source.text << step;
        if (ids.empty()) {
          break;
        }
        ASSERT_TRUE(matcher.Accept(ids[rng.Below(static_cast<uint32_t>(ids.size()))]));
      }
    }
  }
}

TEST(Matcher, CountsInsideOfLongTokens) {
  const auto vocabulary = Vocabulary::Make({"a", std::string(31, 'a'), std::string(32, 'a'), std::string(33, 'a'),
                                            std::string(60, 'a'), std::string(40, 'a') + "\"", "\"", "</s>"},
                                           {7})
                              .value();
  const auto grammar =
      Compile({.kind = SourceKind::kJsonSchema, .text = R"({"type":"string","minLength":40,"maxLength":70})"});
  Matcher matcher(std::make_shared<MaskCache>(*grammar, vocabulary));
  ASSERT_TRUE(matcher.Accept(6));
  for (int i = 0; i <= 70; ++i) {
    ASSERT_EQ(Allowed(matcher), BruteForce(matcher)) << i;
    ASSERT_EQ(matcher.Accept(0), i < 70);
  }
}

TEST(Matcher, RandomTextsAreWholeTexts) {
  SeededRng rng(5);
  const GrammarSource source{.kind = SourceKind::kJsonSchema, .text = kSchema};
  const auto grammar = Compile(source);
  const Matcher start(std::make_shared<MaskCache>(*grammar, testing::SmallVocabulary()));
  int ended = 0;
  for (int run = 0; run < 60; ++run) {
    const auto generated = testing::Generate(start, rng, 60, 400);
    EXPECT_FALSE(generated.dead_end) << generated.text;
    if (generated.ended) {
      ++ended;
      boost::system::error_code error;
      const auto value = json::parse(generated.text, error, {}, {.max_depth = 200});
      ASSERT_FALSE(error) << generated.text;
      EXPECT_TRUE(value.as_object().at("name").is_string());
      EXPECT_LE(DecodeUtf8(value.as_object().at("name").get_string())->size(), 5U);
      EXPECT_TRUE(Accepts(**grammar, generated.text));
    }
  }
  EXPECT_GT(ended, 20);
}

TEST(Matcher, EndIsAllowedExactlyWhenComplete) {
  Matcher matcher = MatcherOf({.kind = SourceKind::kChoice, .choices = {"ab", "abc"}});
  const int32_t end = matcher.vocabulary().ends().front();
  EXPECT_FALSE(matcher.Accept(end));
  EXPECT_TRUE(matcher.AcceptBytes("ab"));
  EXPECT_TRUE(matcher.IsComplete());
  EXPECT_FALSE(matcher.IsDone());
  Matcher copy = matcher;
  EXPECT_TRUE(copy.Accept(end));
  EXPECT_TRUE(copy.IsDone());
  EXPECT_TRUE(Allowed(copy).empty());
  EXPECT_FALSE(copy.AcceptBytes("c"));
  EXPECT_TRUE(matcher.AcceptBytes("c"));
  EXPECT_EQ(Allowed(matcher), std::vector<int32_t>{end});
}

TEST(Matcher, TakesBackWhatItAccepted) {
  Matcher matcher = MatcherOf({.kind = SourceKind::kJsonSchema, .text = kSchema});
  const auto before = Allowed(matcher);
  ASSERT_TRUE(matcher.AcceptBytes("{\"name\": \"a"));
  ASSERT_TRUE(matcher.AcceptBytes("bc"));
  EXPECT_FALSE(matcher.AcceptBytes("defg"));
  EXPECT_FALSE(matcher.Rollback(3));
  EXPECT_TRUE(matcher.Rollback(2));
  EXPECT_EQ(Allowed(matcher), before);
  EXPECT_TRUE(matcher.AcceptBytes("{\"name\":\"\"}"));
  EXPECT_TRUE(matcher.IsComplete());
  matcher.Reset();
  EXPECT_EQ(Allowed(matcher), before);
}

TEST(Matcher, KnowsForcedBytes) {
  Matcher matcher = MatcherOf({.kind = SourceKind::kJsonSchema,
                               .text = R"({"type":"object","properties":{"kind":{"const":"x"},"n":{"type":"integer"}},)"
                                       R"("required":["kind","n"],"additionalProperties":false})",
                               .json = {.whitespace = JsonWhitespace::kCompact}});
  const std::string forced = matcher.ForcedBytes();
  EXPECT_EQ(forced, R"({"kind":"x","n":)");
  EXPECT_EQ(matcher.ForcedBytes(3), R"({"k)");
  EXPECT_TRUE(matcher.AcceptBytes(forced));
  EXPECT_EQ(matcher.ForcedBytes(), "");
}

TEST(Matcher, StopsCleanlyWhereTheVocabularyCannotSpell) {
  const auto vocabulary = Vocabulary::Make({"a", "b", "</s>"}, {2}).value();
  const auto grammar = Compile({.kind = SourceKind::kChoice, .choices = {"ac"}});
  Matcher matcher(std::make_shared<MaskCache>(*grammar, vocabulary));
  std::vector<uint64_t> mask(vocabulary->mask_words());
  EXPECT_TRUE(matcher.FillMask(mask));
  EXPECT_TRUE(matcher.Accept(0));
  EXPECT_FALSE(matcher.FillMask(mask));
}

TEST(Matcher, DeepNestingIsBoundedNotFatal) {
  Matcher matcher = MatcherOf({.kind = SourceKind::kJsonSchema, .text = "true"});
  size_t depth = 0;
  while (depth < 100000 && matcher.AcceptBytes("[")) {
    ++depth;
  }
  EXPECT_GT(depth, 100U);
  EXPECT_LT(depth, 1000U);
  for (size_t i = 0; i < depth; ++i) {
    ASSERT_TRUE(matcher.AcceptBytes("]"));
  }
  EXPECT_TRUE(matcher.IsComplete());
}

TEST(Vocabulary, RefusesWhatMakesNoSense) {
  EXPECT_FALSE(Vocabulary::Make({}, {}).ok());
  EXPECT_FALSE(Vocabulary::Make({"a"}, {1}).ok());
  EXPECT_FALSE(Vocabulary::Make({"a"}, {-1}).ok());
  const auto same = Vocabulary::Make({"a", "ab", "a", ""}, {}).value();
  EXPECT_EQ(same->nodes(), 3U);
  EXPECT_EQ(same->ids(1).size(), 2U);
}

std::string ReasonOf(std::string_view grammar) {
  Budget budget{GrammarLimits()};
  const auto compiled = CompileGrammarText(grammar, budget);
  return compiled.ok() ? "" : compiled.error().reason;
}

TEST(Gbnf, ReadsTheNotation) {
  const auto grammar = Compile({.kind = SourceKind::kGrammar, .text = R"(# a comment
root  ::= object
value ::= object | array | string | number | ("true" | "false" | "null") ws

object ::=
  "{" ws (
            string ":" ws value
    ("," ws string ":" ws value)*
  )? "}" ws
array  ::= "[" ws ( value ("," ws value)* )? "]" ws
string ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) )* "\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws
ws ::= | " " | "\n" [ \t]{0,20}
)"});
  EXPECT_TRUE(Accepts(**grammar, R"({"a": [1, 2.5e3, {"b": null}], "c": "\u00e9\n"})"));
  EXPECT_FALSE(Accepts(**grammar, R"({"a": [1, ]})"));
  EXPECT_FALSE(Accepts(**grammar, R"([1])"));
  const auto nested =
      Compile({.kind = SourceKind::kGrammar, .text = "root ::= \"(\" root? \")\" | x{2,3}\nx ::= [a-c] . \"\\u4f60\""});
  EXPECT_TRUE(Accepts(**nested, "((()))"));
  EXPECT_TRUE(Accepts(**nested,
                      "a1\xE4\xBD\xA0"
                      "bb\xE4\xBD\xA0"));
  EXPECT_FALSE(Accepts(**nested, "(()"));
}

TEST(Gbnf, RefusesBadGrammars) {
  for (const auto* text :
       {"root ::= root \"a\" | \"b\"", "root ::= a\na ::= b?\nb ::= a \"x\" | \"y\" a", "root ::= x", "x ::= \"a\"",
        "root ::= \"a", "root ::= [a", "root ::= (\"a\"", "root ::= \"a\"\nroot ::= \"b\"", "root ::= [b-a]",
        "root ::= \"\\q\"", "root ::= \"a\"{3,1}", "::=", "root ::= \"a\" )"}) {
    EXPECT_EQ(ReasonOf(text), "invalid_grammar") << text;
  }
  EXPECT_EQ(ReasonOf("root ::= \"a\" root"), "unsatisfiable_schema");
  EXPECT_EQ(ReasonOf(""), "invalid_grammar");
  EXPECT_EQ(ReasonOf("root ::= " + std::string(1000, '(') + "\"a\"" + std::string(1000, ')')), "schema_too_deep");
  EXPECT_EQ(ReasonOf("root ::= \"a\"" + std::string(500'000, '*')), "schema_too_deep");
  EXPECT_EQ(ReasonOf("start: \"a\"" + std::string(500'000, '+')), "schema_too_deep");
  EXPECT_EQ(ReasonOf("root ::= ((((\"a\"{1000}){1000}){1000}){1000})"), "schema_too_complex");
}

// Rules that name each other in a row of 30,000: neither a crash nor a stall.
TEST(Gbnf, SurvivesLongChains) {
  std::string text = "root ::= r0\n";
  for (int i = 0; i < 30'000; ++i) {
    text += "r" + std::to_string(i) + " ::= \"a\" r" + std::to_string(i + 1) + "\n";
  }
  const std::string reason = ReasonOf(text + "r30000 ::= \"b\"");
  EXPECT_TRUE(reason.empty() || reason == "schema_too_complex") << reason;
}

TEST(Lark, ReadsTheUsualPart) {
  const auto grammar = Compile({.kind = SourceKind::kGrammar, .text = R"(
start: select ";"   // one statement
?select: "select"i columns "from"i NAME [where] -> query
columns: "*" | NAME ("," NAME)*
where: "where"i NAME OP (SIGNED_INT | ESCAPED_STRING)
OP.2: "=" | "<" | ">" | /!=/
NAME: /[a-z_][a-z0-9_]*/
%import common.SIGNED_INT
%import common.ESCAPED_STRING
%import common.WS
%ignore WS
)"});
  EXPECT_TRUE(Accepts(**grammar, "SELECT a, b FROM t WHERE a != -12 ;"));
  EXPECT_TRUE(Accepts(**grammar, "select * from t;\n"));
  EXPECT_TRUE(Accepts(**grammar, "select * from t where x=\"a\\\"b\";"));
  EXPECT_FALSE(Accepts(**grammar, "select from t"));
  EXPECT_EQ(ReasonOf("start: a\na: a \"x\" | \"y\""), "invalid_grammar");
  EXPECT_EQ(ReasonOf("start: b"), "invalid_grammar");
  EXPECT_EQ(ReasonOf("begin: \"b\""), "invalid_grammar");
  EXPECT_EQ(ReasonOf("start: \"a\"~3..2"), "invalid_grammar");
}

TEST(GrammarCache, CompilesOnceAndForgetsTheOldest) {
  const ManualClock clock;
  GrammarCache cache(testing::SmallVocabulary(), clock, {.limits = {}, .max_entries = 2});
  const auto choice = [](const char* text) { return GrammarSource{.kind = SourceKind::kChoice, .choices = {text}}; };
  ASSERT_TRUE(cache.MakeMatcher(choice("a")).ok());
  auto matcher = cache.MakeMatcher(choice("a"));
  ASSERT_TRUE(matcher.ok());
  EXPECT_EQ(cache.size(), 1U);
  ASSERT_TRUE(cache.MakeMatcher(choice("b")).ok());
  ASSERT_TRUE(cache.MakeMatcher(choice("ab")).ok());
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_TRUE(matcher->AcceptBytes("a"));  // outlives its entry
  EXPECT_FALSE(cache.MakeMatcher({.kind = SourceKind::kRegex, .text = "("}).ok());
  EXPECT_EQ(cache.size(), 2U);
  // Choices that only look alike when joined are different sources.
  ASSERT_TRUE(cache.MakeMatcher({.kind = SourceKind::kChoice, .choices = {"a", "b"}}).ok());
  EXPECT_FALSE(cache.MakeMatcher({.kind = SourceKind::kChoice, .choices = {"ab"}})->AcceptBytes("b"));
}

}  // namespace
}  // namespace atelier::engine::grammar
