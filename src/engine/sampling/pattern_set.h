// Finds any of a few strings in text that comes in pieces.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace atelier::engine {

// One Knuth-Morris-Pratt automaton for each pattern: a step costs amortised O(patterns), the memory is that of the
// patterns, and where the pieces are cut makes no difference. Not thread-safe.
class PatternSet {
 public:
  // Empty patterns are never found.
  explicit PatternSet(std::vector<std::string> patterns);

  // Takes the next byte. The index of the pattern that ends with it: of several the longest, of equal ones the first.
  // The caller then starts afresh with Reset.
  std::optional<size_t> Step(char byte);
  // How many of the last bytes may be the start of a pattern.
  size_t held() const { return held_; }
  void Reset();

  const std::string& pattern(size_t index) const { return automata_[index].pattern; }
  bool empty() const { return automata_.empty(); }

 private:
  struct Automaton {
    std::string pattern;
    std::vector<size_t> failure;  // [i]: length of the longest proper end of pattern[0..i] that begins the pattern
    size_t matched = 0;
  };

  std::vector<Automaton> automata_;
  size_t held_ = 0;
};

}  // namespace atelier::engine
