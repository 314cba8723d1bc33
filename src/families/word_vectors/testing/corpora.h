// Small texts for tests, and what is common to tests of runs.
#pragma once

#include <string>
#include <vector>

#include "base/rng.h"
#include "families/word_vectors/index.h"
#include "families/word_vectors/training/corpus.h"
#include "families/word_vectors/training/run.h"

namespace atelier::families::word_vectors::testing {

inline Corpus CorpusOf(const std::string& text, int64_t min_count = 1) {
  auto builder = CorpusBuilder::Create({.split = {.splitting = Splitting::kSpaces}, .min_count = min_count});
  static_cast<void>(builder->Add(text));
  return std::move(*std::move(*builder).Finish());
}

// Sentences of twelve words, each of one topic: a0 ... a19 or b0 ... b19.
inline Corpus TwoTopics(int sentences) {
  SeededRng rng(11);
  std::string text;
  for (int i = 0; i < sentences; ++i) {
    for (int word = 0; word < 12; ++word) {
      text += (i % 2 == 0 ? "a" : "b") + std::to_string(rng.Below(20)) + " ";
    }
    text += "\n";
  }
  return CorpusOf(text);
}

inline char TopicOf(const Corpus& corpus, int32_t word) {
  return corpus.vocabulary.words()[static_cast<size_t>(word)].front();
}

// How many of all words' five nearest are of the other topic.
inline int NeighboursOfOtherTopics(const Corpus& corpus, Table vectors) {
  const WordIndex index({corpus.vocabulary, std::move(vectors)});
  int others = 0;
  for (int32_t word = 0; word < static_cast<int32_t>(corpus.vocabulary.size()); ++word) {
    const auto vector = index.Vector(word);
    const Query query{.vector = {vector.begin(), vector.end()}, .left_out = {word}, .top = 5};
    const auto answers = index.Nearest({&query, 1});
    for (const Neighbour& neighbour : answers.front()) {
      others += TopicOf(corpus, neighbour.word) != TopicOf(corpus, word) ? 1 : 0;
    }
  }
  return others;
}

// Returns the last step's loss.
inline double TrainEpochs(Run& run, int64_t epochs) {
  double loss = 0;
  for (int64_t epoch = 0; epoch < epochs; ++epoch) {
    for (int64_t step = 0; step < run.steps(); ++step) {
      loss = run.Step({epoch, step}).loss;
    }
  }
  return loss;
}

inline std::vector<float> CopyOf(const Table& table) {
  return {table.data(), table.data() + table.rows() * table.stride()};
}

}  // namespace atelier::families::word_vectors::testing
