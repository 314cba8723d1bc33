// How a worker of a generative model runs, as a deployment's settings say.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace atelier::serving {

// 0: the worker decides.
struct GenerativeOptions {
  int64_t max_running = 0;  // sequences generated together
  int64_t max_queue = 0;    // requests waiting; more are refused with kResourceExhausted "queue_full"
  int64_t context = 0;      // positions of the longest sequence; at most what the model was made for
  int64_t kv_bytes = 0;     // of the cache of keys and values
  int64_t kv_bits = 0;      // of each number in it, at most: 32, 16 or 8
  int64_t threads = 0;
  int64_t max_adapters = 0;   // loaded at a time
  int64_t step_tokens = 0;    // of prompts in one step, at most
  int64_t step_ms = 0;        // what a step should take in which answers go on
  std::string speculation{};  // one of kSpeculations; empty: the worker decides

  bool operator==(const GenerativeOptions&) const = default;
};

struct GenerativeSetting {
  std::string_view name;  // in a deployment's settings; as a flag of the worker with '-' for '_'
  int64_t GenerativeOptions::*member;
  int64_t min;
  int64_t max;
};

// Of the setting "speculation", as --speculation of the worker, or ATELIER_SPECULATION where that is not given.
inline constexpr std::string_view kSpeculations[] = {"auto", "off", "lookup"};

inline constexpr int64_t kDefaultMaxAdapters = 8;

inline constexpr GenerativeSetting kGenerativeSettings[] = {
    {"max_running", &GenerativeOptions::max_running, 1, 4096},
    {"max_queue", &GenerativeOptions::max_queue, 1, 65536},
    {"context", &GenerativeOptions::context, 1, 1 << 24},
    {"kv_bytes", &GenerativeOptions::kv_bytes, 1 << 20, int64_t{1} << 46},
    {"kv_bits", &GenerativeOptions::kv_bits, 8, 32},
    {"max_adapters", &GenerativeOptions::max_adapters, 1, 256},
    {"threads", &GenerativeOptions::threads, 1, 4096},
    {"step_tokens", &GenerativeOptions::step_tokens, 1, 1 << 20},
    {"step_ms", &GenerativeOptions::step_ms, 1, 10'000},
};

}  // namespace atelier::serving
