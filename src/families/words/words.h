// Word vectors as families: word2vec and glove. The vectors themselves, without LibTorch, are in families/word_vectors.
#pragma once

#include "families/learner.h"

namespace atelier::families {

// Trains on the text of the train rows. Killed and started again with the same job, it goes on from its checkpoint to
// the same vectors. Errors: kInvalidArgument "dataset_unsuitable", kResourceExhausted (too many words or pairs, or
// memory), kCancelled after a checkpoint, "training_diverged".
Result<LearnedModel> TrainWordVectors(const LearnInput& input, storage::BlobStore& blobs);

// Answers a text with the mean of its words' vectors (of a word: its vector), and records:
//   {"word"[, "top"]}                     texts: the nearest words; values: their cosines
//   {"positive", "negative"[, "top"]}     the same for the sum of directions less others; several words are divided by
//                                         line feeds, and are no answers themselves
//   {"first", "second"}                   values: the cosine
Result<std::unique_ptr<Predictor>> OpenWordVectors(const ModelFiles& files, int threads);

// By the columns of the data set: two of words and a number: rank correlation of the similarities (spearman, pearson);
// four of words, or four and a section: analogies; text: the share of its words that have a vector.
Result<Outcomes> MeasureWordVectors(const ModelFiles& files, const MeasureInput& input);

}  // namespace atelier::families
