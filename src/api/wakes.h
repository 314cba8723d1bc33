// Who waits for changes of what: from the job service's listener to streams of events.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/guarded.h"

namespace atelier::api {

// Thread-safe. `wake` must not block and must not call back into this object.
class Wakes {
 public:
  uint64_t Add(const std::string& topic, std::function<void()> wake) {
    return entries_.With([&](Entries& entries) {
      const uint64_t token = ++entries.last;
      entries.by_topic.emplace(topic, Entry{token, std::move(wake)});
      return token;
    });
  }
  // When it returns, the wake-up is not running and will not run again.
  void Remove(const std::string& topic, uint64_t token) {
    entries_.With([&](Entries& entries) {
      const auto [first, last] = entries.by_topic.equal_range(topic);
      for (auto at = first; at != last; ++at) {
        if (at->second.token == token) {
          entries.by_topic.erase(at);
          return;
        }
      }
    });
  }
  void Notify(const std::string& topic) {
    entries_.With([&](Entries& entries) {
      const auto [first, last] = entries.by_topic.equal_range(topic);
      for (auto at = first; at != last; ++at) {
        at->second.wake();
      }
    });
  }

 private:
  struct Entry {
    uint64_t token;
    std::function<void()> wake;
  };
  struct Entries {
    uint64_t last = 0;
    std::multimap<std::string, Entry> by_topic;
  };
  Guarded<Entries> entries_;
};

}  // namespace atelier::api
