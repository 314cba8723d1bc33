#include "engine/service/schedule.h"

#include <algorithm>

namespace atelier::engine {
namespace {

// The unfinished answers, oldest first.
std::vector<Choice*> Unfinished(std::span<const std::unique_ptr<Task>> tasks) {
  std::vector<Choice*> choices;
  for (const auto& task : tasks) {
    for (const auto& choice : task->choices) {
      if (!choice->answer.finished()) {
        choices.push_back(choice.get());
      }
    }
  }
  return choices;
}

size_t Running(std::span<Choice* const> choices) {
  return static_cast<size_t>(
      std::ranges::count_if(choices, [](const Choice* choice) { return choice->sequence != nullptr; }));
}

}  // namespace

// Pages that the answer still needs for what it has to compute, and for one token more.
size_t Schedule::Unfilled(const Choice& choice) const {
  const size_t size = cache_.geometry().page_positions;
  const size_t wanted = (choice.history.size() + size) / size;
  return wanted - std::min(wanted, choice.sequence->pages().size());
}

bool Schedule::AdmitOne(Choice& choice, size_t running, size_t promised) {
  Task& task = choice.task;
  choice.sequence = NewSequence(cache_, task.adapter);
  const size_t reused =
      limits_.reuse_prefixes && !task.NeedsPromptRows() ? cache_.Reuse(*choice.sequence, choice.history) : 0;
  // One page more for each that runs, so that nobody is let in only to be thrown out at the next token.
  const size_t available = cache_.free_pages() + cache_.reusable_pages();
  if (running > 0 && Unfilled(choice) + promised + running > available) {
    choice.sequence.reset();
    return false;
  }
  if (!task.admitted) {
    task.admitted = true;
    task.admitted_ns = clock_.MonotonicNs();
    task.usage.cached_tokens = static_cast<int32_t>(reused);
  }
  return true;
}

void Schedule::Admit(std::span<Choice* const> choices) {
  size_t running = Running(choices);
  size_t promised = 0;
  for (const Choice* choice : choices) {
    promised += choice->sequence != nullptr ? Unfilled(*choice) : 0;
  }
  for (Choice* choice : choices) {
    if (running >= limits_.max_running) {
      return;
    }
    if (choice->sequence == nullptr) {
      if (!AdmitOne(*choice, running, promised)) {
        return;
      }
      ++running;
      promised += Unfilled(*choice);
    }
  }
}

bool Schedule::TakeFromYoungest(std::span<const std::unique_ptr<Task>> tasks) {
  const auto choices = Unfinished(tasks);
  for (size_t i = choices.size(); i > 0; --i) {
    if (choices[i - 1]->sequence != nullptr) {
      choices[i - 1]->sequence.reset();
      return true;
    }
  }
  return false;
}

bool Schedule::HasSlot(std::span<const std::unique_ptr<Task>> tasks) const {
  return Running(Unfinished(tasks)) < limits_.max_running;
}

// Room for answer number `at`, if need be at the cost of younger ones, at last of itself.
bool Schedule::Reserve(std::span<Choice* const> choices, size_t at, size_t count) {
  while (!cache_.Reserve(*choices[at]->sequence, count).ok()) {
    size_t youngest = choices.size() - 1;
    while (choices[youngest]->sequence == nullptr) {
      --youngest;
    }
    choices[youngest]->sequence.reset();
    if (youngest == at) {
      return false;
    }
  }
  return true;
}

StepItem Schedule::ItemOf(const Choice& choice, size_t count) const {
  StepItem item{choice.sequence.get(), choice.Pending().first(count), OutputKind::kLogits, count - 1};
  if (choice.task.NeedsPromptRows()) {
    const size_t done = choice.task.prompt_rows.size();  // rows from this position on are missing
    const size_t begin = choice.sequence->length();
    item.output_from = done > begin ? std::min(done - begin, count - 1) : 0;
  } else if (count < choice.Pending().size()) {
    item.output = OutputKind::kNone;
    item.output_from = 0;
  }
  return item;
}

std::vector<ScheduledItem> Schedule::Next(std::span<const std::unique_ptr<Task>> tasks) {
  const auto choices = Unfinished(tasks);
  Admit(choices);
  const bool decodes = std::ranges::any_of(
      choices, [](const Choice* choice) { return choice->sequence != nullptr && choice->Pending().size() == 1; });
  size_t budget = decodes ? limits_.shared_tokens : limits_.step_tokens;
  std::vector<ScheduledItem> items;
  for (size_t i = 0; i < choices.size(); ++i) {
    Choice& choice = *choices[i];
    if (choice.sequence == nullptr) {
      continue;
    }
    size_t count = choice.Pending().size();
    if (count > 1) {
      count = std::min(count, budget);
      count = choice.task.NeedsPromptRows() ? std::min(count, limits_.row_tokens) : count;
      budget -= count;
    }
    if (count > 0 && Reserve(choices, i, count)) {
      items.push_back({&choice, ItemOf(choice, count)});
    }
  }
  return items;
}

}  // namespace atelier::engine
