#include "engine/sampling/candidates.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "base/rng.h"

namespace atelier::engine {
namespace {

using testing::ElementsAre;

constexpr float kNever = -std::numeric_limits<float>::infinity();

// The slow and clear way: everything sorted, every probability written down.
struct Entry {
  int32_t id;
  float logit;
  double p;
};
using Entries = std::vector<Entry>;

void Normalise(Entries& entries) {
  long double largest = -1e300L;
  for (const Entry& entry : entries) {
    largest = std::max<long double>(largest, entry.logit);
  }
  long double total = 0;
  for (const Entry& entry : entries) {
    total += std::exp(entry.logit - largest);
  }
  for (Entry& entry : entries) {
    entry.p = static_cast<double>(std::exp(entry.logit - largest) / total);
  }
}

Entries All(const std::vector<float>& logits) {
  Entries entries;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] != kNever) {
      entries.push_back({static_cast<int32_t>(i), logits[i], 0});
    }
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.logit > b.logit; });
  Normalise(entries);
  return entries;
}

Entries TopK(Entries entries, int k) {
  if (k > 0 && static_cast<size_t>(k) < entries.size()) {
    entries.resize(static_cast<size_t>(k));
  }
  Normalise(entries);
  return entries;
}

Entries UntilMass(const Entries& entries, double mass) {
  Entries kept;
  double sum = 0;
  for (const Entry& entry : entries) {
    kept.push_back(entry);
    sum += entry.p;
    if (sum >= mass) {
      break;
    }
  }
  Normalise(kept);
  return kept;
}

Entries Typical(Entries entries, double p) {
  if (p >= 1) {
    return entries;
  }
  double entropy = 0;
  for (const Entry& entry : entries) {
    entropy -= entry.p * std::log(entry.p);
  }
  std::stable_sort(entries.begin(), entries.end(), [&](const Entry& a, const Entry& b) {
    return std::abs(-std::log(a.p) - entropy) < std::abs(-std::log(b.p) - entropy);
  });
  return UntilMass(entries, p);
}

Entries MinP(const Entries& entries, double p) {
  Entries kept;
  for (const Entry& entry : entries) {
    if (entry.p >= p * entries[0].p) {
      kept.push_back(entry);
    }
  }
  Normalise(kept);
  return kept;
}

std::vector<int32_t> Ids(const Entries& entries) {
  std::vector<int32_t> ids;
  for (const Entry& entry : entries) {
    ids.push_back(entry.id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

Candidates Of(const std::vector<float>& logits, int32_t top_k) {
  Candidates candidates;
  candidates.Set(logits, top_k);
  return candidates;
}

std::vector<int32_t> Ids(const Candidates& candidates) {
  std::vector<int32_t> ids = candidates.ids();
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::vector<float> RandomLogits(SeededRng& rng, size_t size, double scale) {
  std::vector<float> logits(size);
  for (float& logit : logits) {
    double sum = 0;
    for (int i = 0; i < 12; ++i) {
      sum += rng.Uniform();
    }
    logit = rng.Below(20) == 0 ? kNever : static_cast<float>((sum - 6) * scale);
  }
  logits[0] = 0;
  return logits;
}

// Calls `test` with logits of many sizes and scales.
void ForRandomLogits(const std::function<void(const std::vector<float>&)>& test) {
  SeededRng rng(3);
  for (const size_t size : {1U, 2U, 5U, 100U, 300U, 5000U}) {
    for (const double scale : {0.01, 1.0, 4.0, 20.0}) {
      test(RandomLogits(rng, size, scale));
    }
  }
}

TEST(CandidatesTest, TopKAgreesWithTheReference) {
  ForRandomLogits([](const std::vector<float>& logits) {
    for (const int k : {-1, 0, 1, 2, 40, 1000, 100000}) {
      EXPECT_EQ(Ids(Of(logits, k)), Ids(TopK(All(logits), k))) << logits.size() << " " << k;
    }
  });
}

TEST(CandidatesTest, TopPAgreesWithTheReference) {
  ForRandomLogits([](const std::vector<float>& logits) {
    for (const float p : {0.0F, 0.1F, 0.5F, 0.9F, 0.99F, 1.0F}) {
      for (const int k : {0, 30}) {
        Candidates candidates = Of(logits, k);
        candidates.KeepTopP(p);
        EXPECT_EQ(Ids(candidates), Ids(p < 1 ? UntilMass(TopK(All(logits), k), p) : TopK(All(logits), k)));
      }
    }
  });
}

TEST(CandidatesTest, MinPAgreesWithTheReference) {
  ForRandomLogits([](const std::vector<float>& logits) {
    for (const float p : {0.0F, 0.001F, 0.05F, 0.5F, 1.0F}) {
      for (const int k : {0, 30}) {
        Candidates candidates = Of(logits, k);
        candidates.KeepMinP(p);
        EXPECT_EQ(Ids(candidates), Ids(MinP(TopK(All(logits), k), p))) << logits.size() << " " << p << " " << k;
      }
    }
  });
}

TEST(CandidatesTest, TypicalAgreesWithTheReference) {
  ForRandomLogits([](const std::vector<float>& logits) {
    for (const float p : {0.1F, 0.5F, 0.9F, 0.99F, 1.0F}) {
      for (const int k : {0, 30}) {
        Candidates candidates = Of(logits, k);
        candidates.KeepTypical(p);
        EXPECT_EQ(Ids(candidates), Ids(Typical(TopK(All(logits), k), p))) << logits.size() << " " << p << " " << k;
      }
    }
  });
}

TEST(CandidatesTest, AllStepsOneAfterAnother) {
  ForRandomLogits([](const std::vector<float>& logits) {
    for (const int k : {0, 50}) {
      Candidates candidates = Of(logits, k);
      candidates.KeepTypical(0.95F);
      candidates.KeepTopP(0.8F);
      candidates.KeepMinP(0.1F);
      Entries expected = Typical(TopK(All(logits), k), 0.95F);
      std::stable_sort(expected.begin(), expected.end(), [](const Entry& a, const Entry& b) {
        return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
      });
      expected = MinP(UntilMass(expected, 0.8F), 0.1F);
      EXPECT_EQ(Ids(candidates), Ids(expected)) << logits.size() << " " << k;
    }
  });
}

TEST(CandidatesTest, EqualLogitsGoByIdAndSomethingAlwaysStays) {
  const std::vector<float> logits = {1, 1, 1, 1};
  EXPECT_THAT(Of(logits, 2).ids(), ElementsAre(0, 1));
  Candidates half = Of(logits, 0);
  half.KeepTopP(0.5F);
  EXPECT_THAT(half.ids(), ElementsAre(0, 1));
  Candidates none = Of(logits, 0);
  none.KeepTopP(0);
  none.KeepMinP(1);
  none.KeepTypical(1e-6F);
  EXPECT_THAT(none.ids(), ElementsAre(0));
}

TEST(CandidatesTest, DrawFindsTheShareOfTheNumber) {
  const std::vector<float> logits = {std::log(0.5F), kNever, std::log(0.25F), std::log(0.25F)};
  Candidates candidates = Of(logits, 0);
  EXPECT_EQ(candidates.Draw(1, 0), 0);
  EXPECT_EQ(candidates.Draw(1, 0.499), 0);
  EXPECT_EQ(candidates.Draw(1, 0.501), 2);
  EXPECT_EQ(candidates.Draw(1, 0.749), 2);
  EXPECT_EQ(candidates.Draw(1, 0.751), 3);
  EXPECT_EQ(candidates.Draw(1, 1 - 0x1.0p-53), 3);
  // At half the temperature the shares are 4 : 1 : 1.
  EXPECT_EQ(candidates.Draw(0.5F, 0.66), 0);
  EXPECT_EQ(candidates.Draw(0.5F, 0.67), 2);
  // As cold as floats go, and with logits as far apart as they go.
  EXPECT_EQ(candidates.Draw(std::numeric_limits<float>::denorm_min(), 0.9999), 0);
  const float far = std::numeric_limits<float>::max();
  EXPECT_EQ(Of({-far, far, -far}, 0).Draw(2, 0.9999), 1);
}

}  // namespace
}  // namespace atelier::engine
