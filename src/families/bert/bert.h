// The family's entry: see families/learner.h and families/spec/bert.h.
#pragma once

#include <memory>

#include "families/learner.h"

namespace atelier::families {

// From scratch, with a WordPiece vocabulary of its own, or from a folder of BERT's. Errors: kInvalidArgument
// "dataset_unsuitable", those of bert::LoadBase and text::TrainTokenizer.
Result<std::unique_ptr<Learner>> LearnBert(const LearnInput& input);

// Texts; records with the columns' names for pairs; of tags a text or record of words divided by spaces; of masked-lm a
// text with one [MASK], answered by the likeliest texts.
Result<std::unique_ptr<Predictor>> OpenBert(const ModelFiles& files, int threads);

// Extra measures: accuracy of known tags; perplexity and accuracy of what is hidden; of pairs to embed spearman and
// pearson with the scores, or without scores recall_at_1 and mrr among the first 5,000 pairs.
Result<Outcomes> MeasureBert(const ModelFiles& files, const MeasureInput& input);

}  // namespace atelier::families
