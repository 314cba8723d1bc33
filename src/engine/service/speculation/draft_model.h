// A small model that says what a large one is likely to say next (Leviathan et al. 2023,
// https://arxiv.org/abs/2211.17192).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/model.h"
#include "engine/sampling/sampler.h"
#include "engine/service/language.h"
#include "engine/service/model_files.h"
#include "engine/service/task.h"

namespace atelier::engine {

// For the engine thread; borrows language and clock.
class DraftModel {
 public:
  // Errors: those of Model::Load; kInvalidArgument "draft_model_mismatch": its tokens are not those of `language`, or
  // it does not generate.
  static Result<std::unique_ptr<DraftModel>> Make(const ModelFiles& files, const ModelOptions& options,
                                                  const Language& language, const Clock& clock);

  struct Wish {
    Choice* choice = nullptr;
    size_t count = 0;  // at least one
  };
  // Appends up to so many tokens to each answer's drafting.tokens. It draws them as the answer will, with the same
  // random numbers, so that a model that agrees with the large one is always right. Fewer or none: while it still reads
  // the history (a part in each call), and where context, pages or vocabulary end.
  void Draft(std::span<const Wish> wishes);
  // Nanoseconds of one token, for all answers together; 0 as long as it is not known.
  double pass_ns() const { return pass_ns_; }
  // Whether it could draft for a history of so many tokens.
  bool Holds(size_t tokens) const { return tokens < context_; }

 private:
  struct Running {
    Wish wish;
    std::vector<int32_t> history;  // with what was drafted
  };

  DraftModel(std::unique_ptr<Model> model, const Language& language, const Clock& clock);
  // Makes the answer's sequence the longest beginning of its history that is known.
  void Align(Choice& choice);
  // Reads a part of the history if much of it is new; false: nothing can be drafted yet.
  bool Read(Choice& choice);
  // One token more for each; those that are done leave.
  void Pass(std::vector<Running>& running);
  bool Draw(Running& running, std::span<const float> logits);

  std::unique_ptr<Model> model_;
  const Language& language_;
  const Clock& clock_;
  size_t context_;
  double pass_ns_ = 0;
  Sampler sampler_;
  StepOutput output_;
};

}  // namespace atelier::engine
