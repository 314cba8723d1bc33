#include "text/template/chat_template.h"

#include <algorithm>

#include "base/ids.h"
#include "text/template/evaluator.h"
#include "text/template/parser.h"
#include "text/template/unicode.h"

namespace atelier::text {
namespace {

namespace json = boost::json;

constexpr size_t kMaxMessageBytes = 1000;

// The message as UTF-8, cut at a code point: templates and conversations get into messages.
std::string CleanMessage(std::string_view message) {
  std::string out;
  for (size_t at = 0; at < message.size() && out.size() < kMaxMessageBytes;) {
    const jinja::CodePoint point = jinja::DecodeAt(message, at);
    jinja::AppendUtf8(out, point.value);
    at += point.bytes;
  }
  return out;
}

Result<jinja::Value> FromJson(jinja::Runtime& runtime, const json::value& value);

Result<jinja::Value> FromObject(jinja::Runtime& runtime, const json::object& object) {
  jinja::Dict* dict = runtime.heap().NewDict();
  for (const auto& member : object) {
    ATELIER_ASSIGN(value, FromJson(runtime, member.value()));
    runtime.heap().Count(4 * sizeof(jinja::Value));
    dict->Set(runtime.heap().NewText(std::string(member.key())), std::move(value));
  }
  return jinja::Value(dict);
}

Result<jinja::Value> FromJson(jinja::Runtime& runtime, const json::value& value) {
  const jinja::DepthGuard guard(runtime);
  ATELIER_TRY(guard.status());
  ATELIER_TRY(runtime.Step());
  switch (value.kind()) {
    case json::kind::null:
      return jinja::Value(jinja::None{});
    case json::kind::bool_:
      return jinja::Value(value.get_bool());
    case json::kind::int64:
      return jinja::Value(jinja::Int{value.get_int64()});
    case json::kind::uint64:
      return jinja::Value(jinja::Int{value.get_uint64()});
    case json::kind::double_:
      return jinja::Value(value.get_double());
    case json::kind::string:
      return runtime.heap().NewText(std::string(value.get_string()));
    case json::kind::object:
      return FromObject(runtime, value.get_object());
    case json::kind::array:
      break;
  }
  std::vector<jinja::Value> items;
  items.reserve(value.get_array().size());
  for (const auto& item : value.get_array()) {
    ATELIER_ASSIGN(converted, FromJson(runtime, item));
    items.push_back(std::move(converted));
  }
  return runtime.heap().NewList(std::move(items));
}

class ParsedTemplate final : public ChatTemplate {
 public:
  explicit ParsedTemplate(jinja::Body body) : body_(std::move(body)) {}

  Result<std::string> Render(const json::object& context, const RenderLimits& limits) const override {
    jinja::Runtime runtime(limits);
    auto text = RenderWith(runtime, context);
    if (text.ok()) {
      return text;
    }
    Error error = std::move(text).error();
    const bool named = runtime.line() > 0 && !runtime.raised();
    error.message = CleanMessage((named ? "line " + std::to_string(runtime.line()) + ": " : "") + error.message);
    return error;
  }

 private:
  Result<std::string> RenderWith(jinja::Runtime& runtime, const json::object& context) const {
    ATELIER_ASSIGN(values, FromObject(runtime, context));
    return jinja::Evaluator(runtime, *values.dict()).Render(body_);
  }

  jinja::Body body_;
};

}  // namespace

Result<std::unique_ptr<ChatTemplate>> ChatTemplate::Parse(std::string_view source) {
  auto body = jinja::ParseTemplate(source);
  if (!body.ok()) {
    Error error = std::move(body).error();
    error.message = CleanMessage("the chat template is not valid: " + error.message);
    return error;
  }
  return std::unique_ptr<ChatTemplate>(std::make_unique<ParsedTemplate>(std::move(*body)));
}

}  // namespace atelier::text
