#include "data/steps/expression.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace atelier::data::steps {
namespace {

int64_t Characters(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
}

}  // namespace

double Expression::Number(uint32_t index, const Batch& batch, size_t row) const {
  const Node& node = nodes_[index];
  if (node.op == Op::kLength) {
    std::string scratch;
    return static_cast<double>(Characters(Text(node.children[0], batch, row, scratch)));
  }
  // Columns hold 32-bit floats: 0.1 must be the same 0.1.
  return node.op == Op::kColumn ? batch.columns[node.column].numbers[row] : static_cast<float>(node.number);
}

std::string_view Expression::Text(uint32_t index, const Batch& batch, size_t row, std::string& scratch) const {
  const Node& node = nodes_[index];
  if (node.op == Op::kSplit) {
    return Name(static_cast<Split>(batch.splits[row]));
  }
  if (node.op == Op::kLower) {
    std::string inner;
    scratch = Text(node.children[0], batch, row, inner);
    std::ranges::transform(scratch, scratch.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return scratch;
  }
  if (node.op != Op::kColumn) {
    return node.text;
  }
  if (!node.category) {
    return batch.columns[node.column].Text(row);
  }
  const int32_t code = batch.columns[node.column].codes[row];
  return code < 0 ? std::string_view() : std::string_view(node.labels[static_cast<size_t>(code)]);
}

bool Expression::Compare(const Node& node, const Batch& batch, size_t row) const {
  int order = 0;
  if (nodes_[node.children[0]].type == Type::kNumber) {
    const double left = Number(node.children[0], batch, row);
    const double right = Number(node.children[1], batch, row);
    if (std::isnan(left) || std::isnan(right)) {
      return false;
    }
    order = left < right ? -1 : left > right ? 1 : 0;
  } else {
    std::string left_scratch;
    std::string right_scratch;
    const std::string_view left = Text(node.children[0], batch, row, left_scratch);
    const std::string_view right = Text(node.children[1], batch, row, right_scratch);
    if (left.empty() || right.empty()) {
      return false;
    }
    order = left.compare(right);
  }
  switch (node.op) {
    case Op::kEqual:
      return order == 0;
    case Op::kUnequal:
      return order != 0;
    case Op::kLess:
      return order < 0;
    case Op::kLessEqual:
      return order <= 0;
    case Op::kGreater:
      return order > 0;
    default:
      return order >= 0;
  }
}

bool Expression::Truth(uint32_t index, const Batch& batch, size_t row) const {
  const Node& node = nodes_[index];
  std::string scratch;
  switch (node.op) {
    case Op::kNot:
      return !Truth(node.children[0], batch, row);
    case Op::kAnd:
      return Truth(node.children[0], batch, row) && Truth(node.children[1], batch, row);
    case Op::kOr:
      return Truth(node.children[0], batch, row) || Truth(node.children[1], batch, row);
    case Op::kIn: {
      if (nodes_[node.children[0]].type == Type::kText) {
        return std::ranges::binary_search(node.texts, Text(node.children[0], batch, row, scratch));
      }
      const double number = Number(node.children[0], batch, row);
      return !std::isnan(number) && std::ranges::binary_search(node.numbers, number);
    }
    case Op::kMissing:
      return nodes_[node.children[0]].type == Type::kNumber ? std::isnan(Number(node.children[0], batch, row))
                                                            : Text(node.children[0], batch, row, scratch).empty();
    case Op::kContains:
      return Text(node.children[0], batch, row, scratch).find(node.text) != std::string_view::npos;
    case Op::kStartsWith:
      return Text(node.children[0], batch, row, scratch).starts_with(node.text);
    case Op::kEndsWith:
      return Text(node.children[0], batch, row, scratch).ends_with(node.text);
    default:
      return Compare(node, batch, row);
  }
}

}  // namespace atelier::data::steps
