// The parameters of steps: declared as data, checked in one place.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "data/steps/schema.h"

namespace atelier::data::steps {

enum class ParameterType {
  kBool,
  kInteger,
  kNumber,
  kText,
  kScalarValue,  // text, number or bool
  kChoice,       // one of `choices`
  kColumn,
  kColumns,
  kTexts,    // list of texts
  kNumbers,  // list of numbers
  kMap,      // object of text -> text or null
};

struct Parameter {
  std::string_view name{};
  ParameterType type = ParameterType::kText;
  std::string_view help{};
  // What counts where it is absent, as JSON; "null": it may be left out; "": it must be given. Of kColumns also "all"
  // (columns of the kinds that fit) and "features" (these without the target).
  std::string_view fallback{};
  double minimum = std::numeric_limits<double>::lowest();  // kInteger, kNumber, each of kNumbers
  double maximum = std::numeric_limits<double>::max();
  std::string_view choices{};     // "mean|median"
  unsigned columns = kAnyColumn;  // kinds that kColumn and kColumns may name
};

// Of every step that draws. Absent: the seed of the whole list.
inline constexpr Parameter kSeedParameter{.name = "seed",
                                          .type = ParameterType::kInteger,
                                          .help = "Seed of this step; absent: that of the whole list",
                                          .fallback = "null",
                                          .minimum = 0,
                                          .maximum = 9007199254740991.0};

struct StepKind;

// Checked parameters of one step. A getter may be asked only for a declared parameter of its type; the value is there
// unless the fallback is null, which Has tells.
class Arguments {
 public:
  bool Has(std::string_view name) const;
  bool Bool(std::string_view name) const;
  int64_t Integer(std::string_view name) const;
  double Number(std::string_view name) const;
  std::string Text(std::string_view name) const;  // also of a choice
  const json::value& Value(std::string_view name) const;
  size_t Column(std::string_view name) const;                // index into the schema before the step
  std::vector<size_t> Columns(std::string_view name) const;  // in the order given, each once
  std::vector<std::string> Texts(std::string_view name) const;
  std::vector<double> Numbers(std::string_view name) const;
  const json::object& Map(std::string_view name) const;

  // The seed of this step: no two steps of a list draw the same numbers.
  uint64_t seed() const { return seed_; }
  // kInvalidArgument on "steps[2].<where>".
  Error Wrong(std::string_view where, const std::string& message) const;
  // The step as it is recorded: {"step": name, ...}, every parameter with its value.
  const json::object& canonical() const { return canonical_; }
  // All columns that the parameters name.
  const std::vector<size_t>& touched() const { return touched_; }

 private:
  friend class ArgumentReader;
  json::object canonical_;
  std::vector<std::pair<std::string, std::vector<size_t>>> columns_;
  std::vector<size_t> touched_;
  std::string path_;
  uint64_t seed_ = 0;
};

// Checks one step of a list. `index` and `seed` make its own seed. Errors: kInvalidArgument naming the parameter under
// "steps[index]".
Result<Arguments> CheckArguments(const StepKind& kind, const json::object& given, size_t index, uint64_t seed,
                                 const Schema& schema);

// What a person or a program needs to write a step: {"step", "help", "parameters": [...]}.
json::object Describe(const StepKind& kind);

}  // namespace atelier::data::steps
