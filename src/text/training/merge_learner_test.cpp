#include "text/training/merge_learner.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/rng.h"

namespace atelier::text {
namespace {

using Pairs = std::map<std::pair<int32_t, int32_t>, int64_t>;

// The algorithm as it is told: counts all pairs anew for each merge.
class Naive {
 public:
  Naive(std::vector<std::string> spellings, MergeOptions options)
      : options_(std::move(options)), spellings_(std::move(spellings)) {}

  void AddWord(std::vector<int32_t> symbols, int64_t count) { words_.emplace_back(std::move(symbols), count); }

  void Learn() {
    while (spellings_.size() < options_.symbols) {
      Pairs pairs;
      std::map<int32_t, int64_t> counts;
      int64_t total = 0;
      for (const auto& [word, count] : words_) {
        for (size_t i = 0; i < word.size(); ++i) {
          counts[word[i]] += count;
          total += count;
          if (i + 1 < word.size()) {
            pairs[{word[i], word[i + 1]}] += count;
          }
        }
      }
      double best = 0;
      std::pair<int32_t, int32_t> chosen{-1, -1};
      for (const auto& [pair, count] : pairs) {
        const auto n = static_cast<double>(count);
        double score = n;
        if (options_.score == MergeScore::kLikelihood) {
          score = n * std::log(n * static_cast<double>(total) /
                               (static_cast<double>(counts[pair.first]) * static_cast<double>(counts[pair.second])));
        }
        if (count >= options_.min_count && score > best) {
          best = score;
          chosen = pair;
        }
      }
      if (chosen.first < 0) {
        return;
      }
      Merge(chosen);
    }
  }

  const std::vector<std::string>& spellings() const { return spellings_; }
  std::vector<std::pair<int32_t, int32_t>> merges;

 private:
  void Merge(std::pair<int32_t, int32_t> pair) {
    merges.push_back(pair);
    const std::string spelling =
        spellings_[static_cast<size_t>(pair.first)] + spellings_[static_cast<size_t>(pair.second)];
    const auto known = std::ranges::find(spellings_, spelling);
    const auto merged = static_cast<int32_t>(known - spellings_.begin());
    if (known == spellings_.end()) {
      spellings_.push_back(spelling);
    }
    for (auto& word : words_) {
      std::vector<int32_t> out;
      for (size_t i = 0; i < word.first.size(); ++i) {
        const bool here = i + 1 < word.first.size() && word.first[i] == pair.first && word.first[i + 1] == pair.second;
        out.push_back(here ? merged : word.first[i]);
        i += here ? 1 : 0;
      }
      word.first = std::move(out);
    }
  }

  MergeOptions options_;
  std::vector<std::string> spellings_;
  std::vector<std::pair<std::vector<int32_t>, int64_t>> words_;
};

void ExpectSame(MergeScore score, uint64_t seed) {
  const std::vector<std::string> alphabet{"a", "b", "c", "d", "e"};
  const MergeOptions options{.score = score, .min_count = 2, .symbols = 60};
  MergeLearner learner(alphabet, options);
  Naive naive(alphabet, options);
  SeededRng rng(seed);
  for (int i = 0; i < 60; ++i) {
    std::vector<int32_t> word(1 + rng.Below(9));
    for (auto& symbol : word) {
      symbol = static_cast<int32_t>(std::min(rng.Below(5), rng.Below(5)));  // low ones more often: runs of one symbol
    }
    const auto count = static_cast<int64_t>(1 + rng.Below(4));
    learner.AddWord(word, count);
    naive.AddWord(word, count);
  }
  learner.Learn();
  naive.Learn();
  EXPECT_EQ(learner.merges(), naive.merges) << "seed " << seed;
  EXPECT_EQ(learner.spellings(), naive.spellings()) << "seed " << seed;
}

TEST(MergeLearnerTest, AgreesWithCountingAnew) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    ExpectSame(MergeScore::kCount, seed);
    ExpectSame(MergeScore::kLikelihood, seed);
  }
}

// The words of Sennrich, Haddow and Birch 2016, algorithm 1, without the sign that ends them.
TEST(MergeLearnerTest, MergesThePapersWords) {
  const std::vector<std::string> letters{"l", "o", "w", "e", "r", "n", "s", "t", "i", "d"};
  MergeLearner learner(letters, {.min_count = 1, .symbols = letters.size() + 4});
  const auto add = [&](std::string_view text, int64_t count) {
    std::vector<int32_t> word;
    for (const char c : text) {
      word.push_back(static_cast<int32_t>(std::ranges::find(letters, std::string(1, c)) - letters.begin()));
    }
    learner.AddWord(word, count);
  };
  add("low", 5);
  add("lower", 2);
  add("newest", 6);
  add("widest", 3);
  learner.Learn();
  const auto& spellings = learner.spellings();
  EXPECT_THAT(std::vector<std::string>(spellings.begin() + 10, spellings.end()),
              ::testing::ElementsAre("es", "est", "lo", "low"));
}

TEST(MergeLearnerTest, StopsWhereNothingIsFrequent) {
  MergeLearner learner({"a", "b"}, {.min_count = 3, .symbols = 10});
  learner.AddWord(std::vector<int32_t>{0, 1, 0}, 2);
  learner.AddWord({}, 5);
  learner.Learn();
  EXPECT_TRUE(learner.merges().empty());
}

}  // namespace
}  // namespace atelier::text
