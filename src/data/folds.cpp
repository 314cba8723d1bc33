#include "data/folds.h"

#include <algorithm>
#include <map>
#include <string>

#include "base/rng.h"

namespace atelier::data {

Result<FoldRows> DivideFold(std::span<const int64_t> rows, std::span<const int32_t> strata, const Fold& fold) {
  if (fold.count < 2 || fold.index < 0 || fold.index >= fold.count) {
    return InvalidArgument("there is no fold " + std::to_string(fold.index) + " of " + std::to_string(fold.count),
                           "folds");
  }
  if (static_cast<int64_t>(rows.size()) < fold.count) {
    return InvalidArgument("the data set has fewer rows to divide than " + std::to_string(fold.count) + " folds",
                           "folds", "dataset_unsuitable");
  }
  std::map<int32_t, std::vector<int64_t>> parts;
  for (size_t i = 0; i < rows.size(); ++i) {
    parts[strata.empty() ? 0 : strata[i]].push_back(rows[i]);
  }
  FoldRows divided;
  int64_t dealt = 0;  // goes on from stratum to stratum, so that the folds are as large in all, too
  for (auto& [stratum, part] : parts) {
    SeededRng rng(fold.seed, static_cast<uint64_t>(static_cast<int64_t>(stratum) + 1));
    rng.Shuffle(part);
    for (const int64_t row : part) {
      (dealt++ % fold.count == fold.index ? divided.held : divided.rest).push_back(row);
    }
  }
  std::ranges::sort(divided.rest);
  std::ranges::sort(divided.held);
  return divided;
}

}  // namespace atelier::data
