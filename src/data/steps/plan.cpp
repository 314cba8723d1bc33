#include "data/steps/plan.h"

#include <algorithm>
#include <set>

#include "base/json.h"

namespace atelier::data::steps {
namespace {

constexpr int64_t kMaxSeed = 9007199254740991;

Status CheckColumns(const Schema& schema, const std::string& path) {
  if (schema.columns.empty()) {
    return InvalidArgument(path + " leaves no column", path);
  }
  if (schema.columns.size() > kMaxColumns) {
    return InvalidArgument(path + " makes more than " + std::to_string(kMaxColumns) + " columns", path);
  }
  std::set<std::string_view> names;
  for (const SchemaColumn& column : schema.columns) {
    if (column.name.empty() || column.name.size() > kMaxNameBytes) {
      return InvalidArgument(path + " makes a column whose name is empty or has more than 256 bytes", path);
    }
    if (!names.insert(column.name).second) {
      return InvalidArgument(path + " makes a second column '" + column.name + "'", path);
    }
  }
  return {};
}

Result<BoundStep> BindOne(const json::value& item, size_t index, uint64_t seed, Schema& schema) {
  const std::string path = "steps[" + std::to_string(index) + "]";
  const json::object* object = item.if_object();
  if (object == nullptr) {
    return InvalidArgument("'" + path + "' must be an object with 'step' and its parameters", path);
  }
  Fields fields(*object, path);
  ATELIER_ASSIGN(name, fields.String("step", 64));
  BoundStep bound;
  bound.kind = FindStepKind(name);
  if (bound.kind == nullptr) {
    std::string names;
    for (const StepKind* kind : StepKinds()) {
      names += (names.empty() ? "" : ", ") + std::string(kind->name);
    }
    return InvalidArgument("there is no step '" + name + "'; the steps are: " + names, path + ".step");
  }
  ATELIER_ASSIGN(arguments, CheckArguments(*bound.kind, *object, index, seed, schema));
  ATELIER_ASSIGN(step, bound.kind->make(arguments, schema));
  schema.Settle();
  ATELIER_TRY(CheckColumns(schema, path));
  bound.canonical = arguments.canonical();
  bound.touched = arguments.touched();
  for (const size_t column : step->AlsoTouches()) {
    bound.touched.push_back(column);
  }
  bound.fitted = (step->effects() & kFits) == 0;
  bound.step = std::move(step);
  return bound;
}

}  // namespace

Result<std::vector<BoundStep>> Bind(const json::array& steps, uint64_t seed, const Schema& schema, const States& states,
                                    const std::filesystem::path& folder) {
  if (steps.size() > kMaxSteps) {
    return InvalidArgument("'steps' takes at most " + std::to_string(kMaxSteps) + " steps", "steps");
  }
  std::vector<BoundStep> out;
  Schema current = schema;
  for (size_t i = 0; i < steps.size(); ++i) {
    ATELIER_ASSIGN(bound, BindOne(steps[i], i, seed, current));
    if (i < states.size() && states[i]) {
      ATELIER_TRY(bound.step->Load(*states[i], folder, current));
      bound.fitted = true;
    }
    out.push_back(std::move(bound));
  }
  if (!out.empty()) {
    out.back().after = std::move(current);
  }
  return out;
}

Result<Request> CheckRequest(const json::object& object, const Schema& schema) {
  Fields fields(object);
  Request out;
  ATELIER_ASSIGN(seed, fields.IntOr("seed", 1, 0, kMaxSeed));
  ATELIER_ASSIGN(steps, fields.ArrayOr("steps", kMaxSteps));
  ATELIER_TRY(fields.RejectUnknown());
  if (steps == nullptr) {
    return InvalidArgument("'steps' is missing: a list of steps", "steps", "missing_required_parameter");
  }
  out.seed = static_cast<uint64_t>(seed);
  ATELIER_ASSIGN(bound, Bind(*steps, out.seed, schema));
  for (BoundStep& step : bound) {
    out.steps.push_back(std::move(step.canonical));
  }
  return out;
}

std::vector<Role> PlanPass(std::span<const BoundStep> steps) {
  constexpr unsigned kMoves = kChangesRows | kChangesLayout;
  std::vector<Role> roles;
  std::set<size_t> stale;  // columns that do not have the values yet that they would have here
  bool stale_split = false;
  bool observes = false;
  for (const BoundStep& step : steps) {
    const unsigned effects = step.step->effects();
    const bool blocked = ((effects & kReadsSplit) != 0 && stale_split) ||
                         std::ranges::any_of(step.touched, [&](size_t column) { return stale.contains(column); });
    const bool skip = blocked || !step.fitted;
    // Behind a step that cannot be applied yet there are other rows, or other columns in a stale one's place.
    if ((effects & kMoves) != 0 && (blocked || ((effects & kChangesLayout) != 0 && step.fitted && !stale.empty()))) {
      break;
    }
    roles.push_back(!skip ? Role::kApply : blocked ? Role::kSkip : Role::kObserve);
    observes = observes || roles.back() == Role::kObserve;
    if (skip) {
      stale.insert(step.touched.begin(), step.touched.end());
      stale_split = stale_split || (effects & kWritesSplit) != 0;
      if ((effects & kMoves) != 0) {
        break;
      }
    }
  }
  while (observes && roles.back() != Role::kObserve) {
    roles.pop_back();  // what comes behind the last one that looks on is for nothing
  }
  return roles;
}

int CountPasses(std::vector<BoundStep>& steps) {
  std::vector<bool> before;
  for (const BoundStep& step : steps) {
    before.push_back(step.fitted);
  }
  int passes = 1;
  while (std::ranges::any_of(steps, [](const BoundStep& step) { return !step.fitted; })) {
    const std::vector<Role> roles = PlanPass(steps);
    for (size_t i = 0; i < roles.size(); ++i) {
      steps[i].fitted = steps[i].fitted || roles[i] == Role::kObserve;
    }
    ++passes;
  }
  for (size_t i = 0; i < steps.size(); ++i) {
    steps[i].fitted = before[i];
  }
  return passes;
}

}  // namespace atelier::data::steps
