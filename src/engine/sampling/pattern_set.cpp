#include "engine/sampling/pattern_set.h"

#include <algorithm>
#include <utility>

namespace atelier::engine {
namespace {

size_t Advance(const std::string& pattern, const std::vector<size_t>& failure, size_t matched, char byte) {
  while (matched > 0 && (matched == pattern.size() || pattern[matched] != byte)) {
    matched = failure[matched - 1];
  }
  return matched < pattern.size() && pattern[matched] == byte ? matched + 1 : 0;
}

}  // namespace

PatternSet::PatternSet(std::vector<std::string> patterns) {
  automata_.reserve(patterns.size());
  for (std::string& pattern : patterns) {
    std::vector<size_t> failure(pattern.size(), 0);
    for (size_t i = 1; i < pattern.size(); ++i) {
      failure[i] = Advance(pattern, failure, failure[i - 1], pattern[i]);
    }
    automata_.push_back({std::move(pattern), std::move(failure), 0});
  }
}

std::optional<size_t> PatternSet::Step(char byte) {
  std::optional<size_t> found;
  held_ = 0;
  for (size_t i = 0; i < automata_.size(); ++i) {
    Automaton& automaton = automata_[i];
    automaton.matched = Advance(automaton.pattern, automaton.failure, automaton.matched, byte);
    held_ = std::max(held_, automaton.matched);
    const bool ends = automaton.matched > 0 && automaton.matched == automaton.pattern.size();
    if (ends && (!found || automaton.pattern.size() > automata_[*found].pattern.size())) {
      found = i;
    }
  }
  return found;
}

void PatternSet::Reset() {
  held_ = 0;
  for (Automaton& automaton : automata_) {
    automaton.matched = 0;
  }
}

}  // namespace atelier::engine
