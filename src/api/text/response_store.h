// Answers of /v1/responses that later requests go on from.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "base/guarded.h"

namespace atelier::api::text {

struct StoredResponse {
  std::string key_id;    // of the API key that asked: nobody else sees it
  std::string body;      // the answer, JSON
  std::string messages;  // the conversation with the answer, without instructions: a JSON array
};

// In memory: what is oldest goes when there is too much, and all at the end of the process. Thread-safe.
class ResponseStore {
 public:
  explicit ResponseStore(size_t max_bytes = 64U << 20U) : max_bytes_(max_bytes) {}

  void Put(const std::string& id, StoredResponse response) {
    state_.With([&](State& state) {
      state.bytes += SizeOf(response);
      state.order.push_back(id);
      state.by_id[id] = std::move(response);
      while (state.bytes > max_bytes_ && !state.order.empty()) {
        const std::string oldest = state.order.front();
        state.order.pop_front();
        Erase(state, oldest);
      }
    });
  }
  std::optional<StoredResponse> Get(const std::string& id, const std::string& key_id) {
    return state_.With([&](State& state) -> std::optional<StoredResponse> {
      const auto found = state.by_id.find(id);
      return found == state.by_id.end() || found->second.key_id != key_id ? std::nullopt : std::optional(found->second);
    });
  }
  // False: there was none.
  bool Delete(const std::string& id, const std::string& key_id) {
    return state_.With([&](State& state) {
      const auto found = state.by_id.find(id);
      if (found == state.by_id.end() || found->second.key_id != key_id) {
        return false;
      }
      std::erase(state.order, id);
      Erase(state, id);
      return true;
    });
  }

 private:
  struct State {
    size_t bytes = 0;
    std::deque<std::string> order;
    std::map<std::string, StoredResponse> by_id;
  };
  static size_t SizeOf(const StoredResponse& response) { return 256 + response.body.size() + response.messages.size(); }
  static void Erase(State& state, const std::string& id) {
    const auto found = state.by_id.find(id);
    if (found != state.by_id.end()) {
      state.bytes -= SizeOf(found->second);
      state.by_id.erase(found);
    }
  }

  const size_t max_bytes_;
  Guarded<State> state_;
};

}  // namespace atelier::api::text
