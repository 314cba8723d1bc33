// A language model or encoder that can be run: the weights of a file, a cache of keys and values, and a step function
// over a ragged batch. Knows tokens as numbers only.
//
//   auto model = Model::Load(file, {.threads = 8});
//   auto sequence = model->cache().NewSequence();
//   model->cache().Reuse(*sequence, prompt);          // what is known of it already
//   StepItem item{sequence.get(), rest_of_prompt, OutputKind::kLogits, rest_of_prompt.size() - 1};
//   model->Step({&item, 1}, output);                  // output.Row(0, 0): logits of the next token
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "base/result.h"
#include "engine/adapter.h"
#include "engine/kv_cache.h"
#include "engine/model_config.h"
#include "engine/step.h"
#include "engine/thread_pool.h"
#include "tensor/gguf.h"

namespace atelier::engine {

struct ModelOptions {
  size_t threads = 1;
  int64_t max_context = 0;          // longest sequence; 0: what the model was made for
  size_t kv_bytes = 512ULL << 20U;  // of the cache of keys and values
  size_t page_positions = 16;
  size_t max_step_tokens = 4096;  // rows of one step, of all items together
  // Multiplies quantised weights with activations that are rounded to bytes (in cells of 32, as llama.cpp does), which
  // is several times faster than with the activations themselves.
  bool round_activations = true;
  std::filesystem::path packed_cache{};  // a file that keeps packed weights for the next start; empty: none
  tensor::KvFormat kv_format = tensor::KvFormat::kF16;  // of the cache of keys and values
};

// Not thread-safe: one thread calls Step and uses the cache. Immutable but for these.
class Model {
 public:
  // Keeps the file, whose mapped bytes are the weights. Errors: kUnimplemented "unsupported_architecture" or
  // "unsupported_model"; kInvalidArgument "invalid_model_file" naming key or tensor; kInvalidArgument for options that
  // cannot be; kFailedPrecondition for an instruction set that the machine lacks (ATELIER_INSTRUCTION_SET);
  // kResourceExhausted.
  static Result<std::unique_ptr<Model>> Load(std::shared_ptr<const tensor::GgufFile> file, const ModelOptions& options);
  virtual ~Model() = default;

  virtual const ModelConfig& config() const = 0;
  virtual int64_t max_context() const = 0;
  virtual KvCache& cache() = 0;
  // Those of the steps; idle between them, for loops of the thread that calls Step.
  virtual ThreadPool& threads() = 0;
  // Answers with one number or more for the hidden row of a sequence (Classify): a reranker or classifier.
  virtual size_t classes() const = 0;  // 0: it cannot

  // Runs all items' tokens and appends them to their sequences. `output` then has item i's rows, logits or activations
  // after the last norm, until the next step. A row's numbers are the same bits whatever else is in the batch, however
  // a sequence was cut into steps, and for every number of threads. Encoders take a whole text at once, in an empty
  // sequence.
  // Errors, and then no sequence has changed: kInvalidArgument (no items, no tokens, a token beyond the vocabulary, a
  // sequence twice, logits of an encoder, part of a text to an encoder, a decoder's
  // sequence without its text, more tokens than max_step_tokens), kOutOfRange
  // "context_length_exceeded", kResourceExhausted "kv_cache_full".
  virtual Status Step(std::span<const StepItem> items, StepOutput& output) = 0;

  // An adapter for sequences of this model (NewSequence in adapter.h), which borrows the model's weights. Unlike the
  // rest, from any thread. Errors: those of Adapter::Load; kUnimplemented for encoder-decoder models.
  virtual Result<std::shared_ptr<const Adapter>> LoadAdapter(const tensor::GgufFile& file) = 0;

  // Encodes a text for an empty sequence of an encoder-decoder model, whose steps then attend to it; `output` has the
  // encoder's activations, item 0. Errors: kUnimplemented (no such model), and as Step.
  virtual Status Encode(Sequence& sequence, std::span<const int32_t> tokens, StepOutput& output) = 0;

  // The classification head's answer for pooled activations [width]: logits, [classes]. Errors: kUnimplemented where
  // there is none.
  virtual Status Classify(std::span<const float> pooled, std::span<float> logits) = 0;
};

}  // namespace atelier::engine
