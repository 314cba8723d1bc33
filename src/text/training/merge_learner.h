// Learns which pairs of symbols to merge, with counts that are kept up to date: Sennrich, Haddow and Birch 2016,
// "Neural Machine Translation of Rare Words with Subword Units", algorithm 1 over a priority queue.
#pragma once

#include <cstdint>
#include <queue>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "text/training/pair_table.h"

namespace atelier::text {

enum class MergeScore : uint8_t {
  kCount,  // of the pair
  // What the merge adds to the log-likelihood of the words under a model of single symbols: n_ab log(n_ab N / (n_a
  // n_b)) (Schuster and Nakajima 2012, "Japanese and Korean Voice Search").
  kLikelihood,
};

struct MergeOptions {
  MergeScore score = MergeScore::kCount;
  int64_t min_count = 2;
  size_t symbols = 0;               // as many are wanted, the given ones included
  std::string continuing_prefix{};  // that the second of a pair loses
};

// Not thread-safe. Of pairs with the same score the one of lower symbols merges first.
class MergeLearner {
 public:
  // `spellings`: of the symbols that words are given in; distinct.
  MergeLearner(std::vector<std::string> spellings, MergeOptions options);

  // A word that occurs `count` times, as symbols.
  void AddWord(std::span<const int32_t> symbols, int64_t count);

  // To be called once, after the words.
  void Learn();

  const std::vector<std::string>& spellings() const { return spellings_; }  // given ones, then merged ones in order
  const std::vector<std::pair<int32_t, int32_t>>& merges() const { return merges_; }

 private:
  struct Place {
    int32_t symbol;  // -1: it went into its left neighbour
    uint32_t previous, next;
    uint32_t word;
  };
  struct Pair {
    int32_t left, right;
    int64_t count = 0;
    double offered = -1;           // the highest score in the queue
    bool touched = false;          // its count has grown in this step
    std::vector<uint32_t> places;  // of the left one; some may have changed since
  };
  struct Offer {
    double score;
    int32_t left, right;
    uint32_t pair;
    bool operator<(const Offer& other) const {
      return score != other.score ? score < other.score : std::pair(left, right) > std::pair(other.left, other.right);
    }
  };

  void Change(int32_t left, int32_t right, int64_t by, uint32_t place);
  double Score(const Pair& pair) const;
  void Put(uint32_t pair, double slack);
  void OfferTouched(int32_t left, int32_t right);
  void OfferNeighbours(int32_t symbol);
  int32_t SymbolOf(const Pair& pair);
  void Merge(uint32_t pair, int32_t merged);
  void MergePlace(uint32_t left, uint32_t right, int32_t merged);

  const MergeOptions options_;
  std::vector<std::string> spellings_;
  std::vector<std::pair<int32_t, int32_t>> merges_;
  std::vector<int64_t> word_counts_;
  std::vector<Place> places_;
  PairTable index_;
  std::vector<Pair> pairs_;
  std::vector<uint32_t> touched_;
  std::priority_queue<Offer> queue_;
  // Of kLikelihood.
  int64_t total_ = 0;
  std::vector<int64_t> counts_;                  // by symbol
  std::vector<std::vector<uint32_t>> pairs_of_;  // by symbol
};

}  // namespace atelier::text
