// The syntax tree of a template. Plain data, owned by its root, never changed after parsing.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "text/template/value.h"

namespace atelier::text::jinja {

struct Native;  // native.h
struct Expr;
struct Stmt;
using ExprPtr = std::unique_ptr<Expr>;
using Body = std::vector<Stmt>;

// `*args` and `**kwargs` in calls are not part of the language here.
struct Arguments {
  std::vector<ExprPtr> positional;
  std::vector<std::pair<std::string, ExprPtr>> named;
};

struct Constant {
  Value value;
};
struct NameRef {
  std::string name;
};
struct Attribute {  // base.name
  ExprPtr base;
  std::string name;
  Value key;  // the name as a string
};
struct Item {  // base[index]
  ExprPtr base;
  ExprPtr index;
  std::string name;  // of a constant index, for messages
};
struct Slice {  // base[begin:end:step], each may be null
  ExprPtr base;
  ExprPtr begin;
  ExprPtr end;
  ExprPtr step;
};
struct Call {
  ExprPtr callee;
  Arguments arguments;
};
struct FilterUse {
  ExprPtr input;
  std::string name;
  const Native* filter = nullptr;  // null: unknown, an error when it is reached
  Arguments arguments;
};
struct TestUse {
  ExprPtr input;
  std::string name;
  const Native* test = nullptr;  // as above
  Arguments arguments;
};
struct Unary {
  enum class Operator { kNot, kMinus, kPlus } operation;
  ExprPtr operand;
};
enum class BinaryOperator { kAdd, kSubtract, kMultiply, kDivide, kFloorDivide, kModulo, kPower, kConcat };
struct Chain {  // first (operator operand)*, from the left, operators of one precedence
  ExprPtr first;
  std::vector<std::pair<BinaryOperator, ExprPtr>> rest;
};
enum class CompareOperator { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kIn, kNotIn };
struct Compare {  // a < b < c, as Python chains it
  ExprPtr first;
  std::vector<std::pair<CompareOperator, ExprPtr>> rest;
};
struct Logic {  // a and b and c, or with or
  bool is_and = false;
  std::vector<ExprPtr> operands;
};
struct Conditional {
  ExprPtr condition;
  ExprPtr then;
  ExprPtr otherwise;  // may be null: undefined
};
struct Sequence {
  Shape shape = Shape::kList;
  std::vector<ExprPtr> items;
};
struct DictLiteral {
  std::vector<std::pair<ExprPtr, ExprPtr>> entries;
};
struct Captured {};  // the text of the block that a filter chain is applied to

struct Expr {
  int line = 0;
  int height = 1;  // of the tree below; bounded, so that walking it needs a bounded stack
  std::variant<Constant, NameRef, Attribute, Item, Slice, Call, FilterUse, TestUse, Unary, Chain, Compare, Logic,
               Conditional, Sequence, DictLiteral, Captured>
      node;
};

// What is assigned to: a name, an attribute of a namespace, or a tuple of targets.
struct Target {
  std::string name;
  std::string attribute;  // not empty: name.attribute
  std::vector<Target> parts;
  bool is_tuple = false;
};

struct OutputText {
  std::string text;
};
struct OutputValue {
  ExprPtr value;
};
struct If {
  std::vector<std::pair<ExprPtr, Body>> branches;
  Body otherwise;
};
struct For {
  Target target;
  ExprPtr iterable;
  ExprPtr condition;  // may be null
  Body body;
  Body otherwise;
  bool recursive = false;
};
struct Set {
  Target target;
  ExprPtr value;
};
struct SetBlock {
  Target target;
  ExprPtr filters;  // a chain on Captured; null: none
  Body body;
};
// Of a macro or of a call block.
struct Signature {
  std::string name;
  std::vector<std::string> parameters;
  std::vector<ExprPtr> defaults;  // of the last parameters
  bool takes_varargs = false;     // the body names `varargs`
  bool takes_kwargs = false;
  bool takes_caller = false;
};
struct MacroBody {
  Signature signature;
  Body body;
};
struct MacroDefinition {
  std::unique_ptr<MacroBody> macro;  // in its own memory: values point to it
};
struct CallBlock {
  std::unique_ptr<MacroBody> caller;
  ExprPtr call;  // a Call
};
struct FilterBlock {
  ExprPtr filters;  // a chain on Captured
  Body body;
};
struct With {  // also {% generation %}, without assignments: a body with a scope of its own
  std::vector<std::pair<Target, ExprPtr>> assignments;
  Body body;
};
struct Break {};
struct Continue {};

struct Stmt {
  int line = 0;
  std::variant<OutputText, OutputValue, If, For, Set, SetBlock, MacroDefinition, CallBlock, FilterBlock, With, Break,
               Continue>
      node;
};

}  // namespace atelier::text::jinja
