// Texts that become one vector or one score each: embeddings and rerankings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/generation.h"
#include "engine/model.h"
#include "engine/service/language.h"

namespace atelier::engine {

struct PoolingJob {
  std::vector<std::vector<int32_t>> texts{};  // tokens; none is empty
  bool scores = false;                        // a score of each, not a vector
  int32_t dimensions = 0;                     // 0: all
  bool normalise = true;
  std::shared_ptr<const Adapter> adapter{};   // shared: it may be unloaded meanwhile
  std::vector<std::vector<float>> answers{};  // of the texts, in order, as far as they are there
  std::function<void(Result<std::vector<std::vector<float>>>)> done{};
  size_t next = 0;  // the first text that is not under way
};

// What is asked, as texts. Errors: kInvalidArgument naming the field, "context_length_exceeded".
Result<PoolingJob> PrepareEmbedding(const EmbeddingRequest& request, const Language& language, int64_t max_context,
                                    int64_t width);
Result<PoolingJob> PrepareRerank(const RerankRequest& request, const Language& language, int64_t max_context);

// Runs them, each text as a whole, several in a step. For the engine thread. Borrows the model.
class PoolingJobs {
 public:
  // `give_pages` frees pages of the cache where that is possible.
  PoolingJobs(Model& model, size_t step_tokens, std::function<bool()> give_pages)
      : model_(model), step_tokens_(step_tokens), give_pages_(std::move(give_pages)) {}

  void Add(std::unique_ptr<PoolingJob> job) { jobs_.push_back(std::move(job)); }
  // One step, if there is anything to do.
  void Step();
  void EndAll(const Error& error);
  bool idle() const { return jobs_.empty(); }
  uint64_t steps() const { return steps_; }

 private:
  struct Text {
    PoolingJob* job = nullptr;
    size_t index = 0;
    std::unique_ptr<Sequence> sequence{};
  };

  std::vector<Text> Take();
  Status Reserve(Sequence& sequence, size_t count, bool must);
  Status Run(std::span<Text> texts);
  Status Keep(const Text& text, size_t item);
  void Fail(PoolingJob* job, const Error& error);
  void Finish();
  Pooling pooling() const;

  Model& model_;
  const size_t step_tokens_;
  const std::function<bool()> give_pages_;
  StepOutput output_;
  uint64_t steps_ = 0;
  std::deque<std::unique_ptr<PoolingJob>> jobs_;
};

}  // namespace atelier::engine
