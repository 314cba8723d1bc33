// What an encoder loses on some examples, by its task.
#pragma once

#include <functional>
#include <span>

#include "families/bert/examples.h"
#include "families/bert/network.h"
#include "families/learner.h"

namespace atelier::families::bert {

struct LossOptions {
  double label_smoothing = 0;
  double temperature = 0.05;
  MaskOptions masking{};
  // Numbers are learnt as (x - shift) / scale: of a regression with a mean of 0 and a deviation of 1; of scores from 0
  // to 1, which a cosine is to be.
  double shift = 0;
  double scale = 1;
  c10::optional<torch::Generator> generator{};  // of masks; none: torch's
};

// The mean over texts; of tags over the words whose tag is known; of masked-lm over what is hidden. Score: what is
// right, or squared errors in the column's units. Pairs to embed without scores: each text is to find its own second
// among those of the batch, and the other way round (van den Oord et al., arXiv:1807.03748).
BatchLoss LossOf(NetworkImpl& network, const Examples& examples, std::span<const int64_t> chosen,
                 const LossOptions& options, bool bf16);

// The outputs of examples in evaluation mode: probabilities' logits, numbers as they are learnt or a vector, F32
// [chosen, ...]; of tags those of all their words one behind the other.
torch::Tensor OutputsOf(NetworkImpl& network, const Examples& examples, std::span<const int64_t> chosen);
// The vectors of texts, F32 [chosen, width], of an embedding.
torch::Tensor VectorsOf(NetworkImpl& network, const std::vector<Text>& texts, std::span<const int64_t> chosen);

// Sums LossOf over all examples in evaluation mode; masks are the same each time. Errors: kCancelled, CatchTorch's.
Result<Sums> SumLosses(NetworkImpl& network, const Examples& examples, LossOptions options,
                       const std::function<bool()>& cancelled);

// Batches for evaluation.
Batches MeasuredBatches(const Examples& examples);

}  // namespace atelier::families::bert
