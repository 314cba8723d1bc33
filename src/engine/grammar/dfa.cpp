#include "engine/grammar/dfa.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

namespace atelier::engine::grammar {
namespace {

constexpr size_t kMaxClasses = 60'000;  // they are counted in 16 bits

std::vector<CodePoint> MergedStarts(const std::vector<CodePoint>& left, const std::vector<CodePoint>& right) {
  std::vector<CodePoint> merged;
  merged.reserve(left.size() + right.size());
  std::set_union(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(merged));
  return merged;
}

// For each state whether a word leads from it to acceptance (backwards search over the transitions).
std::vector<uint8_t> LiveStates(const Dfa& dfa) {
  std::vector<std::vector<int32_t>> sources(dfa.states());
  std::vector<uint8_t> live(dfa.accepting);
  std::vector<int32_t> open;
  for (size_t state = 0; state < dfa.states(); ++state) {
    int32_t last = Dfa::kDead;
    for (size_t k = 0; k < dfa.classes(); ++k) {
      const int32_t target = dfa.next[state * dfa.classes() + k];
      if (target != Dfa::kDead && target != last) {
        sources[static_cast<size_t>(target)].push_back(static_cast<int32_t>(state));
        last = target;
      }
    }
    if (live[state] != 0) {
      open.push_back(static_cast<int32_t>(state));
    }
  }
  while (!open.empty()) {
    const auto state = static_cast<size_t>(open.back());
    open.pop_back();
    for (const int32_t source : sources[state]) {
      if (live[static_cast<size_t>(source)] == 0) {
        live[static_cast<size_t>(source)] = 1;
        open.push_back(source);
      }
    }
  }
  return live;
}

// New numbers of the states that are live and reachable, in breadth-first order; kDead for the others.
std::vector<int32_t> Renumbered(const Dfa& dfa, std::vector<int32_t>& order) {
  const auto live = LiveStates(dfa);
  std::vector<int32_t> number(dfa.states(), Dfa::kDead);
  if (dfa.empty() || live[0] == 0) {
    return number;
  }
  number[0] = 0;
  order.push_back(0);
  for (size_t i = 0; i < order.size(); ++i) {
    for (size_t k = 0; k < dfa.classes(); ++k) {
      const int32_t target = dfa.next[static_cast<size_t>(order[i]) * dfa.classes() + k];
      if (target != Dfa::kDead && live[static_cast<size_t>(target)] != 0 &&
          number[static_cast<size_t>(target)] == Dfa::kDead) {
        number[static_cast<size_t>(target)] = static_cast<int32_t>(order.size());
        order.push_back(target);
      }
    }
  }
  return number;
}

// Which classes must stay apart from the one before.
std::vector<size_t> DistinctClasses(const Dfa& dfa) {
  std::vector<size_t> kept;
  for (size_t k = 0; k < dfa.classes(); ++k) {
    bool equal = k > 0;
    for (size_t state = 0; equal && state < dfa.states(); ++state) {
      equal = dfa.next[state * dfa.classes() + k] == dfa.next[state * dfa.classes() + k - 1];
    }
    if (!equal) {
      kept.push_back(k);
    }
  }
  return kept;
}

void FillTables(Dfa& dfa) {
  for (size_t state = 0; state < dfa.states(); ++state) {
    const auto* row = dfa.next.data() + state * dfa.classes();
    const bool any = std::any_of(row, row + dfa.classes(), [](int32_t target) { return target != Dfa::kDead; });
    dfa.extendable.push_back(any ? 1 : 0);
  }
  size_t k = 0;
  for (CodePoint code = 0; code < 128; ++code) {
    while (k + 1 < dfa.starts.size() && dfa.starts[k + 1] <= code) {
      ++k;
    }
    dfa.ascii_class.at(code) = static_cast<uint16_t>(k);
  }
}

bool Holds(SetOperation operation, bool left, bool right) {
  switch (operation) {
    case SetOperation::kAnd:
      return left && right;
    case SetOperation::kOr:
      return left || right;
    case SetOperation::kMinus:
      return left && !right;
  }
  return false;
}

// Whether a pair with these dead sides can still accept anything.
bool Hopeless(SetOperation operation, int32_t left, int32_t right) {
  switch (operation) {
    case SetOperation::kAnd:
      return left == Dfa::kDead || right == Dfa::kDead;
    case SetOperation::kOr:
      return left == Dfa::kDead && right == Dfa::kDead;
    case SetOperation::kMinus:
      return left == Dfa::kDead;
  }
  return true;
}

uint64_t PairKey(int32_t left, int32_t right) {
  return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32U) | static_cast<uint32_t>(right);
}

// The product automaton, built from the start state on.
class Product {
 public:
  Product(const Dfa& left, const Dfa& right, SetOperation operation, Budget& budget)
      : left_(left), right_(right), operation_(operation), budget_(budget) {}

  Result<Dfa> Build() {
    out_.starts = MergedStarts(left_.starts, right_.starts);
    if (out_.starts.size() > kMaxClasses) {
      return TooComplex("a set of characters");
    }
    for (const CodePoint code : out_.starts) {
      left_class_.push_back(left_.ClassOf(code));
      right_class_.push_back(right_.ClassOf(code));
    }
    StateOf(left_.empty() ? Dfa::kDead : 0, right_.empty() ? Dfa::kDead : 0);
    for (size_t i = 0; i < pairs_.size(); ++i) {
      if (!budget_.Spend(out_.classes()) || !budget_.SpendCells(out_.classes())) {
        return TooComplex("a combination of patterns");
      }
      const auto [left, right] = pairs_[i];
      for (size_t k = 0; k < out_.classes(); ++k) {
        out_.next.push_back(StateOf(Target(left_, left, left_class_[k]), Target(right_, right, right_class_[k])));
      }
    }
    return Trimmed(std::move(out_));
  }

 private:
  static int32_t Target(const Dfa& dfa, int32_t state, size_t k) {
    return state == Dfa::kDead ? Dfa::kDead : dfa.next[static_cast<size_t>(state) * dfa.classes() + k];
  }
  static bool Accepts(const Dfa& dfa, int32_t state) {
    return state != Dfa::kDead && dfa.accepting[static_cast<size_t>(state)] != 0;
  }
  int32_t StateOf(int32_t left, int32_t right) {
    if (Hopeless(operation_, left, right)) {
      return Dfa::kDead;
    }
    const auto [entry, fresh] = numbers_.try_emplace(PairKey(left, right), static_cast<int32_t>(pairs_.size()));
    if (fresh) {
      pairs_.emplace_back(left, right);
      out_.accepting.push_back(Holds(operation_, Accepts(left_, left), Accepts(right_, right)) ? 1 : 0);
    }
    return entry->second;
  }

  const Dfa& left_;
  const Dfa& right_;
  SetOperation operation_;
  Budget& budget_;
  Dfa out_;
  std::vector<size_t> left_class_, right_class_;
  std::vector<std::pair<int32_t, int32_t>> pairs_;
  std::unordered_map<uint64_t, int32_t> numbers_;
};

std::vector<CodePoint> StartsOf(const std::vector<std::vector<CodePoint>>& words) {
  std::vector<CodePoint> starts{0};
  for (const auto& word : words) {
    for (const CodePoint code : word) {
      starts.push_back(code);
      starts.push_back(code + 1);
    }
  }
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  return starts;
}

}  // namespace

size_t Dfa::ClassOf(CodePoint code) const {
  return static_cast<size_t>(std::upper_bound(starts.begin(), starts.end(), code) - starts.begin()) - 1;
}

bool Dfa::Leads(int32_t state, CodePoint first, CodePoint last) const {
  if (first > last) {
    return false;
  }
  for (size_t k = ClassOf(first); k < classes() && starts[k] <= last; ++k) {
    if (next[static_cast<size_t>(state) * classes() + k] != kDead) {
      return true;
    }
  }
  return false;
}

bool Dfa::Matches(std::string_view utf8) const {
  const auto codes = DecodeUtf8(utf8);
  if (!codes || empty()) {
    return false;
  }
  int32_t state = 0;
  for (const CodePoint code : *codes) {
    state = Step(state, code);
    if (state == kDead) {
      return false;
    }
  }
  return accepting[static_cast<size_t>(state)] != 0;
}

Dfa Trimmed(Dfa raw) {
  std::vector<int32_t> order;
  const auto number = Renumbered(raw, order);
  Dfa states;
  states.starts = raw.starts;
  states.next.reserve(order.size() * raw.classes());
  for (const int32_t old : order) {
    states.accepting.push_back(raw.accepting[static_cast<size_t>(old)]);
    for (size_t k = 0; k < raw.classes(); ++k) {
      const int32_t target = raw.next[static_cast<size_t>(old) * raw.classes() + k];
      states.next.push_back(target == Dfa::kDead ? Dfa::kDead : number[static_cast<size_t>(target)]);
    }
  }
  Dfa out;
  out.accepting = std::move(states.accepting);
  const auto kept = DistinctClasses(Dfa{states.starts, states.next, out.accepting, {}, {}});
  for (const size_t k : kept) {
    out.starts.push_back(states.starts[k]);
  }
  for (size_t state = 0; state < out.states(); ++state) {
    for (const size_t k : kept) {
      out.next.push_back(states.next[state * states.classes() + k]);
    }
  }
  FillTables(out);
  return out;
}

Dfa AnyText() {
  Dfa dfa;
  dfa.starts = {0, kSurrogateBegin, kSurrogateEnd};
  dfa.next = {0, Dfa::kDead, 0};
  dfa.accepting = {1};
  FillTables(dfa);
  return dfa;
}

Result<Dfa> Combine(const Dfa& left, const Dfa& right, SetOperation operation, Budget& budget) {
  return Product(left, right, operation, budget).Build();
}

Result<Dfa> FromWords(const std::vector<std::string>& words, Budget& budget) {
  std::vector<std::vector<CodePoint>> decoded;
  for (const auto& word : words) {
    if (auto codes = DecodeUtf8(word)) {
      decoded.push_back(*std::move(codes));
    }
  }
  Dfa dfa;
  dfa.starts = StartsOf(decoded);
  if (dfa.starts.size() > kMaxClasses) {
    return TooComplex("a list of words");
  }
  const auto add_state = [&] {
    dfa.accepting.push_back(0);
    dfa.next.insert(dfa.next.end(), dfa.classes(), Dfa::kDead);
    return budget.Spend(dfa.classes()) && budget.SpendCells(dfa.classes());
  };
  if (!add_state()) {
    return TooComplex("a list of words");
  }
  for (const auto& word : decoded) {
    size_t state = 0;
    for (const CodePoint code : word) {
      const size_t cell = state * dfa.classes() + dfa.ClassOf(code);
      if (dfa.next[cell] == Dfa::kDead) {
        dfa.next[cell] = static_cast<int32_t>(dfa.states());
        if (!add_state()) {
          return TooComplex("a list of words");
        }
      }
      state = static_cast<size_t>(dfa.next[cell]);
    }
    dfa.accepting[state] = 1;
  }
  return Trimmed(std::move(dfa));
}

Result<Dfa> WithLength(const Dfa& dfa, uint32_t min, std::optional<uint32_t> max, Budget& budget) {
  const uint64_t levels = static_cast<uint64_t>(max ? *max : min) + 1;
  if (dfa.empty()) {
    return dfa;
  }
  const uint64_t cells = levels * dfa.states() * dfa.classes();
  if (levels > budget.limits().max_cells || cells > budget.limits().max_cells || !budget.Spend(cells) ||
      !budget.SpendCells(cells)) {
    return TooComplex("a pattern with a limit of length");
  }
  Dfa out;
  out.starts = dfa.starts;
  for (uint64_t level = 0; level < levels; ++level) {
    const bool last = level + 1 == levels;
    for (size_t state = 0; state < dfa.states(); ++state) {
      out.accepting.push_back(level >= min ? dfa.accepting[state] : 0);
      for (size_t k = 0; k < dfa.classes(); ++k) {
        const int32_t target = dfa.next[state * dfa.classes() + k];
        const bool dead = target == Dfa::kDead || (last && max);
        const uint64_t next_level = last ? level : level + 1;
        out.next.push_back(dead ? Dfa::kDead : static_cast<int32_t>(next_level * dfa.states()) + target);
      }
    }
  }
  return Trimmed(std::move(out));
}

std::optional<std::vector<std::string>> Words(const Dfa& dfa, size_t limit) {
  std::vector<std::string> words;
  std::vector<std::pair<int32_t, std::string>> open;
  if (!dfa.empty()) {
    open.emplace_back(0, "");
  }
  size_t looked_at = 0;
  while (!open.empty()) {
    auto [state, text] = std::move(open.back());
    open.pop_back();
    // In a trimmed automaton every prefix belongs to a word, so too many or too long prefixes mean too many words.
    if (text.size() > 4 * dfa.states() || ++looked_at > limit * 64 || open.size() > limit) {
      return std::nullopt;
    }
    if (dfa.accepting[static_cast<size_t>(state)] != 0) {
      words.push_back(text);
    }
    if (words.size() > limit) {
      return std::nullopt;
    }
    for (size_t k = dfa.classes(); k-- > 0;) {
      const int32_t target = dfa.next[static_cast<size_t>(state) * dfa.classes() + k];
      if (target == Dfa::kDead) {
        continue;
      }
      const CodePoint end = k + 1 < dfa.classes() ? dfa.starts[k + 1] : kCodePointEnd;
      if (end - dfa.starts[k] > limit) {
        return std::nullopt;
      }
      for (CodePoint code = end; code-- > dfa.starts[k];) {
        std::string longer = text;
        AppendUtf8(code, longer);
        open.emplace_back(target, std::move(longer));
      }
    }
  }
  return words;
}

}  // namespace atelier::engine::grammar
