// A language model for tests: it says its prompt's words again, one a step, and misbehaves when asked to.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/generation.h"

namespace atelier::serving::testing {

// Words of a prompt that mean something.
inline constexpr std::string_view kCrashWord = "<crash>";      // the process ends
inline constexpr std::string_view kHangWord = "<hang>";        // no step is done any more
inline constexpr std::string_view kForeverWord = "<forever>";  // said again until cancelled
inline constexpr std::string_view kFloodWord = "<flood>";      // a MiB a step, until cancelled

class FakeGenerator final : public engine::Generator {
 public:
  explicit FakeGenerator(int step_us = 1000) : step_us_(step_us), thread_([this] { Loop(); }) {
    description_.architecture = "fake";
    description_.max_context = 64;
    description_.generates = true;
    description_.embeds = true;
    description_.fingerprint = "fp_fake";
  }
  ~FakeGenerator() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  const engine::GenerativeDescription& description() const override { return description_; }

  std::function<void()> Generate(engine::GenerationRequest request,
                                 std::shared_ptr<engine::GenerationSink> sink) override {
    auto job = std::make_shared<Job>();
    if (const auto* text = std::get_if<engine::TextPrompt>(&request.prompt)) {
      std::istringstream words(text->text);
      for (std::string word; words >> word;) {
        job->words.push_back(word);
      }
    }
    if (!request.adapter.empty() && !job->words.empty()) {
      job->words.insert(job->words.begin(), request.adapter + ":");  // whose words they are
    }
    job->sink = std::move(sink);
    job->usage.prompt_tokens = static_cast<int32_t>(job->words.size());
    {
      std::lock_guard lock(mutex_);
      if (!draining_ && !job->words.empty() && (request.adapter.empty() || adapters_.contains(request.adapter))) {
        jobs_.push_back(job);
        wake_.notify_one();
        return [job] { job->cancelled = true; };
      }
    }
    job->sink->OnDone(job->words.empty() ? InvalidArgument("the prompt is empty", "prompt")
                                         : Unavailable("the worker is ending", "draining"),
                      {});
    return [] {};
  }
  void Embed(engine::EmbeddingRequest request, std::function<void(Result<engine::EmbeddingAnswer>)> done) override {
    engine::EmbeddingAnswer answer;
    for (const auto& input : request.inputs) {
      const auto* text = std::get_if<engine::TextPrompt>(&input);
      answer.vectors.push_back({text == nullptr ? 0.0F : static_cast<float>(text->text.size()), 1.0F});
    }
    answer.prompt_tokens = 3;
    done(std::move(answer));
  }
  void Rerank(engine::RerankRequest, std::function<void(Result<engine::RerankAnswer>)> done) override {
    done(MakeError(Code::kUnimplemented, "the model does not rank", "model_not_supported"));
  }
  Result<engine::TokenizeAnswer> Tokenize(const engine::TokenizeRequest& request) override {
    engine::TokenizeAnswer answer;
    for (const char c : std::get<engine::TextPrompt>(request.prompt).text) {
      answer.tokens.push_back(static_cast<unsigned char>(c));
      answer.pieces.emplace_back(1, c);
    }
    answer.max_context = description_.max_context;
    return answer;
  }
  Result<std::string> Detokenize(const std::vector<int32_t>& tokens) override {
    return std::string(tokens.begin(), tokens.end());
  }
  // A folder with adapter.txt, which says "broken" of one that cannot be loaded; its bytes are those of the text.
  Result<engine::AdapterInfo> LoadAdapter(const std::string& name, const std::filesystem::path& folder) override {
    std::ifstream stream(folder / "adapter.txt");
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (text.empty() || text == "broken") {
      return InvalidArgument("tensor 'x' is broken", "x", "invalid_adapter");
    }
    std::lock_guard lock(mutex_);
    adapters_.insert(name);
    return engine::AdapterInfo{name, 4, static_cast<int64_t>(text.size())};
  }
  Status UnloadAdapter(const std::string& name) override {
    std::lock_guard lock(mutex_);
    return adapters_.erase(name) > 0 ? Status() : Status(NotFound("no such adapter", "adapter_not_found"));
  }
  Stats stats() const override {
    std::lock_guard lock(mutex_);
    Stats out;
    out.steps = steps_;
    out.running = static_cast<int>(jobs_.size());
    out.kv_used = jobs_.empty() ? 0 : 0.5;
    return out;
  }
  void Drain(std::function<void()> drained) override {
    {
      std::lock_guard lock(mutex_);
      draining_ = true;
      drained_.push_back(std::move(drained));
    }
    wake_.notify_one();
  }

 private:
  struct Job {
    std::vector<std::string> words;
    size_t said = 0;
    std::shared_ptr<engine::GenerationSink> sink;
    engine::GenerationUsage usage;
    std::atomic<bool> cancelled = false;
  };

  static engine::GenerationDelta Content(std::string text) {
    engine::GenerationDelta delta;
    delta.text = std::move(text);
    delta.tokens = 1;
    return delta;
  }

  // True when the job has ended.
  bool Step(Job& job) {
    if (job.cancelled) {
      job.sink->OnDone(MakeError(Code::kCancelled, "cancelled", "cancelled"), job.usage);
      return true;
    }
    if (job.said == job.words.size()) {
      engine::GenerationDelta finish;
      finish.kind = engine::GenerationDelta::Kind::kFinish;
      finish.finish = engine::FinishReason::kStop;
      job.sink->OnDeltas({finish});
      job.sink->OnDone({}, job.usage);
      return true;
    }
    const std::string& word = job.words[job.said];
    if (word == kCrashWord) {
      _exit(3);
    }
    while (word == kHangWord) {
      std::this_thread::sleep_for(std::chrono::seconds(1));
    }
    job.sink->OnDeltas({Content(word == kFloodWord ? std::string(1U << 20U, 'x') : word + " ")});
    ++job.usage.completion_tokens;
    if (word != kForeverWord && word != kFloodWord) {
      ++job.said;
    }
    return false;
  }

  void Loop() {
    std::unique_lock lock(mutex_);
    while (true) {
      if (jobs_.empty()) {
        for (const auto& drained : std::exchange(drained_, {})) {
          drained();
        }
        if (stopping_) {
          return;
        }
        wake_.wait(lock);
        continue;
      }
      const auto jobs = jobs_;
      lock.unlock();
      std::this_thread::sleep_for(std::chrono::microseconds(step_us_));
      std::vector<std::shared_ptr<Job>> ended;
      for (const auto& job : jobs) {
        if (Step(*job)) {
          ended.push_back(job);
        }
      }
      lock.lock();
      ++steps_;
      jobs_.remove_if([&](const auto& job) { return std::find(ended.begin(), ended.end(), job) != ended.end(); });
    }
  }

  int step_us_;
  engine::GenerativeDescription description_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::list<std::shared_ptr<Job>> jobs_;
  std::set<std::string> adapters_;
  std::vector<std::function<void()>> drained_;
  uint64_t steps_ = 0;
  bool draining_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

// Keeps what a generation says.
class KeptAnswer final : public engine::GenerationSink {
 public:
  void OnDeltas(std::vector<engine::GenerationDelta> deltas) override {
    std::lock_guard lock(mutex_);
    for (auto& delta : deltas) {
      text_ += delta.text;
      last_ = std::move(delta);
    }
    changed_.notify_all();
  }
  void OnDone(Status status, const engine::GenerationUsage& usage) override {
    std::lock_guard lock(mutex_);
    status_ = std::move(status);
    usage_ = usage;
    ++ends_;
    changed_.notify_all();
  }

  // False after 20 seconds.
  bool WaitEnd() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [this] { return ends_ > 0; });
  }
  bool WaitText() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [this] { return !text_.empty() || ends_ > 0; });
  }
  std::string text() const {
    std::lock_guard lock(mutex_);
    return text_;
  }
  // After the end:
  const Status& status() const { return status_; }
  const engine::GenerationUsage& usage() const { return usage_; }
  const engine::GenerationDelta& last() const { return last_; }
  int ends() const { return ends_; }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
  engine::GenerationDelta last_;
  Status status_;
  engine::GenerationUsage usage_;
  int ends_ = 0;
};

inline engine::GenerationRequest Say(std::string text) {
  engine::GenerationRequest request;
  request.prompt = engine::TextPrompt{std::move(text)};
  return request;
}

}  // namespace atelier::serving::testing
