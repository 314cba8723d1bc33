// Who is served next when several projects want the same model: the one that was served least.
//
// Virtual token counters: Sheng et al., "Fairness in Serving Large Language Models", OSDI 2024, arXiv:2401.00588. Here
// every token that is computed counts the same, whether of a prompt or of an answer, and what the cache gives is free.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace atelier::engine {

// What one project has got while it has requests.
struct Share {
  uint64_t served = 0;  // tokens
  // Of the schedule, between two steps.
  size_t running = 0;   // its answers that hold a sequence
  size_t promised = 0;  // tokens that these still have to compute
};

// Not thread-safe.
class FairShare {
 public:
  // The share of a project, kept as long as one of its requests holds it: shared by these. A project that comes (back)
  // begins with as much as the one that was served least has got: nobody saves up while idle, and nobody owes.
  std::shared_ptr<Share> Enter(const std::string& project);

 private:
  std::map<std::string, std::weak_ptr<Share>> shares_;
};

}  // namespace atelier::engine
