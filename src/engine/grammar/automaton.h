// Runs a grammar: a set of stacks side by side, moved on byte by byte. Stacks are persistent linked lists that share
// their lower parts, so copying a set is cheap.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/grammar/grammar.h"

namespace atelier::engine::grammar {

struct Frame;
using FramePtr = std::shared_ptr<const Frame>;  // shared by all stacks that have this lower part

// Where to go on once what lies above is read. Immutable.
struct Frame {
  enum class Kind : uint8_t { kNode, kObject, kArray };
  enum class Phase : uint8_t { kOpened, kAtItem, kAfterValue };  // of objects and arrays

  Kind kind = Kind::kNode;
  Phase phase = Phase::kOpened;
  uint32_t id = 0;     // of the node, object or array
  uint64_t count = 0;  // pairs or items so far
  uint64_t seen = 0;   // objects: the set of properties seen, or one past the last; arrays: items that counted
  FramePtr parent;
  uint32_t depth = 1;
  uint64_t hash = 0;
};

// One stack with the terminal that is being read on top of it.
struct Config {
  uint32_t terminal = 0;
  TerminalState state;
  FramePtr stack;
};
bool operator==(const Config& left, const Config& right);

struct ConfigSet {
  std::vector<Config> configs;
  std::vector<uint64_t> hashes;  // of each config
  bool complete = false;         // the text so far is a whole text of the grammar

  bool empty() const { return configs.empty() && !complete; }
  void Clear();
};

// Borrows the grammar. Thread-safe. Where there would be more than kMaxConfigs stacks, or one deeper than kMaxDepth,
// what is beyond is left out: fewer texts are accepted then, never wrong ones.
class Automaton {
 public:
  static constexpr size_t kMaxConfigs = 4096;
  static constexpr uint32_t kMaxDepth = 400;

  explicit Automaton(const Grammar& grammar) : grammar_(grammar) {}

  ConfigSet Start() const;
  // The set after `byte`; empty where no text goes on so. `out` must not be `in`.
  void Step(const ConfigSet& in, uint8_t byte, ConfigSet& out) const;
  // Adds everything that may come once what lies above `stack` is read.
  void Resume(const FramePtr& stack, ConfigSet& out) const;

  const Grammar& grammar() const { return grammar_; }

 private:
  const Grammar& grammar_;
};

}  // namespace atelier::engine::grammar
