// A list of steps over a table: checked, bound to its columns, and which of them one pass over the data can do.
#pragma once

#include <boost/json.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "data/steps/step.h"

namespace atelier::data::steps {

inline constexpr size_t kMaxSteps = 200;

struct BoundStep {
  const StepKind* kind = nullptr;
  boost::json::object canonical;
  std::vector<size_t> touched;  // columns of the schema before it
  bool fitted = true;
  Schema after;  // of the last step of a list alone
  std::unique_ptr<Step> step;
};

// What the fitted steps have found, a step; nothing where it needs no fit or has none yet.
using States = std::vector<std::optional<boost::json::object>>;

// Binds the steps one after another. `states` is empty or has an entry a step. Errors: kInvalidArgument naming
// "steps[i]" and its parameter.
Result<std::vector<BoundStep>> Bind(const boost::json::array& steps, uint64_t seed, const Schema& schema,
                                    const States& states = {}, const std::filesystem::path& folder = {});

struct Request {
  boost::json::array steps;  // canonical: each parameter with its value
  uint64_t seed = 1;
};
// Checks {"steps": [...], "seed": n} against a table, field by field; unknown fields are refused.
Result<Request> CheckRequest(const boost::json::object& object, const Schema& schema);

// What one pass does with each step: it applies or observes a step, or leaves it out for a later pass. Steps behind
// the end of `roles` do not see the rows at all.
enum class Role { kApply, kObserve, kSkip };
std::vector<Role> PlanPass(std::span<const BoundStep> steps);

// How many passes are needed, the last one included.
int CountPasses(std::vector<BoundStep>& steps);

}  // namespace atelier::data::steps
