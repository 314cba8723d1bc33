// A request under way: its answers, what its reader is to be told, and what it used.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/adapter.h"
#include "engine/generation.h"
#include "engine/kv_cache.h"
#include "engine/service/answer.h"
#include "engine/service/fair_share.h"
#include "engine/service/preparation.h"
#include "engine/service/speculation/drafting.h"

namespace atelier::engine {

struct Task;

// One answer's tokens. It is computed while it holds a sequence; without one it waits, and loses nothing but time: the
// tokens that its next sequence has not seen yet are computed again.
struct Choice {
  Choice(Task& of, const Language& language, int32_t number);

  Task& task;
  const int32_t index;
  std::vector<int32_t> history;  // prompt and answer so far
  Answer answer;
  std::unique_ptr<Sequence> sequence{};
  Drafting drafting{};

  // Tokens that the sequence has to take before the next one can be drawn; at least one.
  std::span<const int32_t> Pending() const { return std::span(history).subspan(sequence->length()); }
};

// For the engine thread alone, but for `cancelled`.
struct Task {
  uint64_t order = 0;  // of arrival: who came first goes first
  std::shared_ptr<GenerationSink> sink{};
  std::shared_ptr<const std::atomic<bool>> cancelled{};  // shared with the function that cancels
  std::optional<PreparedRequest> prepared{};
  std::shared_ptr<const Adapter> adapter{};        // the request's; shared: it may be unloaded meanwhile
  std::shared_ptr<Share> share{};                  // its project's; shared by the project's tasks
  std::optional<Error> refused{};                  // what is to be told instead
  bool has_place = false;                          // in the queue
  std::vector<std::unique_ptr<Choice>> choices{};  // the first only, until the prompt is computed
  bool admitted = false;
  bool prompt_done = false;
  std::vector<Logprobs> prompt_rows{};    // of the prompt's tokens from the second on, where they are wanted
  std::vector<GenerationDelta> deltas{};  // not told yet
  GenerationUsage usage{};
  int64_t queued_ns = 0;  // when it came
  int64_t deadline_ns = std::numeric_limits<int64_t>::max();
  int64_t admitted_ns = 0;
  int64_t prompt_ns = 0;

  // Whether log probabilities of the prompt are still missing, so that it has to be computed, not found in the cache.
  bool NeedsPromptRows() const { return !prompt_done && prepared->WantsPromptRows(); }
  // Whose prefixes it may share.
  uint64_t Tenant() const { return std::hash<std::string>()(prepared->request.project); }
  int32_t PromptTokens() const { return static_cast<int32_t>(prepared->prompt.tokens.size()); }
  bool Finished() const;
  // The first answer, without a sequence.
  void Begin(const Language& language);
  // The prompt is computed: says so, and adds the other answers.
  void FinishPrompt(const Language& language, int64_t now_ns);
  // Hands over what was gathered; at the end the last word, too.
  void Tell();
  void End(Status status, int64_t now_ns);

 private:
  std::vector<TokenInfo> PromptInfos(const Language& language, int32_t top) const;
};

}  // namespace atelier::engine
