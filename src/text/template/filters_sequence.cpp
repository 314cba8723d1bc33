// Filters of lists and dicts.
#include <algorithm>
#include <set>

#include "text/template/native_support.h"

namespace atelier::text::jinja {
namespace {

Result<Value> LengthFilter(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  return Length(runtime, self);
}

Result<Value> ListFilter(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  ATELIER_ASSIGN(items, Iterate(runtime, self));
  return runtime.heap().NewList(std::move(items));
}

Result<Value> FirstFilter(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  ATELIER_ASSIGN(items, Iterate(runtime, self));
  return items.empty() ? Value() : items.front();
}

Result<Value> LastFilter(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  ATELIER_ASSIGN(items, Iterate(runtime, self));
  return items.empty() ? Value() : items.back();
}

Result<Value> JoinFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(items, Iterate(runtime, self));
  ATELIER_ASSIGN(separator, Str(runtime, args.positional[0]));
  TextBuilder out(runtime);
  for (size_t i = 0; i < items.size(); ++i) {
    Value item = items[i];
    if (!IsAbsent(args.positional[1])) {
      ATELIER_ASSIGN(found, FollowPath(runtime, item, args.positional[1]));
      item = found;
    }
    ATELIER_TRY(out.Add(i == 0 ? std::string_view() : std::string_view(separator)));
    ATELIER_TRY(AppendStr(out, item));
  }
  return out.Finish();
}

Result<Value> ItemsFilter(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  if (self.is_undefined()) {
    return runtime.heap().NewList({}, Shape::kIterator);
  }
  const Dict* dict = self.dict();
  if (dict == nullptr) {
    return TemplateError("Can only get item pairs from a mapping.");
  }
  ATELIER_TRY(runtime.Step(dict->entries().size()));
  return runtime.heap().NewList(PairsOf(runtime, *dict), Shape::kIterator);
}

Result<Value> DictSortFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  const Dict* dict = self.dict();
  if (dict == nullptr) {
    return self.is_undefined() ? UndefinedError(self) : TemplateError("dictsort needs a mapping");
  }
  const std::string_view by = args.positional[1].is_text() ? args.positional[1].text() : "key";
  if (by != "key" && by != "value") {
    return TemplateError("You can only sort by either \"key\" or \"value\"");
  }
  ATELIER_TRY(runtime.Step(dict->entries().size()));
  std::vector<Keyed> items;
  for (const Value& pair : PairsOf(runtime, *dict)) {
    const Value& part = pair.list()->items[by == "key" ? 0 : 1];
    ATELIER_ASSIGN(key, SortKey(runtime, part, Value(), FlagArgument(args, 0)));
    items.emplace_back(std::move(key), pair);
  }
  ATELIER_TRY(SortByKey(runtime, items, FlagArgument(args, 2)));
  std::vector<Value> sorted;
  for (auto& [key, item] : items) {
    sorted.push_back(std::move(item));
  }
  return runtime.heap().NewList(std::move(sorted));
}

// The items with their sort keys; several paths, separated by commas, make a tuple of keys.
Result<std::vector<Keyed>> WithKeys(Runtime& runtime, const Value& self, const Value& path, bool case_sensitive) {
  ATELIER_ASSIGN(items, Iterate(runtime, self));
  std::vector<Keyed> keyed;
  keyed.reserve(items.size());
  const bool several = path.is_text() && path.text().find(',') != std::string_view::npos;
  for (Value& item : items) {
    std::vector<Value> keys;
    for (std::string_view rest = path.text(); several && !rest.empty();) {
      const size_t comma = std::min(rest.find(','), rest.size());
      const Value part = Value::Constant(rest.substr(0, comma));
      ATELIER_ASSIGN(key, SortKey(runtime, item, part, case_sensitive));
      keys.push_back(std::move(key));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    if (several) {
      keyed.emplace_back(runtime.heap().NewList(std::move(keys), Shape::kTuple), std::move(item));
      continue;
    }
    ATELIER_ASSIGN(key, SortKey(runtime, item, path, case_sensitive));
    keyed.emplace_back(std::move(key), std::move(item));
  }
  return keyed;
}

Result<Value> SortFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(items, WithKeys(runtime, self, args.positional[2], FlagArgument(args, 1)));
  ATELIER_TRY(SortByKey(runtime, items, FlagArgument(args, 0)));
  std::vector<Value> sorted;
  for (auto& [key, item] : items) {
    sorted.push_back(std::move(item));
  }
  return runtime.heap().NewList(std::move(sorted));
}

Result<Value> UniqueFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(items, WithKeys(runtime, self, args.positional[1], FlagArgument(args, 0)));
  std::set<Value, KeyLess> seen;
  std::vector<Value> unhashed;
  std::vector<Value> unique;
  for (const auto& [key, item] : items) {
    bool known = false;
    if (IsKey(key)) {
      known = !seen.insert(key).second;
    } else {
      for (size_t i = 0; i < unhashed.size() && !known; ++i) {
        ATELIER_ASSIGN(same, Equal(runtime, unhashed[i], key));
        known = same;
      }
      unhashed.push_back(key);
    }
    if (!known) {
      unique.push_back(item);
    }
  }
  return runtime.heap().NewList(std::move(unique), Shape::kIterator);
}

Result<Value> Extreme(Runtime& runtime, const Value& self, const CallArgs& args, bool largest) {
  ATELIER_ASSIGN(items, WithKeys(runtime, self, args.positional[1], FlagArgument(args, 0)));
  if (items.empty()) {
    return Value();
  }
  size_t best = 0;
  for (size_t i = 1; i < items.size(); ++i) {
    ATELIER_ASSIGN(better, largest ? Less(runtime, items[best].first, items[i].first)
                                   : Less(runtime, items[i].first, items[best].first));
    best = better ? i : best;
  }
  return items[best].second;
}

Result<Value> MinFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  return Extreme(runtime, self, args, false);
}

Result<Value> MaxFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  return Extreme(runtime, self, args, true);
}

Result<Value> SumFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(items, Iterate(runtime, self));
  Value sum = args.positional[1].is_undefined() ? Value(Int{0}) : args.positional[1];
  for (const Value& item : items) {
    Value part = item;
    if (!IsAbsent(args.positional[0])) {
      ATELIER_ASSIGN(found, FollowPath(runtime, item, args.positional[0]));
      part = found;
    }
    ATELIER_TRY(runtime.Step());
    ATELIER_ASSIGN(next, Apply(runtime, BinaryOperator::kAdd, sum, part));
    sum = next;
  }
  return sum;
}

Result<Value> ReverseFilter(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  if (self.is_text()) {
    return GetSlice(runtime, self, {Value(None{}), Value(None{}), Value(Int{-1})});
  }
  ATELIER_ASSIGN(items, Iterate(runtime, self));
  std::ranges::reverse(items);
  return runtime.heap().NewList(std::move(items), Shape::kIterator);
}

Result<Value> BatchFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(items, Iterate(runtime, self));
  ATELIER_ASSIGN(size, SizeArgument(args, 0, 1));
  std::vector<Value> batches;
  std::vector<Value> batch;
  for (Value& item : items) {
    if (batch.size() == size && !batch.empty()) {
      batches.push_back(runtime.heap().NewList(std::exchange(batch, {})));
    }
    batch.push_back(std::move(item));
  }
  if (!batch.empty()) {
    for (; !IsAbsent(args.positional[1]) && batch.size() < size; batch.push_back(args.positional[1])) {
      ATELIER_TRY(runtime.Step(16));  // dear, as one argument makes it long
    }
    batches.push_back(runtime.heap().NewList(std::move(batch)));
  }
  return runtime.heap().NewList(std::move(batches), Shape::kIterator);
}

// Pairs of a key and the list of its items, by ascending key; with case_sensitive unset the key is that of the first.
Result<Value> GroupByFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(items, Iterate(runtime, self));
  std::vector<Keyed> keyed;
  for (const Value& item : items) {
    ATELIER_ASSIGN(shown, FollowPath(runtime, item, args.positional[0], args.positional[1]));
    ATELIER_ASSIGN(key, SortKey(runtime, shown, Value(), FlagArgument(args, 2)));
    keyed.emplace_back(std::move(key), runtime.heap().NewList({shown, item}, Shape::kTuple));
  }
  ATELIER_TRY(SortByKey(runtime, keyed, false));
  std::vector<Value> groups;
  std::vector<Value> members;
  for (size_t i = 0; i < keyed.size(); ++i) {
    members.push_back(keyed[i].second.list()->items[1]);
    bool last = i + 1 == keyed.size();
    if (!last) {
      ATELIER_ASSIGN(same, Equal(runtime, keyed[i].first, keyed[i + 1].first));
      last = !same;
    }
    if (last) {
      const Value shown = keyed[i + 1 - members.size()].second.list()->items[0];
      const Value list = runtime.heap().NewList(std::exchange(members, {}));
      groups.push_back(runtime.heap().NewList({shown, list}, Shape::kTuple));
    }
  }
  return runtime.heap().NewList(std::move(groups));
}

constexpr Native kTable[] = {
    {"batch", BatchFilter, 1, {"linecount", "fill_with"}},
    {"count", LengthFilter},
    {"dictsort", DictSortFilter, 0, {"case_sensitive", "by", "reverse"}},
    {"first", FirstFilter},
    {"groupby", GroupByFilter, 1, {"attribute", "default", "case_sensitive"}},
    {"items", ItemsFilter},
    {"join", JoinFilter, 0, {"d", "attribute"}},
    {"last", LastFilter},
    {"length", LengthFilter},
    {"list", ListFilter},
    {"max", MaxFilter, 0, {"case_sensitive", "attribute"}},
    {"min", MinFilter, 0, {"case_sensitive", "attribute"}},
    {"reverse", ReverseFilter},
    {"sort", SortFilter, 0, {"reverse", "case_sensitive", "attribute"}},
    {"sum", SumFilter, 0, {"attribute", "start"}},
    {"unique", UniqueFilter, 0, {"case_sensitive", "attribute"}},
};

}  // namespace

std::span<const Native> SequenceFilters() { return kTable; }

}  // namespace atelier::text::jinja
