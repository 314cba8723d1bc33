#include "engine/service/schedule.h"

#include <algorithm>
#include <set>
#include <utility>

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

bool Schedule::SharesPrefixes(const Choice& choice) const {
  return limits_.reuse_prefixes && !choice.task.NeedsPromptRows();
}

bool Schedule::AdmitOne(Choice& choice, const Standing& standing) {
  Task& task = choice.task;
  choice.sequence = NewSequence(cache_, task.adapter, task.Tenant());
  const size_t reused = SharesPrefixes(choice) ? cache_.Reuse(*choice.sequence, choice.history) : 0;
  // One page more for each that runs, so that nobody is let in only to be thrown out at the next token.
  const size_t available = cache_.free_pages() + cache_.reusable_pages();
  if (standing.running > 0 && Unfilled(choice) + standing.promised_pages + standing.running > available) {
    choice.sequence.reset();
    return false;
  }
  if (!task.admitted) {
    task.admitted = true;
    task.admitted_ns = clock_.MonotonicNs();
  }
  if (!task.prompt_done) {
    task.usage.cached_tokens = static_cast<int32_t>(reused);
  }
  return true;
}

// Lets the youngest answer of a project that has more than its part of the slots make room for one of a project that
// has less; false where there is none.
bool Schedule::SetAside(Choices choices, const Choice& newcomer) const {
  std::set<const Share*> projects;
  for (const Choice* choice : choices) {
    projects.insert(choice->task.share.get());
  }
  const size_t part = std::max<size_t>(1, limits_.max_running / projects.size());
  if (newcomer.task.share->running >= part) {
    return false;
  }
  Choice* last = nullptr;
  for (Choice* choice : choices) {
    const size_t running = choice->task.share->running;
    if (choice->sequence != nullptr && running > part && (last == nullptr || running >= last->task.share->running)) {
      last = choice;
    }
  }
  if (last != nullptr) {
    last->sequence.reset();
  }
  return last != nullptr;
}

// Of the project that was served least, what its running answers still have to compute included; its oldest.
Choice* Schedule::NextToAdmit(Choices choices) {
  Choice* next = nullptr;
  for (Choice* choice : choices) {
    const Share& share = *choice->task.share;
    if (choice->sequence == nullptr &&
        (next == nullptr || share.served + share.promised < next->task.share->served + next->task.share->promised)) {
      next = choice;
    }
  }
  return next;
}

Schedule::Standing Schedule::Count(Choices choices) const {
  for (const Choice* choice : choices) {
    *choice->task.share = {.served = choice->task.share->served};
  }
  Standing standing;
  for (const Choice* choice : choices) {
    if (choice->sequence != nullptr) {
      ++choice->task.share->running;
      choice->task.share->promised += choice->Pending().size();
      ++standing.running;
      standing.promised_pages += Unfilled(*choice);
    }
  }
  return standing;
}

void Schedule::Admit(Choices choices) {
  Standing standing = Count(choices);
  while (Choice* next = NextToAdmit(choices)) {
    while (standing.running >= limits_.max_running || !AdmitOne(*next, standing)) {
      if (!SetAside(choices, *next)) {
        return;
      }
      standing = Count(choices);
    }
    standing = Count(choices);
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
bool Schedule::Reserve(Choices choices, size_t at, size_t count) {
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

// Takes what others have computed meanwhile of the same prompts.
void Schedule::CatchUp(Choices choices) {
  for (Choice* choice : choices) {
    if (choice->sequence != nullptr && choice->Pending().size() > 1 && SharesPrefixes(*choice)) {
      const size_t taken = cache_.Reuse(*choice->sequence, choice->history);
      choice->task.usage.cached_tokens += choice->task.prompt_done ? 0 : static_cast<int32_t>(taken);
    }
  }
}

// Whether somebody who takes tokens in this step is about to compute the answer's next page. Whoever is asked first
// goes on, so one of those that want a page always computes it.
bool Schedule::IsAwaited(const Choice& choice, Choices choices, std::span<const size_t> counts) const {
  const size_t size = cache_.geometry().page_positions;
  const size_t begin = choice.sequence->length() / size * size;
  if (!SharesPrefixes(choice) || choice.history.size() <= begin + size) {
    return false;
  }
  const auto page = std::span(choice.history).subspan(begin, size);
  for (size_t i = 0; i < choices.size(); ++i) {
    const Choice& other = *choices[i];
    const bool computes =
        counts[i] > 0 && other.history.size() >= begin + size && !other.task.NeedsPromptRows();  // these are slow
    if (computes && cache_.Abreast(*other.sequence, *choice.sequence) &&
        std::ranges::equal(page, std::span(other.history).subspan(begin, size))) {
      return true;
    }
  }
  return false;
}

// Of those that have more than one token to compute.
std::vector<size_t> Schedule::OrderOfPrompts(Choices choices) const {
  std::vector<size_t> order;
  for (size_t i = 0; i < choices.size(); ++i) {
    if (choices[i]->sequence != nullptr && choices[i]->Pending().size() > 1) {
      order.push_back(i);
    }
  }
  std::ranges::stable_sort(order, {}, [&](size_t i) {
    const Choice& choice = *choices[i];
    return std::pair(choice.task.share->served, ServiceTime(choice.task.queued_ns, choice.Pending().size(), cost_));
  });
  return order;
}

// How many tokens each takes in this step.
std::vector<size_t> Schedule::Divide(Choices choices) {
  std::vector<size_t> counts(choices.size(), 0);
  step_ = {};
  for (size_t i = 0; i < choices.size(); ++i) {
    if (choices[i]->sequence != nullptr && choices[i]->Pending().size() == 1) {
      counts[i] = 1;
      ++step_.decoded;
    }
  }
  const std::vector<size_t> prompts = OrderOfPrompts(choices);
  size_t budget = PromptTokens(cost_, step_.decoded, prompts.size(), limits_.targets);
  for (const size_t i : prompts) {
    const Choice& choice = *choices[i];
    if (budget > 0 && !IsAwaited(choice, choices, counts)) {
      counts[i] = std::min(choice.Pending().size(), budget);
      counts[i] = choice.task.NeedsPromptRows() ? std::min(counts[i], limits_.row_tokens) : counts[i];
      budget -= counts[i];
      step_.prompt_tokens += counts[i];
    }
  }
  for (size_t i = 0; i < choices.size(); ++i) {
    choices[i]->task.share->served += counts[i];
  }
  return counts;
}

std::vector<ScheduledItem> Schedule::Next(std::span<const std::unique_ptr<Task>> tasks) {
  const auto choices = Unfinished(tasks);
  Admit(choices);
  CatchUp(choices);
  std::vector<ScheduledItem> items;
  // When all that had tokens to take gave up their pages to older ones that had none, these go on.
  while (items.empty() && Running(choices) > 0) {
    const std::vector<size_t> counts = Divide(choices);
    for (size_t i = 0; i < choices.size(); ++i) {
      if (counts[i] > 0 && choices[i]->sequence != nullptr && Reserve(choices, i, counts[i])) {
        items.push_back({choices[i], ItemOf(*choices[i], counts[i])});
      }
    }
  }
  return items;
}

void Schedule::Took(int64_t ns) {
  step_.ns = ns;
  cost_ = Learn(cost_, std::exchange(step_, {}));
}

}  // namespace atelier::engine
