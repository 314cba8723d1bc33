// What training a model of word vectors looks like from outside, whichever algorithm: steps that can be counted, saved
// and gone on from.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "families/word_vectors/table.h"
#include "tensor/safetensors.h"

namespace atelier::families::word_vectors {

// Where a run stands; a step is some tens of milliseconds of work.
struct Position {
  int64_t epoch = 0;  // from 0
  int64_t step = 0;   // of the epoch; the next one to do
};

struct StepReport {
  double loss = 0;           // mean of those examples of the step that it was computed of
  double samples = 0;        // those examples
  double learning_rate = 0;  // at its end
  int64_t words = 0;         // of the corpus, or pairs of words, worked through
};

// Not thread-safe. The state after each step is a function of corpus, options and seed: the count of threads changes
// the speed alone.
class Run {
 public:
  virtual ~Run() = default;

  virtual int64_t steps() const = 0;             // an epoch, at least 1
  virtual int64_t epoch_words() const = 0;       // what the reports' words add up to
  virtual std::string_view counted() const = 0;  // "words", or "pairs of words"
  virtual StepReport Step(const Position& position) = 0;
  // All that a later run of the same corpus and options needs to go on; the views borrow from this object.
  virtual std::map<std::string, tensor::View> State() const = 0;
  // Errors: kDataLoss where the tensors do not fit.
  virtual Status SetState(const std::map<std::string, tensor::View>& state) = 0;
  // The vectors as they are by now.
  virtual Table Vectors() const = 0;
};

tensor::View ViewOf(const Table& table);  // with its padding: [rows, stride]
// Errors: kDataLoss.
Status Restore(const std::map<std::string, tensor::View>& state, const std::string& name, Table& table);

}  // namespace atelier::families::word_vectors
