#include "engine/kv_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace atelier::engine {
namespace {

constexpr size_t kPage = 4;

float* Floats(std::byte* page) { return reinterpret_cast<float*>(page); }

// What a position's key is in these tests: it depends on all tokens up to it, as real ones do.
float Mark(std::span<const int32_t> tokens) {
  uint32_t hash = 1;
  for (const int32_t token : tokens) {
    hash = (hash * 31 + static_cast<uint32_t>(token) + 1) % 1000003;
  }
  return static_cast<float>(hash);
}

// Sequences under random operations, each key checked against what it must be.
class RandomCache {
 public:
  explicit RandomCache(uint32_t seed) : random_(seed) {
    cache_ =
        KvCache::Make({.layers = 2, .heads = 2, .key_size = 3, .value_size = 2, .page_positions = kPage, .pages = 24})
            .value();
  }

  void Act() {
    const uint32_t action = random_() % 10;
    if (sequences_.empty() || action == 0) {
      New();
    } else if (action == 1) {
      sequences_.push_back(cache_->Fork(Any()));
    } else if (action == 2) {
      Sequence& sequence = Any();
      cache_->Truncate(sequence, random_() % (sequence.length() + 1));
    } else if (action == 3 && sequences_.size() > 2) {
      sequences_.erase(sequences_.begin() + static_cast<std::ptrdiff_t>(random_() % sequences_.size()));
    } else if (action == 4) {
      CatchUp(Any());
    } else {
      Extend(Any());
    }
  }

  void Check() {
    size_t held = 0;
    std::map<PageId, size_t> holders;
    for (const auto& sequence : sequences_) {
      ASSERT_GE(sequence->pages().size() * kPage, sequence->length());
      for (const PageId page : sequence->pages()) {
        held += holders[page]++ == 0 ? 1 : 0;
      }
      for (size_t i = 0; i < sequence->length(); ++i) {
        const PageId page = sequence->pages()[i / kPage];
        const float mark = Mark(sequence->tokens().first(i + 1));
        ASSERT_EQ(Floats(cache_->Keys(page, 1, 1))[2 * kPage + i % kPage], mark);
        ASSERT_EQ(Floats(cache_->Values(page, 0, 1))[i % kPage * 2], -mark);
      }
    }
    ASSERT_EQ(cache_->free_pages() + cache_->reusable_pages() + held, cache_->geometry().pages);
  }

  void Finish() {
    sequences_.clear();
    Check();
    cache_->DropPrefixes();
    ASSERT_EQ(cache_->free_pages(), cache_->geometry().pages);
  }

  size_t refused() const { return refused_; }
  size_t reused() const { return reused_; }
  size_t caught_up() const { return caught_up_; }

 private:
  Sequence& Any() { return *sequences_[random_() % sequences_.size()]; }
  std::vector<int32_t> Tokens(size_t count) {
    std::vector<int32_t> tokens(count);
    std::ranges::generate(tokens,
                          [&] { return static_cast<int32_t>(random_() % 2); });  // few, so that many begin alike
    return tokens;
  }

  void New() {
    sequences_.push_back(cache_->NewSequence());
    const auto prompt = Tokens(1 + random_() % 12);
    const size_t reused = cache_->Reuse(*sequences_.back(), prompt);
    EXPECT_LT(reused, prompt.size());
    reused_ += reused;
  }

  void CatchUp(Sequence& sequence) {
    const size_t before = sequence.length();
    auto prompt = std::vector<int32_t>(sequence.tokens().begin(), sequence.tokens().end());
    const auto more = Tokens(random_() % 12);
    prompt.insert(prompt.end(), more.begin(), more.end());
    const size_t taken = cache_->Reuse(sequence, prompt);
    EXPECT_EQ(sequence.length(), before + taken);
    EXPECT_TRUE(std::ranges::equal(sequence.tokens(), std::span(prompt).first(before + taken)));
    EXPECT_TRUE(taken == 0 || sequence.length() < prompt.size());
    caught_up_ += taken > 0 ? 1 : 0;
  }

  void Extend(Sequence& sequence) {
    const auto tokens = Tokens(1 + random_() % 6);
    const auto before = std::vector<int32_t>(sequence.tokens().begin(), sequence.tokens().end());
    if (const auto status = cache_->Reserve(sequence, tokens.size()); !status.ok()) {
      EXPECT_EQ(status.error().reason, "kv_cache_full");
      EXPECT_TRUE(std::ranges::equal(before, sequence.tokens()));
      ++refused_;
      sequences_.erase(std::ranges::find_if(sequences_, [&](const auto& held) { return held.get() == &sequence; }));
      return;
    }
    auto all = before;
    for (const int32_t token : tokens) {
      const size_t i = all.size();
      all.push_back(token);
      const PageId page = sequence.pages()[i / kPage];
      Floats(cache_->Keys(page, 1, 1))[2 * kPage + i % kPage] = Mark(all);
      Floats(cache_->Values(page, 0, 1))[i % kPage * 2] = -Mark(all);
    }
    cache_->Append(sequence, tokens);
  }

  std::mt19937 random_;
  std::unique_ptr<KvCache> cache_;
  std::vector<std::unique_ptr<Sequence>> sequences_;
  size_t refused_ = 0;
  size_t reused_ = 0;
  size_t caught_up_ = 0;
};

TEST(KvCache, KeepsEverySequencesKeysUnderRandomOperations) {
  size_t refused = 0;
  size_t reused = 0;
  size_t caught_up = 0;
  for (uint32_t seed = 0; seed < 30; ++seed) {
    RandomCache cache(seed);
    for (int i = 0; i < 300; ++i) {
      cache.Act();
      ASSERT_NO_FATAL_FAILURE(cache.Check()) << "seed " << seed << ", operation " << i;
    }
    ASSERT_NO_FATAL_FAILURE(cache.Finish()) << "seed " << seed;
    refused += cache.refused();
    reused += cache.reused();
    caught_up += cache.caught_up();
  }
  EXPECT_GT(refused, 0U);
  EXPECT_GT(reused, 0U);
  EXPECT_GT(caught_up, 50U);
}

std::unique_ptr<KvCache> Small(bool share = true) {
  return KvCache::Make({.layers = 1,
                        .heads = 1,
                        .key_size = 1,
                        .value_size = 1,
                        .page_positions = kPage,
                        .pages = 4,
                        .share_prefixes = share})
      .value();
}

TEST(KvCache, SharesPrefixesWithinASpaceOnly) {
  const auto cache = Small();
  const std::vector<int32_t> tokens{1, 2, 3, 4, 5, 6, 7, 8, 9};
  const auto first = cache->NewSequence({.adapter = 7});
  ASSERT_TRUE(cache->Reserve(*first, 9).ok());
  cache->Append(*first, tokens);
  for (const PrefixSpace& space : {PrefixSpace{.adapter = 8}, PrefixSpace{.adapter = 7, .tenant = 1}, PrefixSpace{}}) {
    const auto other = cache->NewSequence(space);
    EXPECT_EQ(cache->Reuse(*other, tokens), 0);
  }
  const auto same = cache->NewSequence({.adapter = 7});
  EXPECT_EQ(cache->Reuse(*same, tokens), 8);
  EXPECT_EQ(same->pages()[1], first->pages()[1]);
  const auto exact = cache->NewSequence({.adapter = 7});
  EXPECT_EQ(cache->Reuse(*exact, std::span(tokens).first(8)), 7);  // the last token is computed anew
}

TEST(KvCache, CopiesAPageThatBeginsAlike) {
  const auto cache = Small();
  const std::vector<int32_t> tokens{1, 2, 3, 4, 5, 6, 7, 8};
  const auto first = cache->NewSequence();
  ASSERT_TRUE(cache->Reserve(*first, 8).ok());
  *Floats(cache->Keys(first->pages()[1], 0, 0)) = 0.5F;
  cache->Append(*first, tokens);
  const auto second = cache->NewSequence();
  EXPECT_EQ(cache->Reuse(*second, std::vector<int32_t>{1, 2, 3, 4, 5, 6, 9, 9}), 6);
  EXPECT_EQ(second->pages()[1], first->pages()[1]);
  ASSERT_TRUE(cache->Reserve(*second, 1).ok());
  EXPECT_NE(second->pages()[1], first->pages()[1]);
  EXPECT_EQ(*Floats(cache->Keys(second->pages()[1], 0, 0)), 0.5F);
}

TEST(KvCache, AnAlikePageNeedsNoMorePagesThanAnother) {
  const auto cache = Small();
  const auto ask = [&](const std::vector<int32_t>& tokens) {
    const auto sequence = cache->NewSequence();
    const size_t known = cache->Reuse(*sequence, tokens);
    EXPECT_TRUE(cache->Reserve(*sequence, tokens.size() - known).ok());
    cache->Append(*sequence, std::span(tokens).subspan(known));
    return known;
  };
  EXPECT_EQ(ask({1, 2, 3, 4, 5, 6, 7, 8}), 0);
  EXPECT_EQ(ask({1, 2, 3, 4, 5, 6, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9}), 6);  // all four pages
  EXPECT_EQ(ask({1, 2, 3, 4, 5, 6, 9, 9, 0}), 8);
}

TEST(KvCache, SharesNothingWhereKeysDependOnLaterTokens) {
  const auto cache = Small(false);
  const std::vector<int32_t> tokens{1, 2, 3, 4, 5};
  const auto first = cache->NewSequence();
  ASSERT_TRUE(cache->Reserve(*first, 5).ok());
  cache->Append(*first, tokens);
  const auto second = cache->NewSequence();
  EXPECT_EQ(cache->Reuse(*second, tokens), 0);
}

TEST(KvCache, EvictsWhatWasUsedLongestAgo) {
  const auto cache = Small();
  const auto run = [&](int32_t start) {
    const std::vector<int32_t> tokens{start, 0, 0, 0};
    const auto sequence = cache->NewSequence();
    ASSERT_TRUE(cache->Reserve(*sequence, 4).ok());
    cache->Append(*sequence, tokens);
  };
  const auto known = [&](int32_t start) {
    const std::vector<int32_t> tokens{start, 0, 0, 0, 0};
    return cache->Reuse(*cache->NewSequence(), tokens) == 4;
  };
  for (const int32_t start : {1, 2, 3, 4}) {
    run(start);
  }
  EXPECT_EQ(cache->free_pages(), 0);
  EXPECT_EQ(cache->reusable_pages(), 4);
  EXPECT_TRUE(known(1));  // and so used last
  run(5);
  EXPECT_TRUE(known(1));
  EXPECT_FALSE(known(2));
  EXPECT_TRUE(known(3));
}

TEST(KvCache, KeepsWhatIsUnsureToItself) {
  const auto cache =
      KvCache::Make({.layers = 1, .heads = 1, .key_size = 1, .value_size = 1, .page_positions = 4, .pages = 8}).value();
  const std::vector<int32_t> tokens{1, 2, 3, 4, 5, 6, 7, 8, 9};
  const auto known = [&] { return cache->Reuse(*cache->NewSequence(), tokens); };
  const auto sequence = cache->NewSequence();
  ASSERT_TRUE(cache->Reserve(*sequence, 9).ok());
  cache->Append(*sequence, tokens, 3);
  EXPECT_EQ(known(), 4);
  cache->Truncate(*sequence, 8);
  EXPECT_EQ(known(), 4);
  ASSERT_TRUE(cache->Reserve(*sequence, 1).ok());
  cache->Append(*sequence, std::vector<int32_t>{10});
  EXPECT_EQ(known(), 8);
}

TEST(KvCache, RefusesImpossibleSizes) {
  const size_t huge = std::numeric_limits<size_t>::max() / 8;
  EXPECT_FALSE(KvCache::Make({.layers = huge, .heads = huge, .key_size = 1, .value_size = 1, .pages = 1}).ok());
  EXPECT_FALSE(KvCache::Make({.layers = 1, .heads = 1, .key_size = 1, .value_size = 1, .pages = 0}).ok());
  EXPECT_FALSE(KvCache::Make({.layers = 1, .heads = 1, .key_size = huge, .value_size = huge, .pages = 1}).ok());
}

}  // namespace
}  // namespace atelier::engine
