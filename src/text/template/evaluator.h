// Walks the tree of a template and writes its text.
#pragma once

#include <string>

#include "base/result.h"
#include "text/template/ast.h"
#include "text/template/runtime.h"
#include "text/template/scope.h"

namespace atelier::text::jinja {

// One rendering. The template, the runtime and the context must outlive it; used by one thread. Errors of all: what the
// template does wrong and the limits of the runtime, as runtime.h has them.
class Evaluator {
 public:
  Evaluator(Runtime& runtime, Dict& context);

  Result<std::string> Render(const Body& body);

  // Runs a macro that was defined in `closure` and gives its text.
  Result<Value> CallMacro(const MacroBody& macro, const ScopePtr& closure, CallArgs args);

 private:
  enum class Flow { kNormal, kBreak, kContinue };
  // Makes `scope` the current one, for as long as it lives.
  class ScopeSwitch {
   public:
    ScopeSwitch(Evaluator& evaluator, ScopePtr scope) : evaluator_(evaluator), before_(std::move(scope)) {
      evaluator_.scope_.swap(before_);
    }
    ScopeSwitch(const ScopeSwitch&) = delete;
    ScopeSwitch& operator=(const ScopeSwitch&) = delete;
    ~ScopeSwitch() { evaluator_.scope_.swap(before_); }

   private:
    Evaluator& evaluator_;
    ScopePtr before_;
  };
  ScopePtr NewScope() const { return std::make_shared<Scope>(scope_); }

  // evaluate.cpp
  Result<Value> Evaluate(const Expr& expression);
  Result<Value> EvaluateOr(const ExprPtr& expression, Value fallback);
  Result<CallArgs> EvaluateArguments(const Arguments& arguments);
  Result<Value> EvaluateCall(const Call& call, int line, const std::optional<Value>& caller);
  Value LookUp(const std::string& name);
  const Value* FindVariable(const std::string& name);
  const Native* FindFunction(const std::string& name) const;
  Result<Value> Eval(const Constant& node, int line);
  Result<Value> Eval(const NameRef& node, int line);
  Result<Value> Eval(const Attribute& node, int line);
  Result<Value> Eval(const Item& node, int line);
  Result<Value> Eval(const Slice& node, int line);
  Result<Value> Eval(const Call& node, int line);
  Result<Value> Eval(const FilterUse& node, int line);
  Result<Value> Eval(const TestUse& node, int line);
  Result<Value> Eval(const Unary& node, int line);
  Result<Value> Eval(const Chain& node, int line);
  Result<Value> EvalConcat(const Chain& node);
  Result<Value> Eval(const Compare& node, int line);
  Result<Value> Eval(const Logic& node, int line);
  Result<Value> Eval(const Conditional& node, int line);
  Result<Value> Eval(const Sequence& node, int line);
  Result<Value> Eval(const DictLiteral& node, int line);
  Result<Value> Eval(const Captured& node, int line);

  // execute.cpp
  Result<Flow> Execute(const Body& body);
  Result<Flow> ExecuteInScope(const Body& body, ScopePtr scope);
  Result<Flow> Exec(const OutputText& node);
  Result<Flow> Exec(const OutputValue& node);
  Result<Flow> Exec(const If& node);
  Result<Flow> Exec(const For& node);
  Result<Flow> Exec(const Set& node);
  Result<Flow> Exec(const SetBlock& node);
  Result<Flow> Exec(const MacroDefinition& node);
  Result<Flow> Exec(const CallBlock& node);
  Result<Flow> Exec(const FilterBlock& node);
  Result<Flow> Exec(const With& node);
  Result<Flow> Exec(const Break& node);
  Result<Flow> Exec(const Continue& node);
  Result<Flow> RunLoop(const For& node, const Value& iterable, int depth);
  Status Write(const Value& value);
  Status Assign(const Target& target, const Value& value);
  Status AssignParts(const Target& target, const Value& value);
  // Runs the body in a scope of its own and gives what it writes; `flow` is how it ended.
  Result<Value> Capture(const Body& body, Flow& flow);
  Result<Value> ApplyToCaptured(const ExprPtr& filters, Value captured);
  Status BindParameters(const Signature& signature, Scope& scope, CallArgs args);
  Status BindExtras(const Signature& signature, Scope& scope, CallArgs args);

  Runtime& runtime_;
  Dict& context_;
  ScopePtr scope_;
  TextBuilder* out_ = nullptr;
  Value captured_;
};

}  // namespace atelier::text::jinja
