#include "engine/service/speculation/ngram_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace atelier::engine {
namespace {

using Tokens = std::vector<int32_t>;

NgramIndex::Match MatchOf(const Tokens& text) {
  NgramIndex index;
  index.Append(text);
  return index.FindEnd();
}

Tokens CopyOf(const Tokens& text, size_t count) {
  NgramIndex index;
  index.Append(text);
  Tokens out{-7};
  index.Copy(index.FindEnd().next, count, out);
  return out;
}

TEST(NgramIndex, FindsNothingWhereNothingRepeats) {
  EXPECT_EQ(MatchOf({}).length, 0);
  EXPECT_EQ(MatchOf({5}).length, 0);
  EXPECT_EQ(MatchOf({1, 2, 3, 4}).length, 0);
  EXPECT_EQ(NgramIndex().Find(Tokens{1, 2}).length, 0);
  EXPECT_EQ(NgramIndex().Find({}).length, 0);
}

TEST(NgramIndex, PrefersLongMatchesAndThenNewOnes) {
  const auto single = MatchOf({1, 2, 9, 1});
  EXPECT_EQ(single.length, 1);
  EXPECT_EQ(single.next, 1);
  const auto longer = MatchOf({1, 2, 3, 9, 2, 3, 8, 1, 2, 3});
  EXPECT_EQ(longer.length, 3);
  EXPECT_EQ(longer.next, 3);
  const auto newest = MatchOf({2, 3, 8, 2, 3, 9, 2, 3});
  EXPECT_EQ(newest.length, 2);
  EXPECT_EQ(newest.next, 5);
}

TEST(NgramIndex, CopiesOnBehindTheEnd) {
  EXPECT_EQ(CopyOf({1, 2, 3, 4, 9, 1, 2}, 2), (Tokens{-7, 3, 4}));
  EXPECT_EQ(CopyOf({7, 1, 2, 3, 1, 2}, 7), (Tokens{-7, 3, 1, 2, 3, 1, 2, 3}));
  EXPECT_EQ(CopyOf({4, 4}, 3), (Tokens{-7, 4, 4, 4}));
}

TEST(NgramIndex, FindsContextsOfOtherTexts) {
  NgramIndex index;
  index.Append(Tokens{1, 2, 3, 4});
  EXPECT_EQ(index.Find(Tokens{9, 2, 3}).length, 2);
  EXPECT_EQ(index.Find(Tokens{9, 2, 3}).next, 3);
  EXPECT_EQ(index.Find(Tokens{3, 4}).length, 0) << "nothing follows there";
  EXPECT_EQ(index.Find(Tokens{4}).length, 0);
}

// Against a search of the whole text.
TEST(NgramIndex, FindsWhatASearchFinds) {
  std::mt19937 random(1);
  for (const uint32_t alphabet : {3U, 20U, 1000U}) {
    NgramIndex index;
    Tokens text;
    while (text.size() < 2000) {
      Tokens more(random() % 5);
      const size_t from = text.empty() ? 0 : random() % text.size();
      const bool repeats = random() % 4 == 0 && !text.empty();
      for (size_t i = 0; i < more.size(); ++i) {
        more[i] = repeats ? text[std::min(from + i, text.size() - 1)] : static_cast<int32_t>(random() % alphabet);
      }
      index.Append(more);
      text.insert(text.end(), more.begin(), more.end());
      size_t longest = 0;
      for (size_t next = 1; next < text.size(); ++next) {
        size_t length = 0;
        while (length < std::min(next, NgramIndex::kLongest) &&
               text[next - 1 - length] == text[text.size() - 1 - length]) {
          ++length;
        }
        longest = std::max(longest, length);
      }
      const auto match = index.FindEnd();
      ASSERT_LE(match.length, longest);
      for (size_t i = 1; i <= match.length; ++i) {
        ASSERT_EQ(text[match.next - i], text[text.size() - i]);
      }
      if (alphabet > 3) {  // with few letters the newest places may all be short ones
        ASSERT_EQ(match.length > 1, longest > 1);
        if (alphabet == 1000 && longest > 1) {
          ASSERT_EQ(match.length, longest);
        }
      }
    }
  }
}

}  // namespace
}  // namespace atelier::engine
