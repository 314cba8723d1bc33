// Statements and macros.
#include <algorithm>

#include "text/template/evaluator.h"
#include "text/template/loop.h"
#include "text/template/objects.h"
#include "text/template/operations.h"
#include "text/template/text_form.h"

namespace atelier::text::jinja {
namespace {

// A macro, or the body of a call block, with the scope that it was defined in.
class Macro final : public Object {
 public:
  Macro(Evaluator& evaluator, const MacroBody& macro, ScopePtr closure)
      : evaluator_(evaluator), macro_(macro), closure_(std::move(closure)) {}

  std::string_view type_name() const override { return "Macro"; }
  bool callable() const override { return true; }
  Result<Value> Call(Runtime& /*runtime*/, CallArgs args) override {
    return evaluator_.CallMacro(macro_, closure_, std::move(args));
  }
  Result<std::optional<Value>> Attribute(Runtime& /*runtime*/, const std::string& name) override {
    return name == "name" ? std::optional(Value::Constant(macro_.signature.name)) : std::nullopt;
  }

 private:
  Evaluator& evaluator_;
  const MacroBody& macro_;
  ScopePtr closure_;
};

}  // namespace

Evaluator::Evaluator(Runtime& runtime, Dict& context)
    : runtime_(runtime), context_(context), scope_(std::make_shared<Scope>(nullptr)) {}

Result<std::string> Evaluator::Render(const Body& body) {
  TextBuilder out(runtime_);
  out_ = &out;
  ATELIER_TRY(Execute(body));
  out_ = nullptr;
  return out.Take();
}

Result<Evaluator::Flow> Evaluator::Execute(const Body& body) {
  const DepthGuard guard(runtime_);
  ATELIER_TRY(guard.status());
  for (const Stmt& statement : body) {
    runtime_.set_line(statement.line);
    ATELIER_TRY(runtime_.Step());
    ATELIER_ASSIGN(flow, std::visit([&](const auto& node) { return Exec(node); }, statement.node));
    if (flow != Flow::kNormal) {
      return flow;
    }
  }
  return Flow::kNormal;
}

Result<Evaluator::Flow> Evaluator::ExecuteInScope(const Body& body, ScopePtr scope) {
  const ScopeSwitch inside(*this, std::move(scope));
  return Execute(body);
}

Status Evaluator::Write(const Value& value) { return AppendStr(*out_, value); }

Result<Evaluator::Flow> Evaluator::Exec(const OutputText& node) {
  ATELIER_TRY(out_->Add(node.text));
  return Flow::kNormal;
}

Result<Evaluator::Flow> Evaluator::Exec(const OutputValue& node) {
  ATELIER_ASSIGN(value, Evaluate(*node.value));
  ATELIER_TRY(Write(value));
  return Flow::kNormal;
}

Result<Evaluator::Flow> Evaluator::Exec(const If& node) {
  for (const auto& [condition, body] : node.branches) {
    ATELIER_ASSIGN(value, Evaluate(*condition));
    if (Truth(value)) {
      return Execute(body);
    }
  }
  return Execute(node.otherwise);
}

Result<Evaluator::Flow> Evaluator::Exec(const For& node) {
  ATELIER_ASSIGN(iterable, Evaluate(*node.iterable));
  return RunLoop(node, iterable, 1);
}

Result<Evaluator::Flow> Evaluator::RunLoop(const For& node, const Value& iterable, int depth) {
  Loop::Source source;
  ATELIER_ASSIGN(items, Iterate(runtime_, iterable));
  source.items = std::move(items);
  source.depth = depth;
  const ScopePtr outer = scope_;
  if (node.condition != nullptr) {
    source.condition = [this, &node, outer](const Value& item) -> Result<bool> {
      const ScopeSwitch inside(*this, std::make_shared<Scope>(outer));
      ATELIER_TRY(Assign(node.target, item));
      ATELIER_ASSIGN(value, Evaluate(*node.condition));
      return Truth(value);
    };
  }
  if (node.recursive) {
    source.recurse = [this, &node, outer, depth](const Value& argument) -> Result<Value> {
      const ScopeSwitch inside(*this, outer);
      TextBuilder out(runtime_);
      TextBuilder* const before = std::exchange(out_, &out);
      auto flow = RunLoop(node, argument, depth + 1);
      out_ = before;
      return flow.ok() ? Result<Value>(out.Finish()) : std::move(flow).error();
    };
  }
  Loop* loop = runtime_.heap().New<Loop>(std::move(source));
  bool ran = false;
  for (;;) {
    ATELIER_ASSIGN(there, loop->Advance());
    if (!there) {
      break;
    }
    ran = true;
    ATELIER_TRY(runtime_.Step());
    const ScopeSwitch inside(*this, std::make_shared<Scope>(outer));
    scope_->Set("loop", Value(static_cast<Object*>(loop)));
    ATELIER_TRY(Assign(node.target, loop->current()));
    ATELIER_ASSIGN(flow, Execute(node.body));
    if (flow == Flow::kBreak) {
      break;
    }
  }
  loop->Finish();
  return ran || node.otherwise.empty() ? Flow::kNormal : ExecuteInScope(node.otherwise, NewScope());
}

Status Evaluator::Assign(const Target& target, const Value& value) {
  if (target.is_tuple) {
    return AssignParts(target, value);
  }
  if (target.attribute.empty()) {
    scope_->Set(target.name, value);
    return {};
  }
  const Value* found = FindVariable(target.name);
  auto* space = found == nullptr ? nullptr : dynamic_cast<Namespace*>(found->object());
  if (space == nullptr) {
    return TemplateError("cannot assign attribute on non-namespace object '" + target.name + "'");
  }
  space->Set(runtime_, Value::Constant(target.attribute), value);
  return {};
}

Status Evaluator::AssignParts(const Target& target, const Value& value) {
  ATELIER_ASSIGN(items, Iterate(runtime_, value));
  if (items.size() != target.parts.size()) {
    return TemplateError("cannot unpack " + std::to_string(items.size()) + " values into " +
                         std::to_string(target.parts.size()));
  }
  for (size_t i = 0; i < items.size(); ++i) {
    ATELIER_TRY(Assign(target.parts[i], items[i]));
  }
  return {};
}

Result<Evaluator::Flow> Evaluator::Exec(const Set& node) {
  ATELIER_ASSIGN(value, Evaluate(*node.value));
  ATELIER_TRY(Assign(node.target, value));
  return Flow::kNormal;
}

Result<Value> Evaluator::Capture(const Body& body, Flow& flow) {
  TextBuilder out(runtime_);
  TextBuilder* const before = std::exchange(out_, &out);
  auto result = ExecuteInScope(body, NewScope());
  out_ = before;
  ATELIER_ASSIGN(ended, std::move(result));
  flow = ended;
  return out.Finish();
}

Result<Value> Evaluator::ApplyToCaptured(const ExprPtr& filters, Value captured) {
  if (filters == nullptr) {
    return captured;
  }
  captured_ = std::move(captured);
  return Evaluate(*filters);
}

Result<Evaluator::Flow> Evaluator::Exec(const SetBlock& node) {
  Flow flow = Flow::kNormal;
  ATELIER_ASSIGN(text, Capture(node.body, flow));
  ATELIER_ASSIGN(value, ApplyToCaptured(node.filters, text));
  ATELIER_TRY(Assign(node.target, value));
  return flow;
}

Result<Evaluator::Flow> Evaluator::Exec(const FilterBlock& node) {
  Flow flow = Flow::kNormal;
  ATELIER_ASSIGN(text, Capture(node.body, flow));
  ATELIER_ASSIGN(value, ApplyToCaptured(node.filters, text));
  ATELIER_TRY(Write(value));
  return flow;
}

Result<Evaluator::Flow> Evaluator::Exec(const MacroDefinition& node) {
  auto* macro = runtime_.heap().New<Macro>(*this, *node.macro, scope_);
  scope_->Set(node.macro->signature.name, Value(static_cast<Object*>(macro)));
  return Flow::kNormal;
}

Result<Evaluator::Flow> Evaluator::Exec(const CallBlock& node) {
  const Value caller(static_cast<Object*>(runtime_.heap().New<Macro>(*this, *node.caller, scope_)));
  ATELIER_ASSIGN(value, EvaluateCall(std::get<Call>(node.call->node), node.call->line, caller));
  ATELIER_TRY(Write(value));
  return Flow::kNormal;
}

Result<Evaluator::Flow> Evaluator::Exec(const With& node) {
  const ScopePtr scope = NewScope();
  for (const auto& [target, expression] : node.assignments) {
    ATELIER_ASSIGN(value, Evaluate(*expression));  // in the scope outside
    scope->Set(target.name, std::move(value));
  }
  return ExecuteInScope(node.body, scope);
}

Result<Evaluator::Flow> Evaluator::Exec(const Break& /*node*/) { return Flow::kBreak; }

Result<Evaluator::Flow> Evaluator::Exec(const Continue& /*node*/) { return Flow::kContinue; }

// Arguments that no parameter takes: varargs, kwargs and caller, where the macro names them.
Status Evaluator::BindExtras(const Signature& signature, Scope& scope, CallArgs args) {
  const size_t count = signature.parameters.size();
  if (args.positional.size() > count && !signature.takes_varargs) {
    return TemplateError("macro '" + signature.name + "' takes not more than " + std::to_string(count) +
                         " argument(s)");
  }
  if (signature.takes_varargs) {
    const size_t skipped = std::min(count, args.positional.size());
    std::vector<Value> rest(args.positional.begin() + static_cast<std::ptrdiff_t>(skipped), args.positional.end());
    scope.Set("varargs", runtime_.heap().NewList(std::move(rest), Shape::kTuple));
  }
  Value caller;
  Dict* kwargs = runtime_.heap().NewDict();
  for (auto& [name, value] : args.named) {
    if (name == "caller" && signature.takes_caller) {
      caller = std::move(value);
    } else if (signature.takes_kwargs) {
      kwargs->Set(Value::Constant(name), std::move(value));
    } else {
      return TemplateError("macro '" + signature.name + "' takes no keyword argument '" + name + "'");
    }
  }
  if (signature.takes_caller) {
    scope.Set("caller", caller);
  }
  if (signature.takes_kwargs) {
    scope.Set("kwargs", Value(kwargs));
  }
  return {};
}

// Parameters in order, so that a default may use those before it. `scope` must be the current one.
Status Evaluator::BindParameters(const Signature& signature, Scope& scope, CallArgs args) {
  const size_t required = signature.parameters.size() - signature.defaults.size();
  for (size_t i = 0; i < signature.parameters.size(); ++i) {
    const std::string& parameter = signature.parameters[i];
    const auto named = std::ranges::find(args.named, parameter, &std::pair<std::string, Value>::first);
    if (i < args.positional.size()) {
      if (named != args.named.end()) {
        return TemplateError("macro '" + signature.name + "' got several values for '" + parameter + "'");
      }
      scope.Set(parameter, args.positional[i]);
    } else if (named != args.named.end()) {
      scope.Set(parameter, named->second);
      args.named.erase(named);
    } else if (i >= required) {
      ATELIER_ASSIGN(value, Evaluate(*signature.defaults[i - required]));
      scope.Set(parameter, std::move(value));
    } else {
      scope.Set(parameter, Value(Undefined{&parameter}));
    }
  }
  return BindExtras(signature, scope, std::move(args));
}

Result<Value> Evaluator::CallMacro(const MacroBody& macro, const ScopePtr& closure, CallArgs args) {
  const ScopeSwitch inside(*this, std::make_shared<Scope>(closure));
  ATELIER_TRY(BindParameters(macro.signature, *scope_, std::move(args)));
  TextBuilder out(runtime_);
  TextBuilder* const before = std::exchange(out_, &out);
  auto flow = Execute(macro.body);
  out_ = before;
  ATELIER_TRY(std::move(flow));
  return out.Finish();
}

}  // namespace atelier::text::jinja
