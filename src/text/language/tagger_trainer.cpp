#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "base/rng.h"
#include "text/language/characters.h"
#include "text/language/tagger.h"
#include "text/language/tagger_features.h"

namespace atelier::text::language {
namespace {

constexpr size_t kMaxTags = 4096;
// A word gets its tag from the dictionary if it is seen this often, and that share of it with the tag.
constexpr uint64_t kSureCount = 20;
constexpr double kSureShare = 0.97;

}  // namespace

class TaggerTrainer {
 public:
  TaggerTrainer(std::vector<TaggedSentence> sentences, const TaggerTraining& options)
      : sentences_(std::move(sentences)), options_(options), rng_(options.seed) {}

  Result<Tagger> Run() {
    FindTags();
    if (tagger_.tags_.empty() || tagger_.tags_.size() > kMaxTags) {
      return InvalidArgument("a tagger needs sentences with at least one and at most 4096 different tags");
    }
    FindSureWords();
    for (int pass = 0; pass < options_.passes; ++pass) {
      right_ = words_ = 0;
      for (const auto& sentence : sentences_) {
        TakeSentence(sentence);
      }
      rng_.Shuffle(sentences_);
      if (options_.progress &&
          !options_.progress(pass + 1, static_cast<double>(right_) / static_cast<double>(words_))) {
        return MakeError(Code::kCancelled, "the training was stopped");
      }
    }
    Average();
    return std::move(tagger_);
  }

 private:
  // One weight, and what its average needs: the sum over all steps until `since`.
  struct Cell {
    uint16_t tag;
    double value = 0;
    double sum = 0;
    uint64_t since = 0;
  };

  void FindTags() {
    std::set<std::string> tags;
    for (const auto& sentence : sentences_) {
      for (const auto& word : sentence) {
        tags.insert(word.tag);
      }
    }
    tagger_.tags_.assign(tags.begin(), tags.end());
  }

  uint16_t IndexOf(const std::string& tag) const {
    return static_cast<uint16_t>(std::ranges::lower_bound(tagger_.tags_, tag) - tagger_.tags_.begin());
  }

  void FindSureWords() {
    std::map<std::string_view, std::map<std::string_view, uint64_t>> counts;
    for (const auto& sentence : sentences_) {
      for (const auto& word : sentence) {
        ++counts[word.word][word.tag];
      }
    }
    for (const auto& [word, tags] : counts) {
      uint64_t all = 0;
      for (const auto& [tag, count] : tags) {
        all += count;
      }
      const auto most = std::ranges::max_element(tags, {}, [](const auto& entry) { return entry.second; });
      if (all >= kSureCount && static_cast<double>(most->second) >= kSureShare * static_cast<double>(all)) {
        tagger_.words_.emplace(std::string(word), IndexOf(std::string(most->first)));
      }
    }
  }

  void TakeSentence(const TaggedSentence& sentence) {
    std::vector<std::string> words;
    std::ranges::transform(sentence, std::back_inserter(words), &TaggedWord::word);
    const auto context = tagging::ContextOf(words);
    std::string_view previous = tagging::kStart;
    std::string_view second = tagging::kStart2;
    for (size_t i = 0; i < words.size(); ++i) {
      const uint16_t truth = IndexOf(sentence[i].tag);
      uint16_t guess = 0;
      if (const auto sure = tagger_.words_.find(words[i]); sure != tagger_.words_.end()) {
        guess = sure->second;
      } else {
        tagging::FeaturesOf({context, i, words[i], previous, second}, features_);
        guess = Guess();
        Update(truth, guess);
      }
      right_ += guess == truth ? 1 : 0;
      ++words_;
      second = previous;
      previous = tagger_.tags_[guess];
    }
  }

  uint16_t Guess() {
    scores_.assign(tagger_.tags_.size(), 0);
    for (const auto& feature : features_) {
      if (const auto found = cells_.find(feature); found != cells_.end()) {
        for (const auto& cell : found->second) {
          scores_[cell.tag] += cell.value;
        }
      }
    }
    size_t best = 0;
    for (size_t tag = 0; tag < scores_.size(); ++tag) {
      best = scores_[tag] >= scores_[best] ? tag : best;
    }
    return static_cast<uint16_t>(best);
  }

  void Update(uint16_t truth, uint16_t guess) {
    ++step_;
    if (truth == guess) {
      return;
    }
    for (const auto& feature : features_) {
      auto& list = cells_[feature];
      Add(list, truth, 1);
      Add(list, guess, -1);
    }
  }

  void Add(std::vector<Cell>& list, uint16_t tag, double value) {
    auto cell = std::ranges::find(list, tag, &Cell::tag);
    if (cell == list.end()) {
      list.push_back({tag});
      cell = list.end() - 1;
    }
    cell->sum += static_cast<double>(step_ - cell->since) * cell->value;
    cell->since = step_;
    cell->value += value;
  }

  // Rounded to three places; zeros are left out.
  void Average() {
    for (const auto& [feature, list] : cells_) {
      std::vector<Tagger::Weight> weights;
      for (const auto& cell : list) {
        const double sum = cell.sum + static_cast<double>(step_ - cell.since) * cell.value;
        const double average = std::round(sum / static_cast<double>(step_) * 1000) / 1000;
        if (average != 0) {
          weights.push_back({cell.tag, static_cast<float>(average)});
        }
      }
      if (!weights.empty()) {
        tagger_.weights_.emplace(feature, std::move(weights));
      }
    }
  }

  std::vector<TaggedSentence> sentences_;
  TaggerTraining options_;
  SeededRng rng_;
  Tagger tagger_;
  StringMap<std::vector<Cell>> cells_;
  std::vector<std::string> features_;
  std::vector<double> scores_;
  uint64_t step_ = 0;
  uint64_t right_ = 0;
  uint64_t words_ = 0;
};

Result<Tagger> TrainTagger(std::vector<TaggedSentence> sentences, const TaggerTraining& options) {
  return TaggerTrainer(std::move(sentences), options).Run();
}

namespace {

Error BadLine(size_t line, const std::string& what) {
  return InvalidArgument("line " + std::to_string(line) + ": " + what, "data");
}

// word/TAG word/TAG ...; the last slash counts.
Status TakeSlashed(const std::vector<std::string_view>& parts, size_t line, TaggedSentence& sentence) {
  for (const auto part : parts) {
    const size_t slash = part.rfind('/');
    if (slash == 0 || slash == std::string_view::npos || slash + 1 == part.size()) {
      return BadLine(line, "every word must be word/TAG");
    }
    sentence.push_back({std::string(part.substr(0, slash)), std::string(part.substr(slash + 1))});
  }
  return {};
}

}  // namespace

Result<std::vector<TaggedSentence>> ParseTagged(std::string_view text, size_t column) {
  std::vector<TaggedSentence> sentences;
  TaggedSentence sentence;
  const auto finish = [&] {
    if (!sentence.empty()) {
      sentences.push_back(std::move(sentence));
      sentence.clear();
    }
  };
  size_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const auto parts = SplitSpace(text.substr(begin, end - begin));
    begin = end + 1;
    ++number;
    if (parts.empty()) {
      finish();
    } else if (parts[0].size() > 2 && parts[0].find('/', 1) != std::string_view::npos &&
               (parts.size() == 1 || parts[1].find('/') != std::string_view::npos)) {
      finish();
      ATELIER_TRY(TakeSlashed(parts, number, sentence));
      finish();
    } else if (column < 1 || parts.size() <= column) {
      return BadLine(number, "it has no column " + std::to_string(column));
    } else {
      sentence.push_back({std::string(parts[0]), std::string(parts[column])});
    }
  }
  finish();
  return sentences;
}

}  // namespace atelier::text::language
