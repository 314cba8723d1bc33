// Policies of the schedule, on a machine that only counts: no model, and a clock that goes by what steps cost.
#include "engine/service/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "engine/service/language.h"

namespace atelier::engine {
namespace {

constexpr size_t kPage = 16;
constexpr int64_t kDecodeMs = 10;  // of a step that decodes; 1 ms more for every token of a prompt

std::unique_ptr<Language> SmallLanguage() {
  text::TokenizerSpec spec;
  spec.kind = text::TokenizerKind::kByteLevelBpe;
  spec.pre = "gpt-2";
  spec.tokens = {"a", "b"};
  auto language = Language::Make(std::move(spec), "");
  EXPECT_TRUE(language.ok()) << language.error().message;
  return std::move(*language);
}

std::vector<int32_t> Tokens(size_t count, int32_t first) {
  std::vector<int32_t> tokens(count);
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

class Machine {
 public:
  explicit Machine(size_t pages = 4096, size_t max_running = 16)
      : language_(SmallLanguage()),
        cache_(KvCache::Make(
                   {.layers = 1, .heads = 1, .key_size = 1, .value_size = 1, .page_positions = kPage, .pages = pages})
                   .value()),
        schedule_(*cache_, {.max_running = max_running}, clock_) {}

  // A request for `answer` tokens; its name.
  uint64_t Ask(const std::vector<int32_t>& prompt, size_t answer, const std::string& project = "") {
    auto task = std::make_unique<Task>();
    task->order = ++asked_;
    task->prepared.emplace();
    task->prepared->prompt.tokens = prompt;
    task->queued_ns = clock_.MonotonicNs();
    task->share = schedule_.Enter(project);
    task->Begin(*language_);
    ends_[task->order] = {prompt.size() + answer, project};
    tasks_.push_back(std::move(task));
    return asked_;
  }

  void Step() {
    const auto items = schedule_.Next(tasks_);
    ASSERT_FALSE(items.empty());
    int64_t ms = 0;
    for (const ScheduledItem& item : items) {
      const bool decodes = item.item.tokens.size() == 1;
      computed_[item.choice->task.order] += item.item.tokens.size();
      served_[ends_[item.choice->task.order].second] += item.item.tokens.size();
      prompt_tokens_ += decodes ? 0 : item.item.tokens.size();
      ms += decodes ? 0 : static_cast<int64_t>(item.item.tokens.size());
      cache_->Append(*item.item.sequence, item.item.tokens);
    }
    ms += std::ranges::any_of(items, [](const auto& item) { return item.item.tokens.size() == 1; }) ? kDecodeMs : 0;
    for (const ScheduledItem& item : items) {
      Choice& choice = *item.choice;
      if (choice.sequence->length() == choice.history.size()) {
        choice.task.prompt_done = true;
        choice.history.push_back(static_cast<int32_t>(choice.task.order));
      }
    }
    std::erase_if(tasks_, [&](const auto& task) {
      const bool over = task->choices.front()->history.size() >= ends_[task->order].first;
      if (over) {
        cached_[task->order] = static_cast<size_t>(task->usage.cached_tokens);
      }
      return over;
    });
    clock_.AdvanceMs(ms);
    step_ms_ = ms;
    schedule_.Took(ms * 1'000'000);
  }

  // Ends it, as if it was cancelled.
  void End(uint64_t name) {
    std::erase_if(tasks_, [&](const auto& task) { return task->order == name; });
  }
  bool Has(uint64_t name) const {
    return std::ranges::any_of(tasks_, [&](const auto& task) { return task->order == name; });
  }
  const Task& Find(uint64_t name) const {
    return **std::ranges::find_if(tasks_, [&](const auto& task) { return task->order == name; });
  }
  int RunUntilDone(uint64_t name) {
    int steps = 0;
    for (; Has(name) && steps < 20000; ++steps) {
      Step();
    }
    return steps;
  }
  void RunAll() {
    for (int steps = 0; !tasks_.empty() && steps < 20000; ++steps) {
      ASSERT_NO_FATAL_FAILURE(Step());
    }
    EXPECT_TRUE(tasks_.empty());
  }

  size_t prompt_tokens() const { return prompt_tokens_; }  // computed
  size_t computed(uint64_t name) { return computed_[name]; }
  size_t cached(uint64_t name) { return cached_[name]; }
  size_t served(const std::string& project) { return served_[project]; }
  int64_t step_ms() const { return step_ms_; }
  size_t pages_in_use() const { return cache_->geometry().pages - cache_->free_pages() - cache_->reusable_pages(); }

 private:
  std::unique_ptr<Language> language_;
  std::unique_ptr<KvCache> cache_;
  ManualClock clock_;
  Schedule schedule_;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::map<uint64_t, std::pair<size_t, std::string>> ends_;  // how long the history becomes, and the project
  std::map<uint64_t, size_t> computed_;
  std::map<uint64_t, size_t> cached_;
  std::map<std::string, size_t> served_;
  uint64_t asked_ = 0;
  size_t prompt_tokens_ = 0;
  int64_t step_ms_ = 0;
};

std::vector<int32_t> Prefixed(size_t shared, size_t own, int32_t number) {
  auto prompt = Tokens(shared, 0);
  const auto rest = Tokens(own, 100'000 + number * 1000);
  prompt.insert(prompt.end(), rest.begin(), rest.end());
  return prompt;
}

TEST(Schedule, ACommonPrefixIsComputedOnce) {
  Machine machine;
  for (int32_t i = 0; i < 8; ++i) {
    machine.Ask(Prefixed(1000, 10, i), 20);
  }
  machine.RunAll();
  EXPECT_LE(machine.prompt_tokens(), 1000 + 8 * 10);
  EXPECT_EQ(machine.cached(1), 0U);
  for (uint64_t name = 2; name <= 8; ++name) {
    EXPECT_EQ(machine.cached(name), 1000U);
  }
  EXPECT_EQ(machine.pages_in_use(), 0U);
}

TEST(Schedule, TheSamePromptIsComputedOnceAlsoInTheMiddle) {
  Machine machine;
  machine.Ask(Prefixed(700, 0, 0), 5);
  machine.Step();
  machine.Step();
  for (int i = 0; i < 3; ++i) {
    machine.Ask(Prefixed(700, 0, 0), 5);  // the first is on its way
  }
  machine.RunAll();
  EXPECT_LE(machine.prompt_tokens(), 700 + 3 * kPage);
}

TEST(Schedule, WhoFollowsGoesOnWhenTheLeaderEnds) {
  Machine machine;
  std::vector<uint64_t> names;
  for (int32_t i = 0; i < 8; ++i) {
    names.push_back(machine.Ask(Prefixed(1000, 10, i), 20));
  }
  for (int i = 0; i < 3; ++i) {
    machine.Step();
    machine.End(names[static_cast<size_t>(i)]);
  }
  machine.RunAll();
  EXPECT_LE(machine.prompt_tokens(), 1000 + 8 * (10 + 2 * kPage));
}

TEST(Schedule, WhoFollowsGoesOnWhenPagesRunOut) {
  Machine machine(100);  // 1,600 positions; without sharing 8,000 would be wanted
  std::vector<uint64_t> names;
  for (int32_t i = 0; i < 8; ++i) {
    names.push_back(machine.Ask(Prefixed(500, 200, i), 200));
  }
  machine.RunAll();
  EXPECT_EQ(machine.pages_in_use(), 0U);
}

TEST(Schedule, PrefixesThatPartAreSharedAsFarAsTheyGo) {
  Machine machine;
  machine.Ask(Prefixed(320, 200, 0), 5);
  machine.Ask(Prefixed(320, 200, 1), 5);
  machine.Ask(Prefixed(160, 200, 2), 5);
  machine.RunAll();
  EXPECT_LE(machine.prompt_tokens(), 320 + 3 * (200 + kPage));
}

TEST(Schedule, StepsThatDecodeTakeAboutTheirTime) {
  Machine machine;
  machine.Ask(Tokens(32, 0), 400);
  while (machine.step_ms() != kDecodeMs) {
    machine.Step();
  }
  const uint64_t long_one = machine.Ask(Tokens(1500, 5000), 5);
  int steps = 0;
  for (; machine.computed(long_one) < 1400; ++steps) {
    machine.Step();
    EXPECT_LE(machine.step_ms(), 80) << steps;
    if (steps > 20) {
      EXPECT_GE(machine.step_ms(), 30);
      EXPECT_LE(machine.step_ms(), 50);
    }
  }
  EXPECT_LE(steps, 1400 / 25);
}

TEST(Schedule, ShortPromptsPassALongOneThatComesToItsTurn) {
  Machine machine;
  machine.Ask(Tokens(32, 0), 2000);
  for (int i = 0; i < 40; ++i) {
    machine.Step();
  }
  const uint64_t long_one = machine.Ask(Tokens(1500, 5000), 1);
  machine.Step();
  const uint64_t short_one = machine.Ask(Tokens(20, 90'000), 1);
  EXPECT_LE(machine.RunUntilDone(short_one), 3);
  // Short ones come on and on, and take all there is.
  for (int32_t i = 0; i < 300 && machine.Has(long_one); ++i) {
    machine.Ask(Tokens(60, 200'000 + 100 * i), 1);
    machine.Step();
  }
  EXPECT_FALSE(machine.Has(long_one));
  machine.RunAll();
}

TEST(Schedule, WithinAProjectWhoComesFirstIsAdmittedFirst) {
  Machine machine(4096, 2);
  std::vector<uint64_t> names;
  for (int32_t i = 0; i < 6; ++i) {
    names.push_back(machine.Ask(Tokens(16, 1000 * i), 50));
  }
  std::vector<int> steps;
  for (const uint64_t name : names) {
    steps.push_back(machine.RunUntilDone(name));
  }
  EXPECT_TRUE(std::ranges::all_of(steps, [](int count) { return count < 60; }));
}

TEST(Schedule, AFloodDelaysAnotherProjectsRequestByItsShareAtMost) {
  Machine machine;
  for (int32_t i = 0; i < 64; ++i) {
    machine.Ask(Tokens(100, 1000 * i), 300, "flood");
  }
  for (int i = 0; i < 50; ++i) {
    machine.Step();
  }
  const size_t before = machine.served("flood");
  const uint64_t single = machine.Ask(Tokens(100, 500'000), 50, "single");
  machine.Step();
  EXPECT_TRUE(machine.Find(single).admitted);  // at the cost of one of the sixteen
  const int steps = machine.RunUntilDone(single);
  EXPECT_LE(steps, 50 + 100 / 16 + 2);
  // It had a slot of its own, and the flood the fifteen others.
  EXPECT_EQ(machine.served("single"), 149U);
  EXPECT_GE(machine.served("flood") - before, 14U * 50U);
  machine.RunAll();
  EXPECT_EQ(machine.pages_in_use(), 0U);
}

TEST(Schedule, ProjectsThatBothWantMoreGetTheSame) {
  Machine machine(4096, 4);
  for (int32_t i = 0; i < 60; ++i) {
    machine.Ask(Tokens(30, 1000 * i), 30, "a");
  }
  for (int32_t i = 0; i < 20; ++i) {
    machine.Ask(Tokens(400, 100'000 + 1000 * i), 60, "b");
  }
  while (machine.served("a") < 3000) {
    ASSERT_NO_FATAL_FAILURE(machine.Step());
  }
  EXPECT_NEAR(static_cast<double>(machine.served("b")), 3000, 600);
  machine.RunAll();
}

TEST(Schedule, WhoComesBackNeitherOwesNorHasSaved) {
  FairShare shares;
  const auto busy = shares.Enter("busy");
  busy->served = 1000;
  auto other = shares.Enter("other");
  EXPECT_EQ(other->served, 1000U);
  EXPECT_EQ(shares.Enter("other"), other);
  other->served = 5000;
  other.reset();
  EXPECT_EQ(shares.Enter("other")->served, 1000U);
}

}  // namespace
}  // namespace atelier::engine
