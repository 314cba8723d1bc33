#include "engine/service/fair_share.h"

#include <algorithm>
#include <limits>

namespace atelier::engine {

std::shared_ptr<Share> FairShare::Enter(const std::string& project) {
  std::erase_if(shares_, [](const auto& entry) { return entry.second.expired(); });
  if (const auto found = shares_.find(project); found != shares_.end()) {
    return found->second.lock();
  }
  uint64_t least = shares_.empty() ? 0 : std::numeric_limits<uint64_t>::max();
  for (const auto& [name, share] : shares_) {
    least = std::min(least, share.lock()->served);
  }
  auto share = std::make_shared<Share>();
  share->served = least;
  shares_.emplace(project, share);
  return share;
}

}  // namespace atelier::engine
