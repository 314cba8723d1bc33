// What tests of the service share: models, a sink that waits, and deltas put together.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/testing/shared_data.h"
#include "engine/formats/llama2c.h"
#include "engine/service/generator.h"
#include "engine/testing/golden.h"

namespace atelier::engine::testing {

using Kind = GenerationDelta::Kind;

// One answer put together.
struct Told {
  std::string content{}, reasoning{};
  struct Call {
    std::string id{}, name{}, arguments{};
  };
  std::vector<Call> calls{};
  std::vector<int32_t> token_ids{};
  std::vector<TokenInfo> logprobs{};
  FinishReason finish = FinishReason::kNone;
  std::string stop_text{};
  std::optional<int32_t> stop_token{};
};

// Collects; checks that the order of calls is right. Thread-safe.
class Collector final : public GenerationSink {
 public:
  void OnDeltas(std::vector<GenerationDelta> deltas) override {
    std::lock_guard lock(mutex_);
    EXPECT_FALSE(done_);
    for (GenerationDelta& delta : deltas) {
      EXPECT_EQ(delta.kind == Kind::kPrompt, all_.empty());
      all_.push_back(std::move(delta));
    }
    changed_.notify_all();
  }
  void OnDone(Status status, const GenerationUsage& usage) override {
    std::lock_guard lock(mutex_);
    EXPECT_FALSE(done_);
    done_ = true;
    status_ = std::move(status);
    usage_ = usage;
    changed_.notify_all();
  }

  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
  }
  void WaitForDeltas(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_ || all_.size() >= count; });
  }
  size_t deltas() {
    std::lock_guard lock(mutex_);
    return all_.size();
  }
  bool done() {
    std::lock_guard lock(mutex_);
    return done_;
  }
  // After Wait.
  const Status& status() const { return status_; }
  const GenerationUsage& usage() const { return usage_; }
  const std::vector<GenerationDelta>& all() const { return all_; }
  Told answer(int32_t choice = 0) const;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  Status status_;
  GenerationUsage usage_;
  std::vector<GenerationDelta> all_;
};

inline Told Collector::answer(int32_t choice) const {
  Told told;
  for (const GenerationDelta& delta : all_) {
    if (delta.choice != choice || delta.kind == Kind::kPrompt) {
      continue;
    }
    EXPECT_EQ(told.finish, FinishReason::kNone);
    told.token_ids.insert(told.token_ids.end(), delta.token_ids.begin(), delta.token_ids.end());
    told.logprobs.insert(told.logprobs.end(), delta.logprobs.begin(), delta.logprobs.end());
    switch (delta.kind) {
      case Kind::kPrompt:
        break;
      case Kind::kContent:
        told.content += delta.text;
        break;
      case Kind::kReasoning:
        told.reasoning += delta.text;
        break;
      case Kind::kToolCallStart:
        told.calls.push_back({delta.tool_id, delta.tool_name, ""});
        break;
      case Kind::kToolCallArguments:
        told.calls.at(static_cast<size_t>(delta.tool_index)).arguments += delta.text;
        break;
      case Kind::kFinish:
        told.finish = delta.finish;
        told.stop_text = delta.text;
        told.stop_token = delta.stop_token;
        break;
    }
  }
  return told;
}

inline std::shared_ptr<Collector> Ask(Generator& generator, GenerationRequest request) {
  auto sink = std::make_shared<Collector>();
  generator.Generate(std::move(request), sink);
  return sink;
}
inline std::shared_ptr<Collector> AskAndWait(Generator& generator, GenerationRequest request) {
  auto sink = Ask(generator, std::move(request));
  sink->Wait();
  return sink;
}

inline GenerationRequest TextRequest(std::string text, int32_t max_tokens, float temperature = 0) {
  GenerationRequest request;
  request.prompt = TextPrompt{std::move(text)};
  request.max_tokens = max_tokens;
  request.sampling.temperature = temperature;
  request.return_token_ids = true;
  return request;
}

// A template in the manner of Qwen and Hermes, whose models call tools and, where `thinks`, think aloud.
inline std::string HermesTemplate(bool thinks) {
  return std::string(
             "{%- if tools %}{{ '<|im_start|>system\\n' }}{% for tool in tools %}{{ tool.function.name }}{% endfor %}"
             "{{ '<tool_call>\\n{\"name\": <function-name>, \"arguments\": <args-json-object>}\\n</tool_call>' }}"
             "{{ '<|im_end|>\\n' }}{%- endif %}"
             "{%- for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + "
             "'<|im_end|>\\n' }}{% endfor %}"
             "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n") +
         (thinks ? "<think>\\n' }}{% if false %}{{ '</think>' }}{% endif %}" : "' }}") + "{%- endif %}";
}

inline SystemClock& TestClock() {
  static SystemClock clock;
  return clock;
}

inline GeneratorOptions SmallOptions() {
  GeneratorOptions options;
  options.threads = 1;
  options.kv_bytes = 16U << 20U;
  options.max_running = 8;
  options.step_tokens = 32;
  return options;
}

inline std::filesystem::path Stories() { return SharedData() / "weights" / "llama2c_stories260K"; }
inline bool HasData() { return std::filesystem::exists(GoldenFolder() / "index.json"); }

inline std::unique_ptr<Generator> OpenFile(std::shared_ptr<const tensor::GgufFile> file,
                                           const GeneratorOptions& options = SmallOptions(),
                                           const std::string& chat_template = "") {
  auto files = ModelFilesOf(std::move(file));
  EXPECT_TRUE(files.ok());
  files->chat_template = chat_template;
  auto generator = MakeGenerator(std::move(*files), options, TestClock());
  EXPECT_TRUE(generator.ok()) << generator.error().message;
  return generator.ok() ? std::move(*generator) : nullptr;
}

// stories260K; null without shared data.
inline std::unique_ptr<Generator> OpenStories(const GeneratorOptions& options = SmallOptions(),
                                              const std::string& chat_template = "") {
  auto file = ReadLlama2c(Stories() / "stories260K.bin", Stories() / "tok512.bin");
  return file.ok() ? OpenFile(std::move(*file), options, chat_template) : nullptr;
}

// A golden model, such as "qwen2-F32".
inline std::unique_ptr<Generator> OpenGolden(const std::string& name, const GeneratorOptions& options = SmallOptions(),
                                             const std::string& chat_template = "") {
  auto files = ReadModelFiles(GoldenFolder() / "models" / (name + ".gguf"));
  EXPECT_TRUE(files.ok()) << files.error().message;
  files->chat_template = chat_template;
  auto generator = MakeGenerator(std::move(*files), options, TestClock());
  EXPECT_TRUE(generator.ok()) << generator.error().message;
  return generator.ok() ? std::move(*generator) : nullptr;
}

// Waits until nothing runs and no page is held.
inline ::testing::AssertionResult BecomesIdle(const Generator& generator) {
  for (int i = 0; i < 2000; ++i) {
    const auto stats = generator.stats();
    if (stats.running == 0 && stats.waiting == 0 && stats.kv_used == 0) {
      return ::testing::AssertionSuccess();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const auto stats = generator.stats();
  return ::testing::AssertionFailure() << "running " << stats.running << ", waiting " << stats.waiting << ", pages "
                                       << stats.kv_used;
}

}  // namespace atelier::engine::testing
