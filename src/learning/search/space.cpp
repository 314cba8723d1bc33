#include "learning/search/space.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/json.h"
#include "base/rng.h"

namespace atelier::learning {
namespace {

constexpr size_t kMostDimensions = 32;
constexpr size_t kMostValues = 100;
constexpr double kMostBound = 1e12;
constexpr size_t kDrawsForOne = 50;  // before a search settles for fewer trials

Result<Dimension> RangeFromJson(const std::string& setting, const json::object& object) {
  Fields fields(object, "space." + setting);
  Dimension dimension{.setting = setting};
  ATELIER_ASSIGN(least, fields.Number("min", -kMostBound, kMostBound));
  ATELIER_ASSIGN(most, fields.Number("max", -kMostBound, kMostBound));
  ATELIER_ASSIGN(logarithmic, fields.BoolOr("log", false));
  ATELIER_ASSIGN(whole, fields.BoolOr("integer", false));
  ATELIER_TRY(fields.RejectUnknown());
  if (least >= most) {
    return InvalidArgument("'" + fields.Path("max") + "' must be above 'min'", fields.Path("max"));
  }
  if (logarithmic && least <= 0) {
    return InvalidArgument("'" + fields.Path("min") + "' must be above 0 for a logarithmic range", fields.Path("min"));
  }
  dimension.least = least;
  dimension.most = most;
  dimension.logarithmic = logarithmic;
  dimension.whole = whole;
  return dimension;
}

Result<Dimension> DimensionFromJson(const std::string& setting, const json::value& value) {
  if (value.is_object()) {
    return RangeFromJson(setting, value.get_object());
  }
  if (!value.is_array() || value.get_array().empty() || value.get_array().size() > kMostValues) {
    return InvalidArgument("'space." + setting + "' must be a list of 1 to 100 values, or {\"min\", \"max\"}",
                           "space." + setting);
  }
  return Dimension{.setting = setting, .values = {value.get_array().begin(), value.get_array().end()}};
}

json::value Draw(const Dimension& dimension, SeededRng& rng) {
  if (!dimension.values.empty()) {
    return dimension.values[rng.Below(static_cast<uint32_t>(dimension.values.size()))];
  }
  const double share = rng.Uniform();
  if (dimension.logarithmic) {
    const double value = dimension.least * std::pow(dimension.most / dimension.least, share);
    return dimension.whole ? json::value(std::llround(value)) : json::value(value);
  }
  if (dimension.whole) {
    const double count = std::floor(dimension.most) - std::ceil(dimension.least) + 1;
    return std::llround(std::ceil(dimension.least) + std::floor(share * std::max(count, 1.0)));
  }
  return dimension.least + share * (dimension.most - dimension.least);
}

}  // namespace

Result<std::vector<Dimension>> SpaceFromJson(const json::object& object) {
  if (object.empty() || object.size() > kMostDimensions) {
    return InvalidArgument("'space' must name 1 to 32 settings", "space");
  }
  std::vector<Dimension> space;
  for (const auto& member : object) {
    ATELIER_ASSIGN(dimension, DimensionFromJson(std::string(member.key()), member.value()));
    space.push_back(std::move(dimension));
  }
  return space;
}

Result<std::vector<Trial>> GridTrials(const std::vector<Dimension>& space) {
  std::vector<Trial> trials{Trial()};
  for (const Dimension& dimension : space) {
    if (dimension.values.empty()) {
      return InvalidArgument("a grid needs a list of values; for a range take the strategy random or halving",
                             "space." + dimension.setting);
    }
    std::vector<Trial> longer;
    for (const Trial& trial : trials) {
      for (const auto& value : dimension.values) {
        longer.push_back(trial);
        longer.back()[dimension.setting] = value;
      }
      if (longer.size() > kMostTrials) {
        return InvalidArgument("the grid has more than " + std::to_string(kMostTrials) + " combinations", "space");
      }
    }
    trials = std::move(longer);
  }
  return trials;
}

std::vector<Trial> RandomTrials(const std::vector<Dimension>& space, size_t count, uint64_t seed) {
  if (auto grid = GridTrials(space); grid.ok() && grid->size() <= count) {
    return std::move(grid).value();
  }
  std::vector<Trial> trials;
  std::set<std::string> seen;
  SeededRng rng(seed);
  for (size_t draws = 0; trials.size() < count && draws < count * kDrawsForOne; ++draws) {
    Trial trial;
    for (const Dimension& dimension : space) {
      trial[dimension.setting] = Draw(dimension, rng);
    }
    if (seen.insert(json::serialize(trial)).second) {
      trials.push_back(std::move(trial));
    }
  }
  return trials;
}

}  // namespace atelier::learning
