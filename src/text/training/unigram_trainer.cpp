#include "text/training/unigram_trainer.h"

#include <sentencepiece_trainer.h>

#include <algorithm>

namespace atelier::text {
namespace {

constexpr size_t kMaxPieceBytes = 4000;  // of a "sentence"; the library leaves out longer ones
constexpr size_t kMaxThreads = 2;        // a constant: sums of floats depend on it

// The words in order, each with its count; the library's form "tsv".
class WordIterator final : public sentencepiece::SentenceIterator {
 public:
  explicit WordIterator(const WordCounts& words) {
    for (const auto& word : words) {
      if (word.first.size() <= kMaxPieceBytes) {
        words_.emplace_back(word.first, word.second);
      }
    }
    std::ranges::sort(words_);
    Write();
  }

  bool done() const override { return at_ >= words_.size(); }
  void Next() override {
    ++at_;
    Write();
  }
  const std::string& value() const override { return line_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  void Write() {
    if (!done()) {
      line_ = std::string(words_[at_].first) + "\t" + std::to_string(words_[at_].second);
    }
  }

  std::vector<std::pair<std::string_view, int64_t>> words_;
  size_t at_ = 0;
  std::string line_;
};

}  // namespace

Result<std::vector<std::pair<std::string, float>>> LearnUnigram(const WordCounts& words, size_t pieces) {
  WordIterator iterator(words);
  std::string model;
  const auto trained = sentencepiece::SentencePieceTrainer::Train({{"model_type", "unigram"},
                                                                   {"vocab_size", std::to_string(pieces + 1)},
                                                                   {"hard_vocab_limit", "false"},
                                                                   {"input_format", "tsv"},
                                                                   {"normalization_rule_name", "identity"},
                                                                   {"character_coverage", "1.0"},
                                                                   {"num_threads", std::to_string(kMaxThreads)},
                                                                   {"unk_id", "0"},
                                                                   {"bos_id", "-1"},
                                                                   {"eos_id", "-1"},
                                                                   {"pad_id", "-1"},
                                                                   {"minloglevel", "2"}},
                                                                  &iterator, &model);
  sentencepiece::SentencePieceProcessor reader;
  const auto loaded = trained.ok() ? reader.LoadFromSerializedProto(model) : trained;
  if (!loaded.ok()) {
    return InvalidArgument("no vocabulary of " + std::to_string(pieces) +
                               " pieces can be learnt: " + std::string(loaded.error_message()).substr(0, 500),
                           "vocabulary_size");
  }
  std::vector<std::pair<std::string, float>> out;
  for (int id = 0; id < reader.GetPieceSize(); ++id) {
    if (!reader.IsUnknown(id) && !reader.IsControl(id)) {
      out.emplace_back(reader.IdToPiece(id), reader.GetScore(id));
    }
  }
  return out;
}

}  // namespace atelier::text
