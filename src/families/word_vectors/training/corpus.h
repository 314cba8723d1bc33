// Text as numbers of words, in memory: four bytes a word.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "families/word_vectors/vocabulary.h"
#include "families/word_vectors/words.h"

namespace atelier::families::word_vectors {

inline constexpr int32_t kSentenceEnd = -1;
inline constexpr size_t kMaxSentenceWords = 10000;  // longer ones are cut

struct Corpus {
  Vocabulary vocabulary;       // most frequent words first, equally frequent ones by their bytes
  std::vector<int32_t> words;  // of the vocabulary, kSentenceEnd after each sentence
  int64_t kept = 0;            // words in it
  int64_t seen = 0;            // words in the text, rare ones among them
};

struct CorpusOptions {
  SplitOptions split{};
  int64_t min_count = 5;               // rarer words are left out
  int64_t max_vocabulary = 1'000'000;  // of the most frequent words
};

// Not thread-safe.
class CorpusBuilder {
 public:
  // Errors: as WordSplitter::Create.
  static Result<CorpusBuilder> Create(const CorpusOptions& options);

  // Each line of the text is a sentence. Errors: kResourceExhausted (more different words than kMaxDistinct),
  // kInvalidArgument (a line too long).
  Status Add(std::string_view text);
  // Errors: kInvalidArgument "dataset_unsuitable" where fewer than two words are left.
  Result<Corpus> Finish() &&;

 private:
  CorpusBuilder(const CorpusOptions& options, std::unique_ptr<WordSplitter> splitter)
      : options_(options), splitter_(std::move(splitter)) {}
  Status AddLine(std::string_view line);
  std::vector<int32_t> Order() const;

  CorpusOptions options_;
  std::unique_ptr<WordSplitter> splitter_;
  WordIds ids_;
  std::vector<const std::string*> words_;  // the keys of ids_, which stay where they are
  std::vector<int64_t> counts_;
  std::vector<int32_t> text_;
};

}  // namespace atelier::families::word_vectors
