#include "engine/service/scheduler.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace atelier::engine {
namespace {

// Why a task is to end now, if it is.
std::optional<Error> EndOf(const Task& task, int64_t now_ns) {
  if (task.cancelled->load()) {
    return MakeError(Code::kCancelled, "the request was cancelled", "cancelled");
  }
  if (now_ns >= task.deadline_ns) {
    return MakeError(Code::kDeadlineExceeded, "the request's time ran out before it was done", "timeout");
  }
  return std::nullopt;
}

void ReleaseFinished(Task& task) {
  for (const auto& choice : task.choices) {
    if (choice->answer.finished()) {
      choice->sequence.reset();
      choice->drafting.Release();
    }
  }
}

}  // namespace

void Scheduler::Add(std::unique_ptr<Task> task) {
  task->Begin(parts_.language);
  task->share = schedule_.Enter(task->prepared->request.project);
  const auto place = std::ranges::upper_bound(tasks_, task->order, {}, [](const auto& other) { return other->order; });
  tasks_.insert(place, std::move(task));
}

size_t Scheduler::running() const {
  size_t count = 0;
  for (const auto& task : tasks_) {
    count += static_cast<size_t>(
        std::ranges::count_if(task->choices, [](const auto& choice) { return choice->sequence != nullptr; }));
  }
  return count;
}

size_t Scheduler::Admitted() const {
  return static_cast<size_t>(std::ranges::count_if(tasks_, [](const auto& task) { return task->admitted; }));
}

size_t Scheduler::Sweep() {
  const int64_t now_ns = parts_.clock.MonotonicNs();
  std::vector<std::pair<std::unique_ptr<Task>, Error>> ended;
  for (auto& task : tasks_) {
    if (auto error = EndOf(*task, now_ns)) {
      ended.emplace_back(std::move(task), std::move(*error));
    }
  }
  std::erase(tasks_, nullptr);
  size_t waiting = 0;
  for (auto& [task, error] : ended) {
    waiting += task->admitted ? 0 : 1;
    task->End(std::move(error), now_ns);
  }
  return waiting;
}

void Scheduler::EndAll(const Error& error) {
  for (const auto& task : std::exchange(tasks_, {})) {
    task->End(error, parts_.clock.MonotonicNs());
  }
}

size_t Scheduler::Step() {
  if (tasks_.empty()) {
    return 0;
  }
  const int64_t begin_ns = parts_.clock.MonotonicNs();
  const size_t admitted = Admitted();
  std::vector<ScheduledItem> items = schedule_.Next(tasks_);
  const size_t newly = Admitted() - admitted;
  if (items.empty()) {  // cannot be: the oldest answer always fits
    Fail(*tasks_.front(), MakeError(Code::kResourceExhausted, "the cache of keys and values is full", "kv_cache_full"));
  } else {
    std::erase_if(items, [this](const ScheduledItem& item) { return !Encode(*item.choice); });
    if (!items.empty()) {
      speculation_.Extend(items);
      Run(items);
    }
    ++steps_;
  }
  Tell();
  schedule_.Took(parts_.clock.MonotonicNs() - begin_ns);
  return newly;
}

bool Scheduler::Encode(Choice& choice) {
  const PreparedRequest& prepared = *choice.task.prepared;
  if (!prepared.decoder_start || choice.sequence->memory() != nullptr) {
    return true;
  }
  auto status = parts_.model.Encode(*choice.sequence, prepared.prompt.tokens, output_);
  if (!status.ok()) {
    Fail(choice.task, std::move(status).error());
    return false;
  }
  return true;
}

// One step of the model, and what its answers draw.
Status Scheduler::Compute(std::span<const ScheduledItem> items) {
  std::vector<StepItem> step;
  for (const ScheduledItem& item : items) {
    step.push_back(item.item);
  }
  draws_.Begin(items);
  const int64_t begun_ns = parts_.clock.MonotonicNs();
  auto status = parts_.model.Step(step, output_);
  const int64_t took_ns = parts_.clock.MonotonicNs() - begun_ns;
  draws_.Await();
  if (status.ok()) {
    speculation_.NoteStep(items, took_ns);
    draws_.Sample(output_);
  }
  return status;
}

void Scheduler::Run(std::span<const ScheduledItem> items) {
  if (Compute(items).ok()) {
    for (size_t i = 0; i < items.size(); ++i) {
      Use(items[i], i);
    }
    return;
  }
  // One of them is to blame, and nothing has changed.
  for (const ScheduledItem& item : items) {
    if (auto status = Compute({&item, 1}); status.ok()) {
      Use(item, 0);
    } else {
      Fail(item.choice->task, std::move(status).error());
    }
  }
}

void Scheduler::Use(const ScheduledItem& item, size_t index) {
  Choice& choice = *item.choice;
  Task& task = choice.task;
  Status status;
  if (task.NeedsPromptRows()) {
    status = KeepPromptRows(item, index);
  }
  if (item.drafts > 0) {
    status = DrawDrafted(item, index);
    ReleaseFinished(task);
  } else if (status.ok() && choice.sequence->length() == choice.history.size()) {
    auto token = draws_.Take(index);
    status = task.prompt_done ? Take(choice, *std::move(token))
                              : FinishPrompt(choice, output_.Row(index, output_.rows(index) - 1), std::move(token));
    ReleaseFinished(task);
  }
  if (!status.ok()) {
    Fail(task, std::move(status).error());
  }
}

Status Scheduler::KeepPromptRows(const ScheduledItem& item, size_t index) {
  Task& task = item.choice->task;
  const GenerationRequest& request = task.prepared->request;
  const auto& tokens = task.prepared->prompt.tokens;
  const int32_t of_echo = request.echo ? request.sampling.top_logprobs.value_or(0) : 0;
  const int32_t top = std::max(request.prompt_logprobs.value_or(0), of_echo);
  const size_t begin = item.choice->sequence->length() - item.item.tokens.size() + item.item.output_from;
  for (size_t row = 0; row < output_.rows(index); ++row) {
    const size_t position = begin + row;
    if (position == task.prompt_rows.size() && position + 1 < tokens.size()) {
      ATELIER_ASSIGN(logprobs, ComputeLogprobs(output_.Row(index, row), tokens[position + 1], top));
      task.prompt_rows.push_back(std::move(logprobs));
    }
  }
  return {};
}

Status Scheduler::FinishPrompt(Choice& first, std::span<const float> logits,
                               std::optional<Result<SampledToken>> drawn) {
  Task& task = first.task;
  task.FinishPrompt(parts_.language, parts_.clock.MonotonicNs());
  prompt_tokens_ += static_cast<uint64_t>(task.usage.prompt_tokens);
  cached_tokens_ += static_cast<uint64_t>(task.usage.cached_tokens);
  for (const auto& choice : task.choices) {
    if (task.prepared->max_tokens == 0) {
      choice->answer.Finish(FinishReason::kLength, task.deltas);
      continue;
    }
    if (choice->index > 0 && schedule_.HasSlot(tasks_)) {
      choice->sequence = parts_.model.cache().Fork(*first.sequence);
    }
    ATELIER_TRY(Take(*choice, choice->index == 0 ? *std::move(drawn) : draws_.Draw(*choice, logits)));
  }
  return {};
}

Status Scheduler::Take(Choice& choice, Result<SampledToken> drawn) {
  ATELIER_ASSIGN(token, std::move(drawn));
  ++generated_tokens_;
  choice.history.push_back(token.id);
  if (auto& cursor = choice.drafting.cursor) {
    const size_t opening = choice.task.prepared->Opening().size();
    cursor->Follow(std::span<const int32_t>(choice.history).subspan(opening));
  }
  return choice.answer.Take(token, choice.task.deltas);
}

Status Scheduler::DrawDrafted(const ScheduledItem& item, size_t index) {
  Choice& choice = *item.choice;
  const auto drafts = item.item.tokens.last(item.drafts);
  size_t accepted = 0;
  ATELIER_TRY(Take(choice, draws_.Draw(choice, output_.Row(index, 0))));
  for (; accepted < drafts.size() && choice.history.back() == drafts[accepted]; ++accepted) {
    if (choice.answer.finished()) {
      break;
    }
    ATELIER_TRY(Take(choice, draws_.Draw(choice, output_.Row(index, accepted + 1))));
  }
  parts_.model.cache().Truncate(*choice.sequence, choice.history.size() - 1);
  speculation_.NoteDrawn(item, accepted);
  return {};
}

void Scheduler::Fail(Task& task, Error error) {
  if (std::ranges::find(failed_, &task, &std::pair<Task*, Error>::first) == failed_.end()) {
    failed_.emplace_back(&task, std::move(error));
  }
}

// Tells everybody of this step, and lets go of those that are done.
void Scheduler::Tell() {
  const auto failed = std::exchange(failed_, {});
  std::vector<std::pair<std::unique_ptr<Task>, Status>> ended;
  for (auto& task : tasks_) {
    const auto error = std::ranges::find(failed, task.get(), &std::pair<Task*, Error>::first);
    if (error != failed.end()) {
      ended.emplace_back(std::move(task), error->second);
    } else if (task->Finished()) {
      ended.emplace_back(std::move(task), Status());
    } else {
      task->Tell();
    }
  }
  std::erase(tasks_, nullptr);
  for (auto& [task, status] : ended) {
    task->End(std::move(status), parts_.clock.MonotonicNs());
  }
}

}  // namespace atelier::engine
