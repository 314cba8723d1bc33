// Conditions on rows, as text: the small language of the step `filter`.
//
//   condition  = and-part {"or" and-part};  and-part = not-part {"and" not-part};  not-part = ["not"] test
//   test       = value ("==" | "=" | "!=" | "<" | "<=" | ">" | ">=") value
//              | value ["not"] "in" "[" literal {"," literal} "]" | value "is" ["not"] "missing"
//              | ("contains" | "starts_with" | "ends_with") "(" value "," text ")" | "(" condition ")"
//   value      = column | `column` | literal | "length" "(" value ")" | "lower" "(" value ")" | "split"
//   literal    = number | 'text' | "text"
//
// `split` is the row's part: "train", "validation" or "test". A comparison with a missing value is false, whatever it
// says. length counts characters; lower changes A-Z alone. A number beside a text or a label stands for its own text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/steps/batch.h"
#include "data/steps/schema.h"

namespace atelier::data::steps {

// A condition that fits a schema. Thread-safe.
class Expression {
 public:
  // Errors: kInvalidArgument with the place in the text: no such column, types that cannot be compared, nested deeper
  // than 64, longer than 16 KiB.
  static Result<Expression> Parse(std::string_view text, const Schema& schema);

  bool Test(const Batch& batch, size_t row) const { return Truth(root_, batch, row); }
  const std::vector<size_t>& columns() const { return columns_; }
  bool reads_split() const { return reads_split_; }

 private:
  friend class ExpressionParser;

  enum class Op : uint8_t {
    kNumber,  // number
    kText,    // text
    kColumn,  // column
    kSplit,
    kLength,  // of children[0]
    kLower,
    kEqual,
    kUnequal,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kIn,  // children[0] in numbers or texts
    kMissing,
    kContains,  // children[0], text
    kStartsWith,
    kEndsWith,
    kNot,
    kAnd,
    kOr,
  };
  enum class Type : uint8_t { kBool, kNumber, kText };
  struct Node {
    Op op = Op::kNumber;
    Type type = Type::kBool;
    double number = 0;
    std::string text{};
    size_t column = 0;
    bool category = false;              // kColumn: of labels
    std::vector<std::string> labels{};  // kColumn: of the category
    std::vector<double> numbers{};      // kIn, sorted
    std::vector<std::string> texts{};   // kIn, sorted
    uint32_t children[2] = {0, 0};
  };

  bool Truth(uint32_t index, const Batch& batch, size_t row) const;
  bool Compare(const Node& node, const Batch& batch, size_t row) const;
  double Number(uint32_t index, const Batch& batch, size_t row) const;                                // NaN: missing
  std::string_view Text(uint32_t index, const Batch& batch, size_t row, std::string& scratch) const;  // "": missing

  std::vector<Node> nodes_;
  uint32_t root_ = 0;
  std::vector<size_t> columns_;
  bool reads_split_ = false;
};

}  // namespace atelier::data::steps
