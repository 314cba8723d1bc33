// Training of language models: from scratch, further, or as an adapter; on texts, answers or preferences.
#pragma once

#include <memory>

#include "families/learner.h"

namespace atelier::families {

// The settings are those of spec/gpt.h. Validation texts are measured in rows one behind the other; the metric is
// loss_per_character for texts, perplexity for answers and accuracy for preferences. What is saved are the files of
// gpt/folder.h; "family" of the description is llm or llm-adapter. Errors: kInvalidArgument "dataset_unsuitable" (no
// row can be learnt from), kFailedPrecondition "no_chat_template", kResourceExhausted "not_enough_memory" with the
// estimate, those of gpt::OpenModel, gpt::ReadWeights and text::TrainTokenizer.
Result<std::unique_ptr<Learner>> LearnGpt(const LearnInput& input);

}  // namespace atelier::families
