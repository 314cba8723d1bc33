// A language model of tests: it remembers what it was asked and says what the test wants.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "serving/language_model.h"

namespace atelier::api::test {

using engine::GenerationDelta;
using Kind = engine::GenerationDelta::Kind;

inline GenerationDelta Delta(Kind kind, std::string text = "", int32_t choice = 0) {
  GenerationDelta delta;
  delta.kind = kind;
  delta.text = std::move(text);
  delta.choice = choice;
  return delta;
}
inline GenerationDelta Call(std::string id, std::string name, int32_t index = 0) {
  GenerationDelta delta = Delta(Kind::kToolCallStart);
  delta.tool_id = std::move(id);
  delta.tool_name = std::move(name);
  delta.tool_index = index;
  return delta;
}
inline GenerationDelta Finish(engine::FinishReason reason = engine::FinishReason::kStop, std::string text = "",
                              int32_t choice = 0) {
  GenerationDelta delta = Delta(Kind::kFinish, std::move(text), choice);
  delta.finish = reason;
  return delta;
}
inline engine::TokenInfo Token(int32_t id, std::string bytes, float logprob) {
  return {id, bytes, logprob, {{id, bytes, logprob}, {id + 1, "x", logprob - 1}}};
}

// Thread-safe.
class FakeLanguage final : public serving::LanguageModel {
 public:
  FakeLanguage() {
    auto signature = std::make_shared<serving::Signature>();
    signature->task = "text-generation";
    auto& description = signature->generative.emplace();
    description.architecture = "fake";
    description.max_context = 64;
    description.embedding_width = 2;
    description.generates = description.embeds = description.reranks = true;
    description.fingerprint = "fp_fake";
    served_by_.deployment = "chatty";
    served_by_.signature = signature;
  }
  const serving::ServedBy& served_by() const override { return served_by_; }

  std::function<void()> Generate(engine::GenerationRequest request, std::shared_ptr<engine::GenerationSink> sink,
                                 std::optional<int64_t> /*timeout_ms*/) override {
    std::unique_lock lock(mutex_);
    requests.push_back(request);
    sinks.push_back(sink);
    const auto answer = script;
    const Status outcome = status;
    const bool answers = !silent;
    changed_.notify_all();
    lock.unlock();
    if (answers) {
      if (!answer.empty()) {
        sink->OnDeltas(answer);
      }
      sink->OnDone(outcome, usage);
    }
    return [this] {
      std::lock_guard guard(mutex_);
      ++cancels;
      changed_.notify_all();
    };
  }
  void Embed(engine::EmbeddingRequest request, std::function<void(Result<engine::EmbeddingAnswer>)> done) override {
    engine::EmbeddingAnswer answer;
    answer.vectors.assign(request.inputs.size(), {0.5F, -1.0F});
    answer.prompt_tokens = 7;
    done(std::move(answer));
  }
  void Rerank(engine::RerankRequest request, std::function<void(Result<engine::RerankAnswer>)> done) override {
    engine::RerankAnswer answer;
    for (const auto& document : request.documents) {
      answer.scores.push_back(document == request.query ? 0.75F : 0.25F);
    }
    answer.prompt_tokens = 9;
    done(std::move(answer));
  }
  void Tokenize(engine::TokenizeRequest request, std::function<void(Result<engine::TokenizeAnswer>)> done) override {
    engine::TokenizeAnswer answer{{1, 2}, {"a", "\xff"}, 64};
    if (std::holds_alternative<engine::ChatPrompt>(request.prompt)) {
      answer.tokens.push_back(3);
    }
    done(std::move(answer));
  }
  void Detokenize(std::vector<int32_t> tokens, std::function<void(Result<std::string>)> done) override {
    done(std::string(tokens.begin(), tokens.end()));
  }

  // Until `is` holds, 5 seconds at most.
  bool WaitFor(const std::function<bool()>& is) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(5), is);
  }

  std::vector<GenerationDelta> script{Delta(Kind::kPrompt), Delta(Kind::kContent, "Hello"),
                                      Delta(Kind::kContent, " \"world\""), Finish()};
  Status status{};
  engine::GenerationUsage usage{5, 2, 3, 1, 1000, 2000, 3000};
  bool silent = false;  // says nothing by itself
  std::vector<engine::GenerationRequest> requests{};
  std::vector<std::shared_ptr<engine::GenerationSink>> sinks{};
  int cancels = 0;

 private:
  serving::ServedBy served_by_;
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace atelier::api::test
