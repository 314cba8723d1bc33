#include "engine/grammar/automaton.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace atelier::engine::grammar {
namespace {

// The finaliser of MurmurHash3 over a running value.
uint64_t Mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0xFF51AFD7ED558CCDULL;
  hash ^= hash >> 33U;
  return hash * 0xC4CEB9FE1A85EC53ULL ^ (hash >> 29U);
}

uint64_t HashOf(const Config& config) {
  const uint64_t state = (static_cast<uint64_t>(static_cast<uint32_t>(config.state.state)) << 32U) | config.state.count;
  const uint64_t hash = Mix(Mix(Mix(1, config.terminal), state), config.state.partial);
  return Mix(hash, config.stack == nullptr ? 0 : config.stack->hash);
}

bool SameStack(const Frame* left, const Frame* right) {
  while (left != right) {
    if (left == nullptr || right == nullptr || left->hash != right->hash || left->kind != right->kind ||
        left->phase != right->phase || left->id != right->id || left->count != right->count ||
        left->seen != right->seen) {
      return false;
    }
    left = left->parent.get();
    right = right->parent.get();
  }
  return true;
}

bool Has(uint64_t set, size_t bit) { return (set >> bit & 1U) != 0; }

// One closure: follows everything that reads no byte.
class Closure {
 public:
  Closure(const Grammar& grammar, ConfigSet& out) : grammar_(grammar), out_(out) {}

  void Run(const FramePtr& stack) {
    Later(stack);
    for (size_t i = 0; i < open_.size(); ++i) {
      const FramePtr frame = open_[i];
      if (frame == nullptr) {
        out_.complete = true;
      } else if (frame->kind == Frame::Kind::kNode) {
        FromNode(frame->id, frame->parent);
      } else if (frame->kind == Frame::Kind::kObject) {
        FromObject(frame);
      } else {
        FromArray(frame);
      }
    }
  }

 private:
  void Later(const FramePtr& frame) {
    const bool known = std::any_of(open_.begin(), open_.end(),
                                   [&](const FramePtr& other) { return SameStack(other.get(), frame.get()); });
    if (!known && open_.size() < 4 * Automaton::kMaxConfigs) {
      open_.push_back(frame);
    }
  }

  static FramePtr Push(Frame frame) {
    frame.depth = frame.parent == nullptr ? 1 : frame.parent->depth + 1;
    const auto kind = static_cast<uint64_t>(frame.kind) * 4 + static_cast<uint64_t>(frame.phase);
    frame.hash = Mix(Mix(Mix(Mix(kind + 7, frame.id), frame.count), frame.seen),
                     frame.parent == nullptr ? 0 : frame.parent->hash);
    return std::make_shared<const Frame>(std::move(frame));
  }
  // A node that only ends its rule needs no frame: so lists that recurse at their end do not grow the stack.
  FramePtr PushNode(uint32_t node, const FramePtr& parent) const {
    if (grammar_.nodes[node].final && grammar_.nodes[node].edges.empty()) {
      return parent;
    }
    return Push({.kind = Frame::Kind::kNode, .id = node, .parent = parent});
  }

  void Emit(uint32_t terminal, const FramePtr& stack) {
    if (stack != nullptr && stack->depth > Automaton::kMaxDepth) {
      return;
    }
    const TerminalState start = StartOf(grammar_.terminals[terminal]);
    Add(Config{terminal, start, stack});
    if (Accepts(grammar_.terminals[terminal], start)) {
      Later(stack);
    }
  }
  void Add(Config config) {
    const uint64_t hash = HashOf(config);
    for (size_t i = 0; i < out_.hashes.size(); ++i) {
      if (out_.hashes[i] == hash && out_.configs[i] == config) {
        return;
      }
    }
    if (out_.configs.size() < Automaton::kMaxConfigs) {
      out_.configs.push_back(std::move(config));
      out_.hashes.push_back(hash);
    }
  }

  void FromNode(uint32_t id, const FramePtr& parent) {
    const Node& node = grammar_.nodes[id];
    if (node.final) {
      Later(parent);
    }
    for (const Edge& edge : node.edges) {
      const FramePtr after = PushNode(edge.target, parent);
      switch (edge.kind) {
        case Edge::Kind::kFree:
          Later(after);
          break;
        case Edge::Kind::kTerminal:
          Emit(edge.id, after);
          break;
        case Edge::Kind::kRule:
          Later(PushNode(grammar_.rules[edge.id], after));
          break;
        case Edge::Kind::kObject:
          Emit(grammar_.json.open_object, Push({.kind = Frame::Kind::kObject, .id = edge.id, .parent = after}));
          break;
        case Edge::Kind::kArray:
          Emit(grammar_.json.open_array, Push({.kind = Frame::Kind::kArray, .id = edge.id, .parent = after}));
          break;
      }
    }
  }

  // The same place in another phase.
  static FramePtr InPhase(const Frame& frame, Frame::Phase phase) {
    return Push({.kind = frame.kind,
                 .phase = phase,
                 .id = frame.id,
                 .count = frame.count,
                 .seen = frame.seen,
                 .parent = frame.parent});
  }
  // What comes between the items: nothing before the first, a comma before the others.
  void EmitBeforeItem(const Frame& frame) {
    const bool first = frame.phase == Frame::Phase::kOpened;
    Emit(first ? grammar_.json.whitespace : grammar_.json.comma, InPhase(frame, Frame::Phase::kAtItem));
  }

  void FromObject(const FramePtr& frame) {
    const ObjectRule& object = grammar_.objects[frame->id];
    const uint64_t missing = Missing(object, *frame);
    if (frame->phase != Frame::Phase::kAtItem) {
      if (missing == 0 && frame->count >= object.min) {
        Emit(grammar_.json.close_object, frame->parent);
      }
      if (AnyKey(object, *frame, missing)) {
        EmitBeforeItem(*frame);
      }
      return;
    }
    ForEachKey(object, *frame, missing, [&](size_t property) {
      const size_t size = object.properties.size();
      if (property < size) {
        const uint64_t seen = object.any_order ? frame->seen | (1ULL << property) : property + 1;
        Emit(object.properties[property].key,
             PushNode(object.properties[property].value, AfterKey(object, *frame, seen)));
      } else {
        const uint64_t seen = object.any_order ? frame->seen : size;
        Later(PushNode(object.extras[property - size], AfterKey(object, *frame, seen)));
      }
      return true;
    });
  }
  static FramePtr AfterKey(const ObjectRule& object, const Frame& frame, uint64_t seen) {
    // Where nothing depends on it any more the count stands still, so that equal positions have equal stacks.
    const bool free = object.max == kUnlimited && frame.count >= object.min;
    return Push({.kind = Frame::Kind::kObject,
                 .phase = Frame::Phase::kAfterValue,
                 .id = frame.id,
                 .count = free ? frame.count : frame.count + 1,
                 .seen = seen,
                 .parent = frame.parent});
  }
  // How many required properties are yet to come.
  static uint64_t Missing(const ObjectRule& object, const Frame& frame) {
    uint64_t missing = 0;
    for (size_t i = object.any_order ? 0 : frame.seen; i < object.properties.size(); ++i) {
      missing += object.properties[i].required && !(object.any_order && Has(frame.seen, i)) ? 1 : 0;
    }
    return missing;
  }
  static bool AnyKey(const ObjectRule& object, const Frame& frame, uint64_t missing) {
    bool any = false;
    ForEachKey(object, frame, missing, [&](size_t /*property*/) {
      any = true;
      return false;
    });
    return any;
  }
  // Calls `visit` with each key that may come next, extras after the properties, until it returns false. After a key
  // that is visited the object can be completed within its limits.
  template <class Visit>
  static void ForEachKey(const ObjectRule& object, const Frame& frame, uint64_t missing, const Visit& visit) {
    if (frame.count >= object.max || missing > object.max - frame.count) {
      return;
    }
    const bool spare = missing < object.max - frame.count;  // room for a key that is not required
    const size_t size = object.properties.size();
    const size_t first = object.any_order ? 0 : static_cast<size_t>(frame.seen);
    for (size_t i = first; i < size; ++i) {
      const bool required = object.properties[i].required;
      if (object.any_order && Has(frame.seen, i)) {
        continue;
      }
      // In declared order, passing over properties must leave enough of them.
      const uint64_t left = object.any_order || !object.extras.empty() ? object.min : size - i;
      const bool enough = frame.count >= object.min || left >= object.min - frame.count;
      if (enough && (required || spare) && !visit(i)) {
        return;
      }
      if (!object.any_order && required) {
        return;
      }
    }
    if (spare && (object.any_order || missing == 0)) {
      for (size_t i = 0; i < object.extras.size(); ++i) {
        if (!visit(size + i)) {
          return;
        }
      }
    }
  }

  void FromArray(const FramePtr& frame) {
    const ArrayRule& array = grammar_.arrays[frame->id];
    const uint64_t missing = frame->seen < array.min_contains ? array.min_contains - frame->seen : 0;
    const bool between = frame->phase != Frame::Phase::kAtItem;
    if (between && frame->count >= array.min && missing == 0) {
      Emit(grammar_.json.close_array, frame->parent);
    }
    if (frame->count >= array.max) {
      return;
    }
    const bool in_prefix = frame->count < array.prefix.size();
    const auto& item = in_prefix ? array.prefix[static_cast<size_t>(frame->count)] : array.rest;
    const bool counted = item.counted != kNone && frame->seen < array.max_contains;
    const bool plain = item.plain != kNone && missing <= CountableAfter(array, frame->count);
    if (between && (plain || counted)) {
      EmitBeforeItem(*frame);
      return;
    }
    if (!between && plain) {
      Later(PushNode(item.plain, AfterItem(array, *frame, 0)));
    }
    if (!between && counted) {
      Later(PushNode(item.counted, AfterItem(array, *frame, 1)));
    }
  }
  // How many items after position `index` may still count for "contains".
  static uint64_t CountableAfter(const ArrayRule& array, uint64_t index) {
    uint64_t countable = 0;
    for (uint64_t i = index + 1; i < array.prefix.size() && i < array.max; ++i) {
      countable += array.prefix[static_cast<size_t>(i)].counted != kNone ? 1 : 0;
    }
    const uint64_t begin = std::max<uint64_t>(index + 1, array.prefix.size());
    if (array.rest.counted != kNone && begin < array.max) {
      countable = array.max == kUnlimited ? kUnlimited : countable + (array.max - begin);
    }
    return countable;
  }
  static FramePtr AfterItem(const ArrayRule& array, const Frame& frame, uint64_t counted) {
    const bool free = array.max == kUnlimited && frame.count >= array.min && frame.count >= array.prefix.size();
    const bool enough = array.max_contains == kUnlimited && frame.seen >= array.min_contains;
    return Push({.kind = Frame::Kind::kArray,
                 .phase = Frame::Phase::kAfterValue,
                 .id = frame.id,
                 .count = free ? frame.count : frame.count + 1,
                 .seen = enough ? frame.seen : frame.seen + counted,
                 .parent = frame.parent});
  }

  const Grammar& grammar_;
  ConfigSet& out_;
  std::vector<FramePtr> open_;
};

}  // namespace

bool operator==(const Config& left, const Config& right) {
  return left.terminal == right.terminal && left.state == right.state && SameStack(left.stack.get(), right.stack.get());
}

void ConfigSet::Clear() {
  configs.clear();
  hashes.clear();
  complete = false;
}

ConfigSet Automaton::Start() const {
  ConfigSet out;
  Frame frame{.kind = Frame::Kind::kNode, .id = grammar_.rules[grammar_.start], .parent = nullptr};
  Resume(std::make_shared<const Frame>(std::move(frame)), out);
  return out;
}

void Automaton::Resume(const FramePtr& stack, ConfigSet& out) const { Closure(grammar_, out).Run(stack); }

void Automaton::Step(const ConfigSet& in, uint8_t byte, ConfigSet& out) const {
  out.Clear();
  for (const Config& config : in.configs) {
    const Terminal& terminal = grammar_.terminals[config.terminal];
    TerminalState state = config.state;
    if (!grammar::Step(terminal, state, byte)) {
      continue;
    }
    const bool ends = Accepts(terminal, state);
    Config moved{config.terminal, state, config.stack};
    const uint64_t hash = HashOf(moved);
    bool known = false;
    for (size_t i = 0; i < out.hashes.size() && !known; ++i) {
      known = out.hashes[i] == hash && out.configs[i] == moved;
    }
    if (!known && !(ends && !GoesOn(terminal, state))) {
      out.configs.push_back(std::move(moved));
      out.hashes.push_back(hash);
    }
    if (ends) {
      Resume(config.stack, out);
    }
  }
}

}  // namespace atelier::engine::grammar
