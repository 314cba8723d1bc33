#include <algorithm>
#include <charconv>
#include <optional>

#include "data/formats/cells.h"
#include "data/steps/expression.h"

namespace atelier::data::steps {

// Recursive descent over the text itself; `at_` is the next character.
class ExpressionParser {
 public:
  ExpressionParser(std::string_view text, const Schema& schema) : text_(text), schema_(schema) {}

  Result<Expression> Parse() {
    if (text_.size() > kMaxBytes) {
      return Bad("a condition of more than 16 KiB");
    }
    ATELIER_ASSIGN(root, Or(0));
    SkipSpace();
    if (at_ < text_.size()) {
      return Bad("'and', 'or' or the end is expected");
    }
    out_.root_ = root;
    std::ranges::sort(out_.columns_);
    const auto rest = std::ranges::unique(out_.columns_);
    out_.columns_.erase(rest.begin(), rest.end());
    return std::move(out_);
  }

 private:
  using Op = Expression::Op;
  using Type = Expression::Type;
  using Node = Expression::Node;
  static constexpr size_t kMaxBytes = 16384;
  static constexpr int kMaxDepth = 64;

  Error Bad(const std::string& what) const {
    return InvalidArgument("at character " + std::to_string(at_ + 1) + ": " + what, "where");
  }

  void SkipSpace() {
    while (at_ < text_.size() && (text_[at_] == ' ' || (text_[at_] >= '\t' && text_[at_] <= '\r'))) {
      ++at_;
    }
  }

  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }
  static bool IsWord(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsDigit(c) || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  }

  std::string_view PeekWord() {
    SkipSpace();
    size_t end = at_;
    while (end < text_.size() && IsWord(text_[end])) {
      ++end;
    }
    return text_.substr(at_, end - at_);
  }

  bool TakeWord(std::string_view word) {
    if (PeekWord() != word) {
      return false;
    }
    at_ += word.size();
    return true;
  }

  bool Take(std::string_view symbol) {
    SkipSpace();
    if (!text_.substr(at_).starts_with(symbol)) {
      return false;
    }
    at_ += symbol.size();
    return true;
  }

  Status Expect(std::string_view symbol) {
    return Take(symbol) ? Status() : Status(Bad("'" + std::string(symbol) + "' is expected"));
  }

  uint32_t Add(Node node) {
    out_.nodes_.push_back(std::move(node));
    return static_cast<uint32_t>(out_.nodes_.size()) - 1;
  }
  uint32_t Add(Op op, uint32_t left, uint32_t right = 0) {
    Node node{.op = op};
    node.children[0] = left;
    node.children[1] = right;
    return Add(std::move(node));
  }
  Type TypeOf(uint32_t node) const { return out_.nodes_[node].type; }

  Result<uint32_t> Or(int depth) {
    if (depth > kMaxDepth) {
      return Bad("the condition is nested too deeply");
    }
    ATELIER_ASSIGN(left, And(depth));
    while (TakeWord("or")) {
      ATELIER_ASSIGN(right, And(depth));
      left = Add(Op::kOr, left, right);
    }
    return left;
  }

  Result<uint32_t> And(int depth) {
    ATELIER_ASSIGN(left, Not(depth));
    while (TakeWord("and")) {
      ATELIER_ASSIGN(right, Not(depth));
      left = Add(Op::kAnd, left, right);
    }
    return left;
  }

  Result<uint32_t> Not(int depth) {
    bool negated = false;
    while (TakeWord("not")) {
      negated = !negated;
    }
    ATELIER_ASSIGN(test, Test(depth));
    return negated ? Add(Op::kNot, test) : test;
  }

  Result<uint32_t> Test(int depth) {
    if (Take("(")) {
      ATELIER_ASSIGN(inner, Or(depth + 1));
      ATELIER_TRY(Expect(")"));
      return inner;
    }
    for (const auto& [word, op] : {std::pair{"contains", Op::kContains}, std::pair{"starts_with", Op::kStartsWith},
                                   std::pair{"ends_with", Op::kEndsWith}}) {
      if (PeekWord() == word && IsCall(word)) {
        TakeWord(word);
        return Search(op, depth);
      }
    }
    ATELIER_ASSIGN(value, Value(depth));
    if (TakeWord("is")) {
      const bool negated = TakeWord("not");
      if (!TakeWord("missing")) {
        return Bad("'missing' is expected");
      }
      const uint32_t missing = Add(Op::kMissing, value);
      return negated ? Add(Op::kNot, missing) : missing;
    }
    const bool negated = TakeWord("not");
    if (TakeWord("in")) {
      ATELIER_ASSIGN(in, In(value));
      return negated ? Add(Op::kNot, in) : in;
    }
    return negated ? Result<uint32_t>(Bad("'in' is expected")) : Comparison(value, depth);
  }

  // Whether a bracket follows the word: else it is a column's name.
  bool IsCall(std::string_view word) const {
    size_t next = at_ + word.size();
    while (next < text_.size() && text_[next] == ' ') {
      ++next;
    }
    return next < text_.size() && text_[next] == '(';
  }

  Result<uint32_t> Search(Op op, int depth) {
    ATELIER_TRY(Expect("("));
    ATELIER_ASSIGN(value, Value(depth));
    if (TypeOf(value) != Type::kText) {
      return Bad("a text is expected, not a number");
    }
    ATELIER_TRY(Expect(","));
    ATELIER_ASSIGN(needle, Literal());
    if (!needle || needle->type != Type::kText) {
      return Bad("a text in quotes is expected");
    }
    ATELIER_TRY(Expect(")"));
    Node node{.op = op, .text = needle->text};
    node.children[0] = value;
    return Add(std::move(node));
  }

  Result<uint32_t> Comparison(uint32_t left, int depth) {
    static constexpr std::pair<std::string_view, Op> kSymbols[] = {
        {"==", Op::kEqual}, {"!=", Op::kUnequal}, {"<=", Op::kLessEqual}, {">=", Op::kGreaterEqual},
        {"<", Op::kLess},   {">", Op::kGreater},  {"=", Op::kEqual}};
    for (const auto& [symbol, op] : kSymbols) {
      if (!Take(symbol)) {
        continue;
      }
      ATELIER_ASSIGN(right, Value(depth));
      if (TypeOf(left) != TypeOf(right)) {
        if (!AsText(left, op) && !AsText(right, op)) {
          return Bad("a number and a text cannot be compared; cast the column first");
        }
      }
      return Add(op, left, right);
    }
    return Bad("a comparison, 'in' or 'is missing' is expected");
  }

  // A literal number, compared for equality with a text, stands for its own text.
  bool AsText(uint32_t index, Op op) {
    Node& node = out_.nodes_[index];
    if (node.op != Op::kNumber || (op != Op::kEqual && op != Op::kUnequal)) {
      return false;
    }
    node.op = Op::kText;
    node.type = Type::kText;
    node.text = PrintNumber(node.number);
    return true;
  }

  Result<uint32_t> In(uint32_t value) {
    Node node{.op = Op::kIn};
    node.children[0] = value;
    ATELIER_TRY(Expect("["));
    do {
      ATELIER_ASSIGN(literal, Literal());
      if (!literal) {
        return Bad("a number or a text in quotes is expected");
      }
      if (TypeOf(value) == Type::kText) {
        node.texts.push_back(literal->type == Type::kText ? literal->text : PrintNumber(literal->number));
      } else if (literal->type == Type::kNumber) {
        node.numbers.push_back(static_cast<float>(literal->number));
      } else {
        return Bad("a number is expected");
      }
    } while (Take(","));
    ATELIER_TRY(Expect("]"));
    std::ranges::sort(node.numbers);
    std::ranges::sort(node.texts);
    return Add(std::move(node));
  }

  Result<uint32_t> Value(int depth) {
    if (depth > kMaxDepth) {
      return Bad("the condition is nested too deeply");
    }
    ATELIER_ASSIGN(literal, Literal());
    if (literal) {
      return Add(*std::move(literal));
    }
    const std::string_view word = PeekWord();
    if ((word == "length" || word == "lower") && IsCall(word)) {
      at_ += word.size();
      ATELIER_TRY(Expect("("));
      ATELIER_ASSIGN(inner, Value(depth + 1));
      if (TypeOf(inner) != Type::kText) {
        return Bad("a text is expected, not a number");
      }
      ATELIER_TRY(Expect(")"));
      const uint32_t call = Add(word == "length" ? Op::kLength : Op::kLower, inner);
      out_.nodes_[call].type = word == "length" ? Type::kNumber : Type::kText;
      return call;
    }
    return ColumnValue(word);
  }

  Result<uint32_t> ColumnValue(std::string_view word) {
    std::string name(word);
    if (Take("`")) {
      const size_t end = text_.find('`', at_);
      if (end == std::string_view::npos) {
        return Bad("a ` is never closed");
      }
      name = text_.substr(at_, end - at_);
      at_ = end + 1;
    } else if (name.empty()) {
      return Bad("a column, a number or a text is expected");
    } else {
      at_ += word.size();
    }
    const auto found = schema_.Find(name);
    if (!found) {
      if (name != "split") {
        return Bad("there is no column '" + name.substr(0, 100) + "' here");
      }
      out_.reads_split_ = true;
      return Add(Node{.op = Op::kSplit, .type = Type::kText});
    }
    const SchemaColumn& column = schema_.columns[*found];
    const unsigned kind = KindOf(column);
    if ((kind & (kScalar | kCategory | kText)) == 0) {
      return Bad("column '" + name + "' holds neither numbers nor text");
    }
    out_.columns_.push_back(*found);
    return Add(Node{.op = Op::kColumn,
                    .type = kind == kScalar ? Type::kNumber : Type::kText,
                    .column = *found,
                    .category = kind == kCategory,
                    .labels = column.categories});
  }

  // Nothing where no literal begins here.
  Result<std::optional<Node>> Literal() {
    SkipSpace();
    if (at_ == text_.size()) {
      return std::optional<Node>();
    }
    const char first = text_[at_];
    if (first == '"' || first == '\'') {
      return Quoted(first);
    }
    const size_t digit = first == '-' || first == '+' ? at_ + 1 : at_;
    if (digit >= text_.size() || (!IsDigit(text_[digit]) && text_[digit] != '.')) {
      return std::optional<Node>();
    }
    size_t end = digit;
    while (end < text_.size() && (IsWord(text_[end]) || text_[end] == '.' ||
                                  ((text_[end] == '-' || text_[end] == '+') && (text_[end - 1] | 0x20) == 'e'))) {
      ++end;
    }
    Node node{.op = Op::kNumber, .type = Type::kNumber};
    const NumberKind kind = ParseNumber(text_.substr(at_, end - at_), node.number);
    if (kind == NumberKind::kNone || kind == NumberKind::kOverflow) {
      return Bad("this is no number that fits");
    }
    at_ = end;
    return std::optional<Node>(std::move(node));
  }

  Result<std::optional<Node>> Quoted(char quote) {
    Node node{.op = Op::kText, .type = Type::kText};
    for (++at_; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (c == quote) {
        ++at_;
        return std::optional<Node>(std::move(node));
      }
      if (c == '\\' && at_ + 1 < text_.size()) {
        c = text_[++at_];
        c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
      }
      node.text += c;
    }
    return Bad("a quote is never closed");
  }

  std::string_view text_;
  const Schema& schema_;
  Expression out_;
  size_t at_ = 0;
};

Result<Expression> Expression::Parse(std::string_view text, const Schema& schema) {
  return ExpressionParser(text, schema).Parse();
}

}  // namespace atelier::data::steps
