// What a hyper-parameter search tries: values of settings.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace atelier::learning {

// A setting and what it may be: one of some values, or a number of a range.
struct Dimension {
  std::string setting;
  std::vector<boost::json::value> values{};  // empty: the range
  double least = 0;
  double most = 0;
  bool logarithmic = false;  // drawn evenly in its logarithm
  bool whole = false;        // drawn as a whole number
};

// Settings that differ from those that the search begins with.
using Trial = boost::json::object;

inline constexpr size_t kMostTrials = 500;

// {"learning_rate":{"min":1e-4,"max":1e-1,"log":true},"layers":["64","128,64"],"epochs":{"min":2,"max":9,"integer":
// true}}, at most 32 settings. Errors: kInvalidArgument below `space`.
Result<std::vector<Dimension>> SpaceFromJson(const boost::json::object& object);

// Every combination, the last setting changing fastest. Errors: kInvalidArgument where there is a range, or more than
// kMostTrials combinations.
Result<std::vector<Trial>> GridTrials(const std::vector<Dimension>& space);

// `count` different ones drawn evenly (J. Bergstra, Y. Bengio, "Random Search for Hyper-Parameter Optimization", 2012),
// or all combinations where there are no more. The same seed gives the same ones.
std::vector<Trial> RandomTrials(const std::vector<Dimension>& space, size_t count, uint64_t seed);

}  // namespace atelier::learning
