#include "families/word_vectors/training/corpus.h"

#include <algorithm>
#include <numeric>

namespace atelier::families::word_vectors {
namespace {

constexpr size_t kMaxDistinct = 50'000'000;

}  // namespace

Result<CorpusBuilder> CorpusBuilder::Create(const CorpusOptions& options) {
  ATELIER_ASSIGN(splitter, WordSplitter::Create(options.split));
  return CorpusBuilder(options, std::move(splitter));
}

Status CorpusBuilder::Add(std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    ATELIER_TRY(AddLine(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

Status CorpusBuilder::AddLine(std::string_view line) {
  size_t length = 0;
  ATELIER_TRY(splitter_->Split(line, [&](std::string_view word) {
    auto found = ids_.find(word);
    if (found == ids_.end()) {
      if (ids_.size() >= kMaxDistinct) {
        return;
      }
      found = ids_.emplace(word, static_cast<int32_t>(ids_.size())).first;
      words_.push_back(&found->first);
      counts_.push_back(0);
    }
    ++counts_[static_cast<size_t>(found->second)];
    text_.push_back(found->second);
    if (++length % kMaxSentenceWords == 0) {
      text_.push_back(kSentenceEnd);
    }
  }));
  if (ids_.size() >= kMaxDistinct) {
    return MakeError(Code::kResourceExhausted,
                     "the text has more than " + std::to_string(kMaxDistinct) + " different words", "too_many_words");
  }
  text_.push_back(kSentenceEnd);
  return {};
}

// The old numbers of the words that stay.
std::vector<int32_t> CorpusBuilder::Order() const {
  std::vector<int32_t> order;
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] >= options_.min_count) {
      order.push_back(static_cast<int32_t>(i));
    }
  }
  std::ranges::sort(order, [&](int32_t a, int32_t b) {
    const auto x = static_cast<size_t>(a);
    const auto y = static_cast<size_t>(b);
    return counts_[x] != counts_[y] ? counts_[x] > counts_[y] : *words_[x] < *words_[y];
  });
  order.resize(std::min(order.size(), static_cast<size_t>(options_.max_vocabulary)));
  return order;
}

Result<Corpus> CorpusBuilder::Finish() && {
  const std::vector<int32_t> order = Order();
  if (order.size() < 2) {
    return InvalidArgument("fewer than two different words occur at least " + std::to_string(options_.min_count) +
                               " times; lower min_count or give more text",
                           "settings.min_count", "dataset_unsuitable");
  }
  constexpr int32_t kGone = -2;
  std::vector<int32_t> renumbered(counts_.size(), kGone);
  std::vector<std::string> words;
  std::vector<int64_t> counts;
  for (size_t i = 0; i < order.size(); ++i) {
    const auto old = static_cast<size_t>(order[i]);
    renumbered[old] = static_cast<int32_t>(i);
    words.push_back(*words_[old]);
    counts.push_back(counts_[old]);
  }
  Corpus corpus;
  corpus.seen = std::accumulate(counts_.begin(), counts_.end(), int64_t{0});
  corpus.kept = std::accumulate(counts.begin(), counts.end(), int64_t{0});
  ATELIER_ASSIGN(vocabulary, Vocabulary::Make(std::move(words), std::move(counts)));
  corpus.vocabulary = std::move(vocabulary);
  corpus.words = std::move(text_);
  for (int32_t& word : corpus.words) {
    word = word == kSentenceEnd ? word : renumbered[static_cast<size_t>(word)];
  }
  std::erase(corpus.words, kGone);
  return corpus;
}

}  // namespace atelier::families::word_vectors
