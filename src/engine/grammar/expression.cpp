#include "engine/grammar/expression.h"

#include <algorithm>
#include <map>
#include <utility>

namespace atelier::engine::grammar {
namespace {

using StateSet = std::vector<int32_t>;  // sorted

// Which assertions hold where the closure is taken.
struct Place {
  bool text_start = false;
  bool text_end = false;
  std::optional<bool> word_boundary{};  // nullopt: not known yet

  bool Holds(Assertion assertion) const {
    switch (assertion) {
      case Assertion::kTextStart:
        return text_start;
      case Assertion::kTextEnd:
        return text_end;
      case Assertion::kWordBoundary:
        return word_boundary.value_or(false);
      case Assertion::kNoWordBoundary:
        return !word_boundary.value_or(true);
    }
    return false;
  }
};

struct NfaState {
  const CodeSet* set = nullptr;  // borrowed from the expression; consumes one code point and goes to `target`
  int32_t target = -1;
  std::vector<int32_t> free;                                 // without consuming
  std::vector<std::pair<Assertion, int32_t>> conditional{};  // without consuming, where the assertion holds
};

// Thompson's construction.
class Nfa {
 public:
  explicit Nfa(Budget& budget) : budget_(budget) {}

  Status Build(const Expression& expression) {
    const int32_t begin = Add();
    accept_ = Add();
    return Connect(expression, begin, accept_);
  }
  const std::vector<NfaState>& states() const { return states_; }
  int32_t accept() const { return accept_; }
  bool has_words() const { return has_words_; }
  bool has_assertions() const { return has_assertions_; }

 private:
  int32_t Add() {
    states_.emplace_back();
    return static_cast<int32_t>(states_.size()) - 1;
  }
  NfaState& At(int32_t state) { return states_[static_cast<size_t>(state)]; }

  Status Connect(const Expression& expression, int32_t from, int32_t to) {
    if (!budget_.Spend(8) || states_.size() > budget_.limits().max_cells / 16) {
      return TooComplex("a pattern");
    }
    switch (expression.kind) {
      case Expression::Kind::kSet: {
        const int32_t state = Add();
        At(state).set = &expression.set;
        At(state).target = to;
        At(from).free.push_back(state);
        return {};
      }
      case Expression::Kind::kSequence:
        return ConnectSequence(expression, from, to);
      case Expression::Kind::kAlternatives:
        for (const auto& child : expression.children) {
          const int32_t begin = Add();
          At(from).free.push_back(begin);
          ATELIER_TRY(Connect(child, begin, to));
        }
        return {};
      case Expression::Kind::kRepeat:
        return ConnectRepeat(expression, from, to);
      case Expression::Kind::kAssertion:
        has_assertions_ = true;
        has_words_ = has_words_ || expression.assertion == Assertion::kWordBoundary ||
                     expression.assertion == Assertion::kNoWordBoundary;
        At(from).conditional.emplace_back(expression.assertion, to);
        return {};
      case Expression::Kind::kRule:
        break;
    }
    return Internal("a rule inside a regular expression");
  }
  Status ConnectSequence(const Expression& expression, int32_t from, int32_t to) {
    for (const auto& child : expression.children) {
      const int32_t middle = Add();
      ATELIER_TRY(Connect(child, from, middle));
      from = middle;
    }
    At(from).free.push_back(to);
    return {};
  }
  Status ConnectRepeat(const Expression& expression, int32_t from, int32_t to) {
    const Expression& child = expression.children.front();
    for (uint32_t i = 0; i < expression.min; ++i) {
      const int32_t middle = Add();
      ATELIER_TRY(Connect(child, from, middle));
      from = middle;
    }
    if (!expression.max) {
      const int32_t loop = Add();
      At(from).free.push_back(loop);
      At(loop).free.push_back(to);
      const int32_t begin = Add();
      At(loop).free.push_back(begin);
      return Connect(child, begin, loop);
    }
    for (uint32_t i = expression.min; i < *expression.max; ++i) {
      At(from).free.push_back(to);
      const int32_t middle = Add();
      ATELIER_TRY(Connect(child, from, middle));
      from = middle;
    }
    At(from).free.push_back(to);
    return {};
  }

  Budget& budget_;
  std::vector<NfaState> states_;
  int32_t accept_ = 0;
  bool has_words_ = false;
  bool has_assertions_ = false;
};

bool IsWord(CodePoint code) {
  return (code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') || code == '_';
}

class SubsetConstruction {
 public:
  SubsetConstruction(const Nfa& nfa, Ending ending, Budget& budget)
      : nfa_(nfa), ending_(ending), budget_(budget), marks_(nfa.states().size()) {}

  Result<Dfa> Build() {
    FindClasses();
    if (dfa_.starts.size() > 60'000) {
      return TooComplex("a set of characters");
    }
    StateOf(Key{.set = Closure({0}, {.text_start = true}), .text_start = nfa_.has_assertions()});
    for (size_t i = 0; i < keys_.size(); ++i) {
      if (!budget_.Spend(dfa_.classes()) || !budget_.SpendCells(dfa_.classes())) {
        return TooComplex("a pattern");
      }
      const Key key = keys_[i]->first;
      if (IsMatched(key.set)) {
        AddRowOfAnything();
      } else {
        AddRow(key);
      }
    }
    if (!budget_.Spend()) {
      return TooComplex("a pattern");
    }
    return Trimmed(std::move(dfa_));
  }

 private:
  struct Key {
    StateSet set;
    bool text_start = false;
    bool after_word = false;
    auto operator<=>(const Key&) const = default;
  };

  void FindClasses() {
    auto& starts = dfa_.starts;
    starts = {0, kSurrogateBegin, kSurrogateEnd};
    for (const auto& state : nfa_.states()) {
      if (state.set != nullptr) {
        for (const Range& range : *state.set) {
          starts.push_back(range.first);
          starts.push_back(range.last + 1);
        }
      }
    }
    if (nfa_.has_words()) {
      starts.insert(starts.end(), {'0', '9' + 1, 'A', 'Z' + 1, '_', '_' + 1, 'a', 'z' + 1});
    }
    std::sort(starts.begin(), starts.end());
    starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
    for (const auto& state : nfa_.states()) {
      spans_.emplace_back();
      if (state.set != nullptr) {
        for (const Range& range : *state.set) {
          spans_.back().emplace_back(dfa_.ClassOf(range.first), dfa_.ClassOf(range.last));
        }
      }
    }
  }

  StateSet Closure(const StateSet& from, const Place& place) {
    ++round_;
    StateSet open;
    StateSet out;
    const auto add = [&](int32_t state) {
      if (marks_[static_cast<size_t>(state)] != round_) {
        marks_[static_cast<size_t>(state)] = round_;
        open.push_back(state);
        out.push_back(state);
      }
    };
    for (const int32_t state : from) {
      add(state);
    }
    while (!open.empty() && budget_.Spend()) {
      const NfaState& state = nfa_.states()[static_cast<size_t>(open.back())];
      open.pop_back();
      for (const int32_t target : state.free) {
        add(target);
      }
      for (const auto& [assertion, target] : state.conditional) {
        if (place.Holds(assertion)) {
          add(target);
        }
      }
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  // What matters of a closed set: states that consume, that wait for an assertion, and acceptance.
  StateSet Essential(const StateSet& closed) const {
    StateSet out;
    for (const int32_t number : closed) {
      const NfaState& state = nfa_.states()[static_cast<size_t>(number)];
      if (state.set != nullptr || !state.conditional.empty() || number == nfa_.accept()) {
        out.push_back(number);
      }
    }
    return out;
  }

  int32_t StateOf(Key key) {
    key.set = Essential(key.set);
    if (IsMatched(key.set)) {
      key = Key{.set = {nfa_.accept()}};
    }
    if (key.set.empty()) {
      return Dfa::kDead;
    }
    const auto [entry, fresh] = numbers_.try_emplace(std::move(key), static_cast<int32_t>(keys_.size()));
    if (fresh) {
      keys_.push_back(&*entry);
      dfa_.accepting.push_back(Accepts(entry->first) ? 1 : 0);
    }
    return entry->second;
  }

  bool Accepts(const Key& key) {
    const Place end{.text_start = key.text_start, .text_end = true, .word_boundary = key.after_word};
    const StateSet closed = nfa_.has_assertions() ? Closure(key.set, end) : key.set;
    return std::binary_search(closed.begin(), closed.end(), nfa_.accept());
  }

  // Whether all that follows is accepted.
  bool IsMatched(const StateSet& set) const {
    return ending_ == Ending::kPrefix && std::binary_search(set.begin(), set.end(), nfa_.accept());
  }

  void AddRowOfAnything() {
    for (const CodePoint start : dfa_.starts) {
      const bool surrogate = start >= kSurrogateBegin && start < kSurrogateEnd;
      dfa_.next.push_back(surrogate ? Dfa::kDead : StateOf(Key{.set = {nfa_.accept()}}));
    }
  }

  void AddRow(const Key& key) {
    // Targets by class, gathered over the states of the set.
    std::vector<StateSet> targets(dfa_.classes());
    const auto gather = [&](const StateSet& set, std::optional<bool> only_words) {
      for (const int32_t number : set) {
        for (const auto& [first, last] : spans_[static_cast<size_t>(number)]) {
          for (size_t k = first; k <= last && budget_.Spend(); ++k) {
            if (!only_words || *only_words == IsWord(dfa_.starts[k])) {
              targets[k].push_back(nfa_.states()[static_cast<size_t>(number)].target);
            }
          }
        }
      }
    };
    if (nfa_.has_words()) {
      for (const bool word : {false, true}) {
        const auto set = Closure(key.set, {.text_start = key.text_start, .word_boundary = key.after_word != word});
        gather(set, word);
        if (IsMatched(set)) {  // before this character: it goes on to acceptance itself
          AddMatched(word, targets);
        }
      }
    } else {
      gather(key.set, std::nullopt);
    }
    for (size_t k = 0; k < dfa_.classes(); ++k) {
      if (targets[k].empty()) {
        dfa_.next.push_back(Dfa::kDead);
      } else if (k > 0 && targets[k] == targets[k - 1] && !nfa_.has_words()) {
        dfa_.next.push_back(dfa_.next.back());
      } else {
        dfa_.next.push_back(
            StateOf(Key{.set = Closure(targets[k], {}), .after_word = nfa_.has_words() && IsWord(dfa_.starts[k])}));
      }
    }
  }

  void AddMatched(bool word, std::vector<StateSet>& targets) {
    for (size_t k = 0; k < targets.size(); ++k) {
      const bool surrogate = dfa_.starts[k] >= kSurrogateBegin && dfa_.starts[k] < kSurrogateEnd;
      if (!surrogate && IsWord(dfa_.starts[k]) == word) {
        targets[k].push_back(nfa_.accept());
      }
    }
  }

  const Nfa& nfa_;
  Ending ending_;
  Budget& budget_;
  Dfa dfa_;
  std::vector<uint32_t> marks_;  // of each state: the round of the closure that met it
  uint32_t round_ = 0;
  std::vector<std::vector<std::pair<size_t, size_t>>> spans_;  // of each state: first and last classes of its set
  std::map<Key, int32_t> numbers_;
  std::vector<const std::pair<const Key, int32_t>*> keys_;  // borrowed from numbers_
};

}  // namespace

Expression Expression::Repeat(Expression child, uint32_t min, std::optional<uint32_t> max) {
  Expression out{.kind = Kind::kRepeat, .min = min, .max = max};
  out.children.push_back(std::move(child));
  return out;
}

Expression Expression::Text(std::string_view utf8) {
  const auto codes = DecodeUtf8(utf8);
  if (!codes) {
    return Set({});
  }
  Expression out;
  for (const CodePoint code : *codes) {
    out.children.push_back(Set({{code, code}}));
  }
  return out;
}

Result<Dfa> ToDfa(const Expression& expression, Ending ending, Budget& budget) {
  Nfa nfa(budget);
  ATELIER_TRY(nfa.Build(expression));
  return SubsetConstruction(nfa, ending, budget).Build();
}

}  // namespace atelier::engine::grammar
