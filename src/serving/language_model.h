// A generative model that answers, as those who ask it see it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/generation.h"
#include "serving/predictor.h"

namespace atelier::serving {

// Whose worker it is.
struct ServedBy {
  std::string deployment;
  std::string model_name;
  int64_t model_version = 0;
  std::string adapter{};  // that every request gets; empty: none
  std::shared_ptr<const Signature>
      signature;  // shared: the deployment may be replaced meanwhile; its `generative` is set
};

// One worker of a deployed model, kept from being drained for as long as this or a request of it lives: hold it for one
// request or conversation, not longer. Thread-safe; nothing blocks; callbacks come from threads of the manager, or
// before the return where a request does not reach the worker.
// Errors of all: those of the worker's Generator; kUnavailable "overloaded" | "worker_crashed"; kDeadlineExceeded.
class LanguageModel {
 public:
  virtual ~LanguageModel() = default;
  virtual const ServedBy& served_by() const = 0;
  const engine::GenerativeDescription& description() const { return *served_by().signature->generative; }

  // As engine::Generator::Generate: `sink` is told everything; returns what stops it, callable at any time, any number
  // of times, from any thread. OnDone tells what was used, after a stop too; where the worker crashed or the time ran
  // out, what had come until then. No timeout: the manager's.
  virtual std::function<void()> Generate(engine::GenerationRequest request,
                                         std::shared_ptr<engine::GenerationSink> sink,
                                         std::optional<int64_t> timeout_ms) = 0;
  virtual void Embed(engine::EmbeddingRequest request, std::function<void(Result<engine::EmbeddingAnswer>)> done) = 0;
  virtual void Rerank(engine::RerankRequest request, std::function<void(Result<engine::RerankAnswer>)> done) = 0;
  virtual void Tokenize(engine::TokenizeRequest request, std::function<void(Result<engine::TokenizeAnswer>)> done) = 0;
  virtual void Detokenize(std::vector<int32_t> tokens, std::function<void(Result<std::string>)> done) = 0;
};

}  // namespace atelier::serving
