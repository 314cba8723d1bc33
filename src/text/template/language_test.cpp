// The language, construct by construct, against what Python's jinja2 renders.
#include <gtest/gtest.h>

#include <string>

#include "base/json.h"
#include "text/template/chat_template.h"

namespace atelier::text {
namespace {

constexpr const char* kRaises = nullptr;

struct Case {
  const char* source;
  const char* expected;
};

constexpr Case kCases[] = {
#include "text/template/testdata/language_cases.inc"
};

constexpr const char* kContext =
#include "text/template/testdata/context.inc"
    ;

TEST(TemplateLanguageTest, AgreesWithJinja2) {
  auto context = ParseJson(kContext);
  ASSERT_TRUE(context.ok()) << context.error().message;
  RenderLimits limits;
  limits.now_s = 1721995445;
  for (const auto& [source, expected] : kCases) {
    auto parsed = ChatTemplate::Parse(source);
    auto text = parsed.ok() ? (*parsed)->Render(context->get_object(), limits) : std::move(parsed).error();
    if (expected == kRaises) {
      EXPECT_FALSE(text.ok()) << source << " gives " << *text;
    } else if (text.ok()) {
      EXPECT_EQ(*text, expected) << source;
    } else {
      ADD_FAILURE() << source << ": " << text.error().message;
    }
  }
}

std::string ErrorOf(const std::string& source) {
  auto parsed = ChatTemplate::Parse(source);
  if (!parsed.ok()) {
    return parsed.error().reason + ": " + parsed.error().message;
  }
  auto text = (*parsed)->Render({});
  return text.ok() ? "no error: " + *text : text.error().reason + ": " + text.error().message;
}

TEST(TemplateLanguageTest, ErrorsNameTheLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"a\nb\n{{ 1 | nosuch }}",
       "invalid_template: the chat template is not valid: line 3: there is no filter named 'nosuch'"},
      {"a\n{% if x is nosuch %}{% endif %}",
       "invalid_template: the chat template is not valid: line 2: there is no test named 'nosuch'"},
      {"\n\n{% nosuch %}",
       "invalid_template: the chat template is not valid: line 3: there is no tag named 'nosuch' here"},
      {"{% include 'x' %}",
       "invalid_template: the chat template is not valid: line 1: there is no tag named 'include' here"},
      {"a\n{{ x", "invalid_template: the chat template is not valid: line 2: an output is not closed by '}}'"},
      {"\xff", "invalid_template: the chat template is not valid: line 1: the template is no UTF-8"},
      {"a\n{{ x.y }}", "template_error: line 2: 'x' is undefined"},
      {"{% macro m() %}\n\n{{ 1 }}{% endmacro %}\n{{ m() + 1 }}",
       "template_error: line 4: unsupported operand types for +: 'str' and 'int'"},
      {"\n{% if true %}{{ 1 | nosuch }}{% endif %}", "template_error: line 2: there is no filter named 'nosuch'"},
      {"\n{{ raise_exception('Roles must alternate') }}", "template_error: Roles must alternate"},
      {"{{ strftime_now('%Y') }}", "template_error: line 1: 'strftime_now' is undefined"},
  };
  for (const auto& [source, expected] : cases) {
    EXPECT_EQ(ErrorOf(source), expected) << source;
  }
}

// What jinja2's sandbox refuses and we do not know at all.
TEST(TemplateLanguageTest, NothingBeyondTheConversationCanBeReached) {
  for (const char* source :
       {"{{ ''.__class__.__mro__ }}", "{{ lipsum.__globals__ }}", "{{ cycler.__init__.__globals__ }}",
        "{{ [].__class__.__base__ }}", "{{ self.__init__ }}", "{{ range.__call__() }}", "{% import 'os' as os %}",
        "{% extends 'x' %}", "{{ open('/etc/passwd') }}", "{{ config.items() }}", "{{ url_for.x }}",
        "{{ '{0.__class__.__mro__}'.format(1) }}"}) {
    EXPECT_NE(ErrorOf(source).substr(0, 9), "no error:") << source;
  }
}

}  // namespace
}  // namespace atelier::text
