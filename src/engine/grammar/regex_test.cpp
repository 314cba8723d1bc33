#include "engine/grammar/regex.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "engine/grammar/formats.h"
#include "engine/grammar/numbers.h"
#include "engine/grammar/terminal.h"

namespace atelier::engine::grammar {
namespace {

struct RegexCase {
  const char* pattern;
  RegexMatch match;
  std::vector<std::string> yes;
  std::vector<std::string> no;
};

TEST(Regex, MatchesAsEcmaDoes) {
  const std::vector<RegexCase> cases{
      {"a|bc", RegexMatch::kWhole, {"a", "bc"}, {"", "abc", "b"}},
      {"a|bc", RegexMatch::kPart, {"a", "xbcx"}, {"", "cb"}},
      {"^a", RegexMatch::kPart, {"a", "ab"}, {"ba"}},
      {"a$", RegexMatch::kPart, {"a", "ba"}, {"ab"}},
      {"^a$|b", RegexMatch::kPart, {"a", "xb", "bx"}, {"ax", "xa"}},
      {"^(a|b)*$", RegexMatch::kPart, {"", "abab"}, {"abc"}},
      {"[^a-c]{2,3}?", RegexMatch::kWhole, {"dd", "xyz"}, {"d", "dddd", "da"}},
      {"[a-zA-Z-_0-9]+", RegexMatch::kWhole, {"-", "a_-9"}, {".", ""}},
      {R"([\w-.]+)", RegexMatch::kWhole, {"a-.", "_"}, {" "}},
      {R"(\d{4}-\d\d)", RegexMatch::kWhole, {"2024-01"}, {"2024-1", "24-01"}},
      {R"(\bcat\b)", RegexMatch::kPart, {"cat", "a cat.", "-cat-"}, {"cats", "concat", "c at"}},
      {R"(\Bcat)", RegexMatch::kPart, {"concat"}, {"cat", " cat"}},
      {R"(a{2}b{0}c{1,})", RegexMatch::kWhole, {"aac", "aaccc"}, {"aabc", "aa"}},
      {R"(x{,3})", RegexMatch::kWhole, {"x{,3}"}, {"", "xx"}},
      {R"(\u00e9|\u{1F600}|\x41)", RegexMatch::kWhole, {"\xC3\xA9", "\xF0\x9F\x98\x80", "A"}, {"e"}},
      {R"(.)", RegexMatch::kWhole, {"a", "\xE4\xBD\xA0"}, {"\n", "ab"}},
      {R"((?:ab)+(?<n>c)?)", RegexMatch::kWhole, {"ab", "ababc"}, {"c", "a"}},
      {"", RegexMatch::kPart, {"", "anything"}, {}},
      {"[]", RegexMatch::kWhole, {}, {"", "a"}},
      {"[^]", RegexMatch::kWhole, {"a", "\n"}, {""}},
  };
  for (const auto& one : cases) {
    Budget budget{GrammarLimits()};
    const auto dfa = CompileRegex(one.pattern, one.match, budget);
    ASSERT_TRUE(dfa.ok()) << one.pattern << dfa.error().message;
    for (const auto& text : one.yes) {
      EXPECT_TRUE(dfa->Matches(text)) << one.pattern << " refuses " << text;
    }
    for (const auto& text : one.no) {
      EXPECT_FALSE(dfa->Matches(text)) << one.pattern << " accepts " << text;
    }
  }
}

TEST(Regex, RefusesWhatIsMalformedOrNotRegular) {
  const auto reason = [](std::string_view pattern) {
    Budget budget{GrammarLimits()};
    const auto dfa = CompileRegex(pattern, RegexMatch::kWhole, budget);
    return dfa.ok() ? std::string() : dfa.error().reason;
  };
  for (const auto* pattern :
       {"(", ")", "a)", "[a", "*a", "a**", "+", "\\", "a{3,2}", "[z-a]", "\\u12", "(?<n", "\xFF"}) {
    EXPECT_EQ(reason(pattern), "invalid_regex") << pattern;
  }
  for (const auto* pattern : {"(?=a)", "(?!a)", "(?<=a)", "(a)\\1", "\\k<n>", "\\p{L}", "(?i)a"}) {
    EXPECT_EQ(reason(pattern), "unsupported_regex") << pattern;
  }
  EXPECT_EQ(reason("a{100000000}"), "schema_too_complex");
  EXPECT_EQ(reason("((((a{1000}){1000}){1000}){1000})"), "schema_too_complex");
  EXPECT_EQ(reason("(x+x+)+y(.*a.{25})"), "schema_too_complex");
  EXPECT_EQ(reason(std::string(1000, '(') + std::string(1000, ')')), "schema_too_deep");
}

TEST(Regex, FormatsCompile) {
  for (const auto* format : {"date", "time", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "uuid",
                             "uri", "uri-reference", "json-pointer", "relative-json-pointer"}) {
    Budget budget{GrammarLimits()};
    const auto pattern = FormatPattern(format);
    ASSERT_TRUE(pattern) << format;
    const auto dfa = CompileRegex(*pattern, RegexMatch::kWhole, budget);
    ASSERT_TRUE(dfa.ok()) << format << dfa.error().message;
    EXPECT_FALSE(dfa->empty());
  }
}

TEST(Terminal, AcceptsExactlyWellFormedUtf8) {
  const Terminal any{.language = std::make_shared<const Dfa>(AnyText())};
  SeededRng rng(9);
  const std::vector<std::string> pieces{"\xE0", "\xF0", "\xED", "\xF4", "\xC2", "\xEF", "\xF5", "\xC1",
                                        "\x80", "\x8F", "\x90", "\x9F", "\xA0", "\xBF", "a"};
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (uint32_t i = 0; i <= rng.Below(4); ++i) {
      text += pieces[rng.Below(static_cast<uint32_t>(pieces.size()))];
    }
    TerminalState state = StartOf(any);
    bool accepted = true;
    for (const char byte : text) {
      accepted = accepted && Step(any, state, static_cast<uint8_t>(byte));
    }
    EXPECT_EQ(accepted && Accepts(any, state), DecodeUtf8(text).has_value()) << ::testing::PrintToString(text);
  }
}

TEST(Dfa, SetOperationsAgreeWithTheirMeaning) {
  Budget budget{GrammarLimits()};
  const auto left = CompileRegex("[ab]*a[ab]?", RegexMatch::kWhole, budget).value();
  const auto right = CompileRegex("(ab|b)*", RegexMatch::kWhole, budget).value();
  const auto both = Combine(left, right, SetOperation::kAnd, budget).value();
  const auto either = Combine(left, right, SetOperation::kOr, budget).value();
  const auto without = Combine(left, right, SetOperation::kMinus, budget).value();
  const auto limited = WithLength(either, 2, 3, budget).value();
  for (size_t length = 0; length <= 6; ++length) {
    for (size_t bits = 0; bits < (1U << length); ++bits) {
      std::string text;
      for (size_t i = 0; i < length; ++i) {
        text += (bits >> i & 1U) != 0 ? 'a' : 'b';
      }
      const bool l = left.Matches(text);
      const bool r = right.Matches(text);
      EXPECT_EQ(both.Matches(text), l && r) << text;
      EXPECT_EQ(either.Matches(text), l || r) << text;
      EXPECT_EQ(without.Matches(text), l && !r) << text;
      EXPECT_EQ(limited.Matches(text), (l || r) && length >= 2 && length <= 3) << text;
    }
  }
  EXPECT_FALSE(Words(left, 100).has_value());
  const auto words = Words(limited, 100);
  ASSERT_TRUE(words.has_value());
  for (const auto& word : *words) {
    EXPECT_TRUE(limited.Matches(word)) << word;
  }
}

TEST(Numbers, CompareAsTheirValues) {
  SeededRng rng(3);
  const auto random_text = [&] {
    std::string text = rng.Below(3) == 0 ? "-" : "";
    const uint32_t digits = rng.Below(3);
    text += digits == 0 ? "0" : std::to_string(1 + rng.Below(digits == 1 ? 9 : 300));
    if (rng.Below(2) == 0) {
      text += "." + std::to_string(rng.Below(20)) + (rng.Below(3) == 0 ? "0" : "");
    }
    return text;
  };
  for (int round = 0; round < 200; ++round) {
    Budget budget{GrammarLimits()};
    const double bound = std::stod(random_text());
    const auto decimal = ToDecimal(json::value(bound));
    ASSERT_TRUE(decimal);
    const auto at_least = Compared(*decimal, {false, true, true}, budget).value();
    const auto below = Compared(*decimal, {true, false, false}, budget).value();
    const auto equal = Compared(*decimal, {false, true, false}, budget).value();
    for (int i = 0; i < 50; ++i) {
      const std::string text = i == 0 ? json::serialize(json::value(static_cast<int64_t>(bound))) : random_text();
      const double value = std::stod(text);
      EXPECT_EQ(at_least.Matches(text), value >= bound) << text << " >= " << bound;
      EXPECT_EQ(below.Matches(text), value < bound) << text << " < " << bound;
      EXPECT_EQ(equal.Matches(text), value == bound) << text << " = " << bound;
    }
    for (const auto* bad : {"", "-", "1.", ".5", "01", "1e5", "--1", "+1"}) {
      EXPECT_FALSE(at_least.Matches(bad) || below.Matches(bad)) << bad;
    }
  }
}

TEST(Numbers, MultiplesAreMultiples) {
  for (const double step : {1.0, 3.0, 7.0, 10.0, 0.5, 0.25, 1.5, 0.01}) {
    Budget budget{GrammarLimits()};
    const auto decimal = ToDecimal(json::value(step)).value();
    const auto yes = Multiples(decimal, true, budget).value().value();
    const auto no = Multiples(decimal, false, budget).value().value();
    for (int hundredths = -300; hundredths <= 300; ++hundredths) {
      const std::string sign = hundredths < 0 ? "-" : "";
      const int magnitude = std::abs(hundredths);
      const std::string text = sign + std::to_string(magnitude / 100) + "." + (magnitude % 100 < 10 ? "0" : "") +
                               std::to_string(magnitude % 100);
      const bool multiple = hundredths % static_cast<int>(std::lround(step * 100)) == 0;
      EXPECT_EQ(yes.Matches(text), multiple) << text << " of " << step;
      EXPECT_EQ(no.Matches(text), !multiple) << text << " of " << step;
    }
  }
}

}  // namespace
}  // namespace atelier::engine::grammar
