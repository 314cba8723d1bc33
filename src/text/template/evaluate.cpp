// Expressions.
#include "text/template/evaluator.h"
#include "text/template/native.h"
#include "text/template/objects.h"
#include "text/template/operations.h"
#include "text/template/text_form.h"

namespace atelier::text::jinja {

Result<Value> Evaluator::Evaluate(const Expr& expression) {
  const DepthGuard guard(runtime_);
  ATELIER_TRY(guard.status());
  runtime_.set_line(expression.line);
  ATELIER_TRY(runtime_.Step());
  return std::visit([&](const auto& node) { return Eval(node, expression.line); }, expression.node);
}

Result<Value> Evaluator::EvaluateOr(const ExprPtr& expression, Value fallback) {
  return expression == nullptr ? Result<Value>(std::move(fallback)) : Evaluate(*expression);
}

Result<CallArgs> Evaluator::EvaluateArguments(const Arguments& arguments) {
  CallArgs args;
  args.positional.reserve(arguments.positional.size());
  for (const auto& argument : arguments.positional) {
    ATELIER_ASSIGN(value, Evaluate(*argument));
    args.positional.push_back(std::move(value));
  }
  for (const auto& [name, argument] : arguments.named) {
    ATELIER_ASSIGN(value, Evaluate(*argument));
    args.named.emplace_back(name, std::move(value));
  }
  return args;
}

const Value* Evaluator::FindVariable(const std::string& name) {
  const Value* found = scope_->Find(name);
  return found == nullptr ? context_.Find(std::string_view(name)) : found;
}

const Native* Evaluator::FindFunction(const std::string& name) const {
  return name == "strftime_now" && !runtime_.limits().now_s ? nullptr : FindGlobal(name);
}

Value Evaluator::LookUp(const std::string& name) {
  if (const Value* found = FindVariable(name)) {
    return *found;
  }
  const Native* function = FindFunction(name);
  return function == nullptr ? Value(Undefined{&name}) : BindNative(runtime_, *function, Value());
}

Result<Value> Evaluator::Eval(const Constant& node, int /*line*/) { return node.value; }

Result<Value> Evaluator::Eval(const NameRef& node, int /*line*/) { return LookUp(node.name); }

Result<Value> Evaluator::Eval(const Captured& /*node*/, int /*line*/) { return captured_; }

Result<Value> Evaluator::Eval(const Attribute& node, int line) {
  ATELIER_ASSIGN(base, Evaluate(*node.base));
  runtime_.set_line(line);
  return GetAttribute(runtime_, base, node.name, node.key);
}

Result<Value> Evaluator::Eval(const Item& node, int line) {
  ATELIER_ASSIGN(base, Evaluate(*node.base));
  ATELIER_ASSIGN(index, Evaluate(*node.index));
  runtime_.set_line(line);
  return GetItem(runtime_, base, index, node.name.empty() ? nullptr : &node.name);
}

Result<Value> Evaluator::Eval(const Slice& node, int line) {
  ATELIER_ASSIGN(base, Evaluate(*node.base));
  ATELIER_ASSIGN(begin, EvaluateOr(node.begin, Value(None{})));
  ATELIER_ASSIGN(end, EvaluateOr(node.end, Value(None{})));
  ATELIER_ASSIGN(step, EvaluateOr(node.step, Value(None{})));
  runtime_.set_line(line);
  return GetSlice(runtime_, base, {begin, end, step});
}

Result<Value> Evaluator::Eval(const Call& node, int line) { return EvaluateCall(node, line, std::nullopt); }

Result<Value> Evaluator::EvaluateCall(const Call& call, int line, const std::optional<Value>& caller) {
  // A method or function that is called where it is named needs no value of its own.
  const Native* native = nullptr;
  Value callee;
  if (const auto* attribute = std::get_if<Attribute>(&call.callee->node)) {
    ATELIER_ASSIGN(base, Evaluate(*attribute->base));
    native = FindMethod(base, attribute->name);
    callee = base;
    if (native == nullptr) {
      runtime_.set_line(line);
      ATELIER_ASSIGN(found, GetAttribute(runtime_, base, attribute->name, attribute->key));
      callee = found;
    }
  } else if (const auto* name = std::get_if<NameRef>(&call.callee->node)) {
    const Value* found = FindVariable(name->name);
    native = found == nullptr ? FindFunction(name->name) : nullptr;
    callee = found != nullptr ? *found : Value(Undefined{&name->name});
  } else {
    ATELIER_ASSIGN(found, Evaluate(*call.callee));
    callee = found;
  }
  ATELIER_ASSIGN(args, EvaluateArguments(call.arguments));
  if (caller) {
    args.named.emplace_back("caller", *caller);
  }
  runtime_.set_line(line);
  return native != nullptr ? CallNative(runtime_, *native, callee, std::move(args))
                           : runtime_.Call(callee, std::move(args));
}

Result<Value> Evaluator::Eval(const FilterUse& node, int line) {
  ATELIER_ASSIGN(input, Evaluate(*node.input));
  ATELIER_ASSIGN(args, EvaluateArguments(node.arguments));
  runtime_.set_line(line);
  if (node.filter == nullptr) {
    return TemplateError("there is no filter named '" + node.name + "'");
  }
  return CallNative(runtime_, *node.filter, input, std::move(args));
}

Result<Value> Evaluator::Eval(const TestUse& node, int line) {
  ATELIER_ASSIGN(input, Evaluate(*node.input));
  ATELIER_ASSIGN(args, EvaluateArguments(node.arguments));
  runtime_.set_line(line);
  if (node.test == nullptr) {
    return TemplateError("there is no test named '" + node.name + "'");
  }
  return CallNative(runtime_, *node.test, input, std::move(args));
}

Result<Value> Evaluator::Eval(const Unary& node, int line) {
  ATELIER_ASSIGN(operand, Evaluate(*node.operand));
  runtime_.set_line(line);
  if (node.operation == Unary::Operator::kNot) {
    return Value(!Truth(operand));
  }
  return Negate(operand, node.operation == Unary::Operator::kMinus);
}

Result<Value> Evaluator::EvalConcat(const Chain& node) {
  TextBuilder out(runtime_);
  ATELIER_ASSIGN(first, Evaluate(*node.first));
  ATELIER_TRY(AppendStr(out, first));
  for (const auto& [operation, operand] : node.rest) {
    ATELIER_ASSIGN(value, Evaluate(*operand));
    ATELIER_TRY(AppendStr(out, value));
  }
  return out.Finish();
}

Result<Value> Evaluator::Eval(const Chain& node, int line) {
  if (node.rest.front().first == BinaryOperator::kConcat) {
    return EvalConcat(node);
  }
  ATELIER_ASSIGN(value, Evaluate(*node.first));
  for (const auto& [operation, operand] : node.rest) {
    ATELIER_ASSIGN(right, Evaluate(*operand));
    runtime_.set_line(line);
    ATELIER_ASSIGN(result, Apply(runtime_, operation, value, right));
    value = result;
  }
  return value;
}

Result<Value> Evaluator::Eval(const Compare& node, int line) {
  ATELIER_ASSIGN(left, Evaluate(*node.first));
  for (const auto& [operation, operand] : node.rest) {
    ATELIER_ASSIGN(right, Evaluate(*operand));
    runtime_.set_line(line);
    ATELIER_ASSIGN(holds, ApplyCompare(runtime_, operation, left, right));
    if (!holds) {
      return Value(false);
    }
    left = right;
  }
  return Value(true);
}

Result<Value> Evaluator::Eval(const Logic& node, int /*line*/) {
  Value value;
  for (const auto& operand : node.operands) {
    ATELIER_ASSIGN(next, Evaluate(*operand));
    value = next;
    if (Truth(value) != node.is_and) {
      break;
    }
  }
  return value;
}

Result<Value> Evaluator::Eval(const Conditional& node, int /*line*/) {
  ATELIER_ASSIGN(condition, Evaluate(*node.condition));
  return Truth(condition) ? Evaluate(*node.then) : EvaluateOr(node.otherwise, Value());
}

Result<Value> Evaluator::Eval(const Sequence& node, int /*line*/) {
  std::vector<Value> items;
  items.reserve(node.items.size());
  for (const auto& item : node.items) {
    ATELIER_ASSIGN(value, Evaluate(*item));
    items.push_back(std::move(value));
  }
  return runtime_.heap().NewList(std::move(items), node.shape);
}

Result<Value> Evaluator::Eval(const DictLiteral& node, int line) {
  Dict* dict = runtime_.heap().NewDict();
  for (const auto& [key_expression, value_expression] : node.entries) {
    ATELIER_ASSIGN(key, Evaluate(*key_expression));
    ATELIER_ASSIGN(value, Evaluate(*value_expression));
    if (!IsKey(key)) {
      runtime_.set_line(line);
      return TemplateError("unhashable type: '" + std::string(TypeName(key)) + "'");
    }
    runtime_.heap().Count(4 * sizeof(Value));
    ATELIER_TRY(runtime_.Step(key.text().size() / 8));
    dict->Set(key, std::move(value));
  }
  return Value(dict);
}

}  // namespace atelier::text::jinja
