// What goes into one step of a model and what comes out: a ragged batch, each sequence with any number of tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/kv_cache.h"

namespace atelier::engine {

enum class OutputKind {
  kNone,
  kLogits,  // of the next token, [vocabulary]
  kHidden,  // the activations after the last norm, [width]: embeddings
};

// A sequence's next tokens: a chunk of its prompt, or the token that was sampled last.
struct StepItem {
  Sequence* sequence = nullptr;     // of the model's cache; once in a step
  std::span<const int32_t> tokens;  // at least one
  OutputKind output = OutputKind::kLogits;
  size_t output_from = 0;  // of the tokens from this one on; `tokens.size() - 1`: of the last only
  size_t unsure = 0;       // so many of the last tokens may be taken back (Truncate): nobody else finds them
};

// The rows that a step gave. Reused from step to step, it allocates nothing new.
class StepOutput {
 public:
  size_t rows(size_t item) const { return places_[item].rows; }
  // Of one item's row: [vocabulary] or [width]. A sampler may change logits in place.
  std::span<float> Row(size_t item, size_t row) {
    const Place& place = places_[item];
    return std::span(place.kind == OutputKind::kLogits ? logits_ : hidden_)
        .subspan((place.first + row) * place.width, place.width);
  }

 private:
  friend class Forward;
  struct Place {
    OutputKind kind = OutputKind::kNone;
    size_t first = 0;  // row of the matrix of its kind
    size_t rows = 0;
    size_t width = 0;
  };

  std::vector<Place> places_;  // by item
  std::vector<float> logits_;  // [rows, vocabulary]
  std::vector<float> hidden_;  // [rows, width]
};

}  // namespace atelier::engine
