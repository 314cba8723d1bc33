#include "families/word_vectors/training/cooccurrence.h"

#include <algorithm>

#include "families/word_vectors/training/team.h"

namespace atelier::families::word_vectors {
namespace {

constexpr size_t kShareWords = 256;  // words whose pairs a thread counts at a time

// Where each word stands in the corpus: the places of word w are places[first[w]] to places[first[w + 1] - 1].
struct Places {
  std::vector<size_t> first;
  std::vector<size_t> places;
};

Places FindPlaces(const Corpus& corpus) {
  Places found;
  found.first.assign(corpus.vocabulary.size() + 1, 0);
  for (size_t i = 0; i < corpus.vocabulary.size(); ++i) {
    found.first[i + 1] = found.first[i] + static_cast<size_t>(corpus.vocabulary.counts()[i]);
  }
  found.places.resize(found.first.back());
  std::vector<size_t> next(found.first.begin(), found.first.end() - 1);
  for (size_t place = 0; place < corpus.words.size(); ++place) {
    if (const int32_t word = corpus.words[place]; word != kSentenceEnd) {
      found.places[next[static_cast<size_t>(word)]++] = place;
    }
  }
  return found;
}

// The pairs of one word after the other: sums over all contexts, cleared again where they were touched.
class Counter {
 public:
  Counter(const Corpus& corpus, const Places& places, int64_t window)
      : corpus_(corpus), places_(places), window_(static_cast<size_t>(window)), sums_(corpus.vocabulary.size()) {}

  void Count(int32_t word, std::vector<Pair>& pairs) {
    const auto row = static_cast<size_t>(word);
    for (size_t i = places_.first[row]; i < places_.first[row + 1]; ++i) {
      const size_t place = places_.places[i];
      for (size_t distance = 1; distance <= std::min(window_, place); ++distance) {
        if (!Add(place - distance, distance)) {
          break;
        }
      }
      for (size_t distance = 1; distance <= window_ && place + distance < corpus_.words.size(); ++distance) {
        if (!Add(place + distance, distance)) {
          break;
        }
      }
    }
    std::ranges::sort(touched_);
    for (const int32_t context : touched_) {
      double& sum = sums_[static_cast<size_t>(context)];
      pairs.push_back({word, context, static_cast<float>(sum)});
      sum = 0;
    }
    touched_.clear();
  }

 private:
  // False at the sentence's end.
  bool Add(size_t place, size_t distance) {
    const int32_t context = corpus_.words[place];
    if (context == kSentenceEnd) {
      return false;
    }
    double& sum = sums_[static_cast<size_t>(context)];
    if (sum == 0) {
      touched_.push_back(context);
    }
    sum += 1.0 / static_cast<double>(distance);
    return true;
  }

  const Corpus& corpus_;
  const Places& places_;
  size_t window_;
  std::vector<double> sums_;
  std::vector<int32_t> touched_;
};

}  // namespace

Result<std::vector<Pair>> CountPairs(const Corpus& corpus, const PairOptions& options) {
  const Places places = FindPlaces(corpus);
  const size_t words = corpus.vocabulary.size();
  std::vector<std::vector<Pair>> shares((words + kShareWords - 1) / kShareWords);
  std::atomic<size_t> next{0};
  std::atomic<int64_t> total{0};
  RunTeam(static_cast<size_t>(std::max(options.threads, 1)), [&](size_t, Gate&) {
    Counter counter(corpus, places, options.window);
    for (size_t share = next.fetch_add(1); share < shares.size() && total.load() <= options.max_pairs;
         share = next.fetch_add(1)) {
      for (size_t word = share * kShareWords; word < std::min(words, (share + 1) * kShareWords); ++word) {
        counter.Count(static_cast<int32_t>(word), shares[share]);
      }
      total.fetch_add(static_cast<int64_t>(shares[share].size()));
    }
  });
  if (total.load() > options.max_pairs) {
    return MakeError(Code::kResourceExhausted,
                     "the text has more than " + std::to_string(options.max_pairs) +
                         " pairs of words: raise max_pairs, or min_count, or lower max_vocabulary or window",
                     "too_many_pairs");
  }
  std::vector<Pair> pairs;
  pairs.reserve(static_cast<size_t>(total.load()));
  for (auto& share : shares) {
    pairs.insert(pairs.end(), share.begin(), share.end());
    share = {};
  }
  return pairs;
}

}  // namespace atelier::families::word_vectors
