#include "engine/grammar/json_schema.h"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/grammar/json_terminals.h"
#include "engine/grammar/schema_expander.h"

namespace atelier::engine::grammar {
namespace {

constexpr size_t kMaxAnyOrder = 64;
constexpr size_t kMaxKeyClasses = 64;
constexpr size_t kMaxKeyWords = 32;

// Turns shapes into rules, one for each set of literals that some value must satisfy, until no new set turns up.
class Compiler {
 public:
  Compiler(const SchemaReferences& references, const JsonOptions& options, Budget& budget)
      : expander_(references, budget), options_(options), budget_(budget), terminals_(grammar_, options, budget) {}

  Result<GrammarPtr> Run(const json::value& schema) {
    ATELIER_TRY(terminals_.AddTokens());
    end_ = AddNode();
    grammar_.nodes[end_].final = true;
    ATELIER_ASSIGN(start, RuleOf({{&schema, false}}));
    grammar_.start = start;
    for (size_t rule = 0; rule < open_.size(); ++rule) {
      const Literals literals = *open_[rule];
      ATELIER_TRY(BuildRule(grammar_.rules[rule], literals));
    }
    return Finish(std::move(grammar_), budget_);
  }

 private:
  uint32_t AddNode() {
    grammar_.nodes.emplace_back();
    return static_cast<uint32_t>(grammar_.nodes.size()) - 1;
  }
  void AddEdge(uint32_t node, Edge::Kind kind, uint32_t id, uint32_t target) {
    grammar_.nodes[node].edges.push_back({kind, id, target});
  }

  Result<uint32_t> RuleOf(const Literals& literals) {
    const auto [entry, fresh] = rules_.try_emplace(literals, static_cast<uint32_t>(grammar_.rules.size()));
    if (fresh) {
      if (grammar_.rules.size() >= budget_.limits().max_rules || !budget_.Spend(50)) {
        return TooComplex("the schema");
      }
      grammar_.rules.push_back(AddNode());
      open_.push_back(&entry->first);
    }
    return entry->second;
  }
  // A node with whitespace before a value.
  Result<uint32_t> SpacedValue(const Literals& literals) {
    ATELIER_ASSIGN(rule, RuleOf(literals));
    const auto [entry, fresh] = spaced_.try_emplace(rule, 0);
    if (fresh) {
      const uint32_t before = AddNode();
      const uint32_t value = AddNode();
      AddEdge(before, Edge::Kind::kTerminal, grammar_.json.whitespace, value);
      AddEdge(value, Edge::Kind::kRule, rule, end_);
      entry->second = before;
    }
    return entry->second;
  }
  // Just a value.
  Result<uint32_t> Value(const Literals& literals) {
    ATELIER_ASSIGN(rule, RuleOf(literals));
    return grammar_.rules[rule];
  }

  Status BuildRule(uint32_t node, const Literals& literals) {
    ATELIER_ASSIGN(shapes, expander_.Expand(literals));
    uint8_t words = 0;
    DfaPtr numbers;
    for (const Shape& shape : shapes) {
      words |= shape.types & (kNull | kFalse | kTrue);
      if ((shape.types & kNumber) != 0) {
        ATELIER_ASSIGN(any, expander_.languages().Number());
        const DfaPtr& language = shape.number == nullptr ? any : shape.number;
        ATELIER_ASSIGN(either,
                       numbers == nullptr ? Result<DfaPtr>(language) : expander_.languages().Either(numbers, language));
        numbers = std::move(either);
      }
    }
    ATELIER_TRY(AddWords(node, words));
    if (numbers != nullptr) {
      AddTerminal(node, {.language = numbers});
    }
    for (const Shape& shape : shapes) {
      ATELIER_TRY(AddString(node, shape));
      if ((shape.types & kArray) != 0) {
        ATELIER_TRY(AddArray(node, shape.array, literals));
      }
      if ((shape.types & kObject) != 0) {
        ATELIER_TRY(AddObject(node, shape.object));
      }
    }
    return {};
  }

  void AddTerminal(uint32_t node, const Terminal& terminal) {
    AddEdge(node, Edge::Kind::kTerminal, terminals_.Add(terminal), end_);
  }
  Status AddWords(uint32_t node, uint8_t types) {
    std::vector<std::string> words;
    for (const auto& [bit, word] : {std::pair{kNull, "null"}, {kFalse, "false"}, {kTrue, "true"}}) {
      if ((types & bit) != 0) {
        words.emplace_back(word);
      }
    }
    if (!words.empty()) {
      ATELIER_ASSIGN(language, expander_.languages().Words(words));
      AddTerminal(node, {.language = language});
    }
    return {};
  }
  Status AddString(uint32_t node, const Shape& shape) {
    const StringPart& part = shape.string;
    if ((shape.types & kString) == 0 || part.min > part.max) {
      return {};
    }
    Terminal terminal{.language = part.language, .json_string = true};
    if (part.language != nullptr) {
      ATELIER_ASSIGN(limited, expander_.languages().Limited(part.language, part.min, part.max));
      terminal.language = limited;
    } else {
      ATELIER_ASSIGN(any, expander_.languages().Text());
      terminal.language = any;
      if (part.min >= Terminal::kNoLimit) {
        return TooComplex("a minLength");
      }
      terminal.min_length = static_cast<uint32_t>(part.min);
      terminal.max_length = static_cast<uint32_t>(std::min<uint64_t>(part.max, Terminal::kNoLimit));
    }
    if (!terminal.language->empty()) {
      AddTerminal(node, terminal);
    }
    return {};
  }

  Result<ArrayRule::Item> ItemOf(const Literals& literals, const ArrayPart& part) {
    ArrayRule::Item item;
    if (part.contains.empty()) {
      ATELIER_ASSIGN(plain, Value(literals));
      item.plain = plain;
      return item;
    }
    const auto& contains = part.contains.front();
    Literals counted = literals;
    Add(counted, contains.literals);
    ATELIER_ASSIGN(counted_node, Value(counted));
    item.counted = counted_node;
    Literals others = literals;
    if (contains.max != kNoBound) {  // then what satisfies it must not pass uncounted
      const Literal& one = contains.literals.front();
      Add(others, {one.schema, !one.negated});
    }
    ATELIER_ASSIGN(plain, Value(others));
    item.plain = plain;
    return item;
  }
  Status AddArray(uint32_t node, const ArrayPart& part, const Literals& literals) {
    const std::string pointer = literals.empty() ? "" : expander_.references().PointerOf(*literals[0].schema);
    if (part.unique && part.max > 1) {
      return Unsupported("the schema's keyword 'uniqueItems'", pointer + "/uniqueItems");
    }
    if (part.contains.size() > 1) {
      return Unsupported("more than one 'contains' of one array", pointer + "/contains");
    }
    ArrayRule array{.prefix = {}, .rest = {}, .min = part.min, .max = part.max};
    if (!part.contains.empty()) {
      array.min_contains = part.contains.front().min;
      array.max_contains = part.contains.front().max;
    }
    for (size_t i = 0; i < part.prefix.size() && i < part.max; ++i) {
      ATELIER_ASSIGN(item, ItemOf(part.prefix[i], part));
      array.prefix.push_back(item);
    }
    if (part.max > part.prefix.size()) {
      ATELIER_ASSIGN(rest, ItemOf(part.rest, part));
      array.rest = rest;
    }
    AddEdge(node, Edge::Kind::kArray, static_cast<uint32_t>(grammar_.arrays.size()), end_);
    grammar_.arrays.push_back(std::move(array));
    return {};
  }

  bool IsForbidden(const Literals& literals) const {
    return std::any_of(literals.begin(), literals.end(), [](const Literal& literal) {
      return literal.schema->is_bool() && literal.schema->get_bool() == literal.negated;
    });
  }
  Status AddObject(uint32_t node, const ObjectPart& part) {
    std::vector<std::string> names;
    for (const auto& property : part.properties) {
      names.push_back(property.name);
    }
    const size_t declared = names.size();
    for (const auto& name : part.required) {
      if (std::find(names.begin(), names.begin() + static_cast<ptrdiff_t>(declared), name) ==
          names.begin() + static_cast<ptrdiff_t>(declared)) {
        names.push_back(name);
      }
    }
    ObjectRule object{.properties = {}, .extras = {}, .min = part.min, .max = part.max};
    if (names.size() > budget_.limits().max_properties || !budget_.Spend(names.size() * names.size() / 8)) {
      return TooComplex("an object with so many properties");
    }
    for (const auto& name : names) {
      const bool required = std::find(part.required.begin(), part.required.end(), name) != part.required.end();
      ATELIER_TRY(AddProperty(object, part, name, required));
    }
    ATELIER_TRY(AddExtras(object, part, names));
    object.any_order = options_.order == PropertyOrder::kAny && object.properties.size() <= kMaxAnyOrder;
    AddEdge(node, Edge::Kind::kObject, static_cast<uint32_t>(grammar_.objects.size()), end_);
    grammar_.objects.push_back(std::move(object));
    return {};
  }
  Status AddProperty(ObjectRule& object, const ObjectPart& part, const std::string& name, bool required) {
    const bool named = std::all_of(part.names.begin(), part.names.end(),
                                   [&](const DfaPtr& language) { return language->Matches(name); });
    Literals literals = part.ValueOf(name);
    if (!named) {
      literals = {expander_.False()};
    }
    if (IsForbidden(literals) && !required) {
      return {};
    }
    ATELIER_ASSIGN(value, SpacedValue(literals));
    ATELIER_ASSIGN(key, terminals_.Key(name));
    object.properties.push_back({.key = key, .value = value, .required = required});
    return {};
  }

  // Keys that are not declared, by which patterns they match.
  struct KeyClass {
    DfaPtr language;
    std::vector<bool> matches;
  };
  Status AddExtras(ObjectRule& object, const ObjectPart& part, const std::vector<std::string>& names) {
    std::vector<DfaPtr> patterns;
    const auto note = [&](const DfaPtr& pattern) {
      if (std::find(patterns.begin(), patterns.end(), pattern) == patterns.end()) {
        patterns.push_back(pattern);
      }
    };
    for (const auto& pattern : part.patterns) {
      note(pattern.language);
    }
    for (const auto& additional : part.additional) {
      std::for_each(additional.patterns.begin(), additional.patterns.end(), note);
    }
    if (patterns.empty() && IsForbidden(ExtraLiterals(part, patterns, {}))) {
      return {};
    }
    Languages& languages = expander_.languages();
    ATELIER_ASSIGN(declared, languages.Words(names));
    ATELIER_ASSIGN(others, names.empty() ? languages.Text() : languages.Without(nullptr, declared));
    for (const auto& language : part.names) {
      ATELIER_ASSIGN(both, languages.Both(others, language));
      others = std::move(both);
    }
    ATELIER_ASSIGN(classes, Partition({.language = others, .matches = {}}, patterns));
    for (const KeyClass& one : classes) {
      ATELIER_TRY(AddExtra(object, one.language, ExtraLiterals(part, patterns, one.matches)));
    }
    return {};
  }
  Result<std::vector<KeyClass>> Partition(KeyClass whole, const std::vector<DfaPtr>& patterns) {
    std::vector<KeyClass> classes{std::move(whole)};
    for (const auto& pattern : patterns) {
      std::vector<KeyClass> next;
      for (const KeyClass& one : classes) {
        for (const bool inside : {true, false}) {
          ATELIER_ASSIGN(language, inside ? expander_.languages().Both(one.language, pattern)
                                          : expander_.languages().Without(one.language, pattern));
          if (!language->empty()) {
            next.push_back({language, one.matches});
            next.back().matches.push_back(inside);
          }
        }
      }
      classes = std::move(next);
      if (classes.size() > kMaxKeyClasses) {
        return TooComplex("the overlap of patternProperties");
      }
    }
    return classes;
  }
  static Literals ExtraLiterals(const ObjectPart& part, const std::vector<DfaPtr>& patterns,
                                const std::vector<bool>& matches) {
    const auto matched = [&](const DfaPtr& pattern) {
      return matches[static_cast<size_t>(std::find(patterns.begin(), patterns.end(), pattern) - patterns.begin())];
    };
    Literals literals;
    for (const auto& pattern : part.patterns) {
      if (matched(pattern.language)) {
        Add(literals, pattern.literals);
      }
    }
    for (const auto& additional : part.additional) {
      if (std::none_of(additional.patterns.begin(), additional.patterns.end(), matched)) {
        Add(literals, additional.literals);
      }
    }
    return literals;
  }
  Status AddExtra(ObjectRule& object, const DfaPtr& language, const Literals& literals) {
    if (IsForbidden(literals) || language->empty()) {
      return {};
    }
    ATELIER_ASSIGN(value, SpacedValue(literals));
    // A few possible keys are as good as declared, and then each can come once only.
    if (const auto words = Words(*language, kMaxKeyWords)) {
      for (const auto& word : *words) {
        ATELIER_ASSIGN(key, terminals_.Key(word));
        object.properties.push_back({.key = key, .value = value, .required = false});
      }
      return {};
    }
    const uint32_t key = AddNode();
    const uint32_t colon = AddNode();
    AddEdge(key, Edge::Kind::kTerminal, terminals_.Add({.language = language, .json_string = true}), colon);
    AddEdge(colon, Edge::Kind::kTerminal, terminals_.colon(), value);
    object.extras.push_back(key);
    return {};
  }

  Grammar grammar_;
  Expander expander_;
  const JsonOptions options_;
  Budget& budget_;
  JsonTerminals terminals_;
  uint32_t end_ = 0;  // a node that only ends its rule
  std::map<Literals, uint32_t> rules_;
  std::vector<const Literals*> open_;  // of each rule; borrowed from rules_
  std::map<uint32_t, uint32_t> spaced_;
};

}  // namespace

Result<GrammarPtr> CompileJsonSchema(const json::value& schema, const JsonOptions& options, Budget& budget) {
  ATELIER_ASSIGN(references, SchemaReferences::Index(schema, budget));
  return Compiler(references, options, budget).Run(schema);
}

Result<GrammarPtr> CompileJsonSchemaText(std::string_view schema, const JsonOptions& options, Budget& budget) {
  ATELIER_ASSIGN(document, ParseJson(schema, {.max_bytes = budget.limits().max_source_bytes,
                                              .max_depth = budget.limits().max_source_depth}));
  return CompileJsonSchema(document, options, budget);
}

Result<GrammarPtr> CompileJsonObject(const JsonOptions& options, Budget& budget) {
  const json::value schema = json::object{{"type", "object"}};
  return CompileJsonSchema(schema, options, budget);
}

}  // namespace atelier::engine::grammar
