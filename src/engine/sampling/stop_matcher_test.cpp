#include "engine/sampling/stop_matcher.h"

#include <gmock/gmock.h>

#include "base/ids.h"
#include "base/rng.h"

namespace atelier::engine {
namespace {

using testing::ElementsAre;

StopMatcher Make(std::vector<std::string> strings, bool include = false) {
  auto matcher = StopMatcher::Make({.strings = std::move(strings), .include_stop_text = include});
  EXPECT_TRUE(matcher.ok());
  return std::move(matcher).value();
}

struct Outcome {
  std::string text;
  std::string stop;
  bool operator==(const Outcome&) const = default;
};

Outcome FeedAll(StopMatcher matcher, const std::vector<std::string>& pieces) {
  Outcome outcome;
  for (const std::string& piece : pieces) {
    StopOutput output = matcher.Push(piece);
    outcome.text += output.text;
    if (output.stop) {
      outcome.stop = *output.stop;
    }
  }
  outcome.text += matcher.Finish();
  return outcome;
}

TEST(StopMatcherTest, CutsTheTextBeforeTheStopStringAcrossPieces) {
  EXPECT_EQ(FeedAll(Make({"\nUser:"}), {"Hello.\n", "Us", "er", ": more"}), (Outcome{"Hello.", "\nUser:"}));
  EXPECT_EQ(FeedAll(Make({"\nUser:"}, true), {"Hello.\n", "Us", "er", ": more"}),
            (Outcome{"Hello.\nUser:", "\nUser:"}));
  EXPECT_EQ(FeedAll(Make({"\nUser:"}), {"Hello.\n", "Us", "e"}), (Outcome{"Hello.\nUse", ""}));
}

TEST(StopMatcherTest, HoldsBackNoMoreThanMayBeAStop) {
  StopMatcher matcher = Make({"abc"});
  EXPECT_EQ(matcher.Push("xa").text, "x");
  EXPECT_EQ(matcher.Push("b").text, "");
  EXPECT_EQ(matcher.Push("ab").text, "ab");
  EXPECT_EQ(matcher.Push("d").text, "abd");
  EXPECT_EQ(matcher.Push("zabcd").text, "z");
  EXPECT_TRUE(matcher.stopped());
  EXPECT_EQ(matcher.Push("more").text, "");
  EXPECT_EQ(matcher.Finish(), "");
}

TEST(StopMatcherTest, TheFirstEndCountsAndThenTheLongest) {
  EXPECT_EQ(FeedAll(Make({"xabz", "ab"}), {"1xabz"}), (Outcome{"1x", "ab"}));
  EXPECT_EQ(FeedAll(Make({"b", "xab", "ab"}), {"1xab"}), (Outcome{"1", "xab"}));
  EXPECT_EQ(FeedAll(Make({"aab"}), {"aaab"}), (Outcome{"a", "aab"}));
}

TEST(StopMatcherTest, StopsInsideAPieceAndInsideChineseText) {
  EXPECT_EQ(FeedAll(Make({"。"}), {"你好。再见"}), (Outcome{"你好", "。"}));
  StopMatcher matcher = Make({"好啊"});
  EXPECT_EQ(matcher.Push("你好").text, "你");
  EXPECT_EQ(matcher.Push("呀").text, "好呀");  // whole code points though both begin with the same bytes
}

TEST(StopMatcherTest, PushThroughShowsAllAndForgets) {
  StopMatcher matcher = Make({"ab"});
  EXPECT_EQ(matcher.Push("a").text, "");
  EXPECT_EQ(matcher.PushThrough("bab"), "abab");
  EXPECT_EQ(matcher.Push("b").text, "b");
  EXPECT_FALSE(matcher.stopped());
}

TEST(StopMatcherTest, WithoutStopStringsEverythingPasses) {
  StopMatcher matcher = Make({});
  EXPECT_EQ(matcher.Push("anything").text, "anything");
}

TEST(StopMatcherTest, KnowsStopTokens) {
  auto matcher = StopMatcher::Make({.token_ids = {7, 2}});
  EXPECT_TRUE(matcher->IsStopToken(2));
  EXPECT_TRUE(matcher->IsStopToken(7));
  EXPECT_FALSE(matcher->IsStopToken(3));
}

TEST(StopMatcherTest, RefusesTooManyTooLongEmptyAndBroken) {
  const std::vector<std::vector<std::string>> cases = {
      std::vector<std::string>(17, "x"), {""}, {std::string(1001, 'x')}, {"\xff"}};
  for (const auto& strings : cases) {
    const auto matcher = StopMatcher::Make({.strings = strings});
    ASSERT_FALSE(matcher.ok());
    EXPECT_EQ(matcher.error().code, Code::kInvalidArgument);
    EXPECT_EQ(matcher.error().param, "stop");
  }
  EXPECT_TRUE(StopMatcher::Make({.strings = std::vector<std::string>(16, std::string(1000, 'x'))}).ok());
}

// The first position at which some stop string ends; the longest of those that end there.
Outcome Slow(const std::vector<std::string>& stops, const std::string& text) {
  for (size_t end = 1; end <= text.size(); ++end) {
    std::string best;
    for (const std::string& stop : stops) {
      if (stop.size() > best.size() && std::string_view(text).substr(0, end).ends_with(stop)) {
        best = stop;
      }
    }
    if (!best.empty()) {
      return {text.substr(0, end - best.size()), best};
    }
  }
  return {text, ""};
}

TEST(StopMatcherTest, AgreesWithSearchingTheWholeTextHoweverItIsCut) {
  SeededRng rng(4);
  const auto random_text = [&](uint32_t longest) {
    std::string text(1 + rng.Below(longest), 'a');
    for (char& letter : text) {
      letter = static_cast<char>('a' + rng.Below(2));
    }
    return text;
  };
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> stops;
    for (uint32_t i = rng.Below(4); i > 0; --i) {
      stops.push_back(random_text(7));
    }
    const std::string text = random_text(40);
    std::vector<std::string> pieces;
    for (size_t at = 0; at < text.size();) {
      pieces.push_back(text.substr(at, 1 + rng.Below(6)));
      at += pieces.back().size();
    }
    EXPECT_EQ(FeedAll(Make(stops), pieces), Slow(stops, text)) << text;
  }
}

}  // namespace
}  // namespace atelier::engine
