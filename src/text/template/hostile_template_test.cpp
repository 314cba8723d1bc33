// Templates that mean harm end with an error, in bounded time and memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/testing/shared_data.h"
#include "text/template/chat_template.h"
#include "text/template/test_support.h"

namespace atelier::text {
namespace {

std::string Repeated(const std::string& text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) {
    out += text;
  }
  return out;
}

// The reason of the error, or "" when there is none.
std::string Outcome(const std::string& source, const json::object& context = {}, const RenderLimits& limits = {}) {
  auto parsed = ChatTemplate::Parse(source);
  if (!parsed.ok()) {
    return parsed.error().reason;
  }
  auto text = (*parsed)->Render(context, limits);
  return text.ok() ? "" : text.error().reason;
}

TEST(HostileTemplateTest, DeepSyntaxIsRefused) {
  constexpr size_t kDeep = 20'000;
  for (const std::string& source : {
           "{{ " + Repeated("(", kDeep) + "1" + Repeated(")", kDeep) + " }}",
           "{{ " + Repeated("[", kDeep) + Repeated("]", kDeep) + " }}",
           "{{ " + Repeated("{1:", kDeep) + "1" + Repeated("}", kDeep) + " }}",
           "{{ " + Repeated("-", kDeep) + "1 }}",
           "{{ " + Repeated("not ", kDeep) + "1 }}",
           "{{ 1 " + Repeated("if 1 else 1 ", kDeep) + "}}",
           "{{ a" + Repeated(".a", kDeep) + " }}",
           "{{ a" + Repeated("[0]", kDeep) + " }}",
           "{{ a" + Repeated("()", kDeep) + " }}",
           "{{ a" + Repeated("|list", kDeep) + " }}",
           "{{ a" + Repeated(" is none is none", kDeep) + " }}",
           "{{ f(" + Repeated("f(", kDeep) + " }}",
           Repeated("{% if 1 %}", kDeep) + Repeated("{% endif %}", kDeep),
           Repeated("{% for a in b %}", kDeep) + Repeated("{% endfor %}", kDeep),
           Repeated("{% macro a() %}", kDeep) + Repeated("{% endmacro %}", kDeep),
           "{% set " + Repeated("(", kDeep) + "a" + Repeated(")", kDeep) + " = 1 %}",
           std::string(2U << 20U, 'x'),
       }) {
    EXPECT_EQ(Outcome(source), "invalid_template") << source.substr(0, 40);
  }
  EXPECT_EQ(Outcome("{{ 1" + Repeated(" + 1", kDeep) + " }}"), "");  // long, not deep
  EXPECT_EQ(Outcome("{% if 0 %}" + Repeated("{% elif 0 %}", kDeep) + "{% endif %}"), "");
}

TEST(HostileTemplateTest, WorkIsBounded) {
  const std::string many = "range(90000)";
  const std::vector<std::string> sources{
      std::string("{{ 'a' * 10**9 }}"),
      std::string("{{ 'a' * 10**30 }}"),
      std::string("{{ [1] * 10**9 }}"),
      std::string("{{ '%1000000s' % 'a' * 1000 }}"),
      std::string("{{ 'a' | center(10**12) }}"),
      std::string("{{ 'a'.ljust(10**12) }}"),
      std::string("{{ ('a\n' * 100000) | indent(100000) }}"),
      std::string("{{ ('a' * 100000).replace('', 'b' * 100000) }}"),
      std::string("{{ ('a' * 100000).replace('a', 'b' * 100000) }}"),
      std::string("{{ (['a'] * 100000) | join('b' * 100000) }}"),
      std::string("{{ [1] | batch(10**12, 0) | list }}"),
      "{% for a in " + many + " %}{% for b in " + many + " %}{% endfor %}{% endfor %}",
      "{% for a in " + many + " %}{% set ns = namespace(x=range(90000)) %}{% endfor %}",
      "{% set l = [] %}{% for a in " + many + " %}{% set _ = l.append(l|list) %}{% endfor %}",
      "{% set ns = namespace(s='a') %}{% for a in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
      "{% set ns = namespace(l=[1]) %}{% for a in range(64) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
      "{% set ns = namespace(l=[1]) %}{% for a in range(64) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}"
      "{{ ns.l | tojson }}",
      "{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(64) %}{% set ns.a = [ns.a, ns.a] %}"
      "{% set ns.b = [ns.b, ns.b] %}{% endfor %}{{ ns.a == ns.b }}",
      "{% set ns = namespace(l=[]) %}{% for a in range(9000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
      "{% set a = 'a' * 8000000 %}{% set b = 'a' * 4000000 ~ 'b' %}{% for i in " + many +
          " %}{{ a.find(b) }}{{ b in a }}{{ a.split(b)|length }}{{ a.replace(b, '') | length }}{% endfor %}",
      "{% set a = 'a' * 8000000 %}{% set b = 'a' * 7999999 ~ 'b' %}{% for i in " + many +
          " %}{{ a == b }}{{ a < b }}{{ a.startswith(b) }}{{ b.strip(a) }}{{ a is lower }}{{ {a: 1}[b] }}{% endfor %}",
      "{% set f = '%%' * 4000000 %}{% for i in " + many + " %}{% set _ = f % () %}{% endfor %}",
      "{% set d = {} %}{% set _ = d.update(a=d) %}{% set p = 'a.' * 4000000 ~ 'a' %}{% for i in " + many +
          " %}{% set _ = [d] | map(attribute=p) | list %}{% endfor %}",
      std::string("{% set l = [] %}{% set _ = l.append(l) %}{{ l }}"),
      std::string("{% set l = [] %}{% set _ = l.append(l) %}{{ l | tojson }}"),
      std::string("{% set l = [] %}{% set k = [l] %}{% set _ = l.append(k) %}{{ l == k }}"),
      std::string("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
      std::string("{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}"),
      std::string("{% for a in [[1]] recursive %}{{ loop(a) }}{{ loop([[1]]) }}{% endfor %}"),
      "{% for a in " + many + " %}{% for b in " + many + " %}x{% endfor %}{% endfor %}",
  };
  RenderLimits limits;  // smaller than usual, to be done sooner
  limits.max_memory_bytes = 64U << 20U;
  limits.max_steps = 2'000'000;
  for (const std::string& source : sources) {
    const auto begin = std::chrono::steady_clock::now();
    const std::string outcome = Outcome(source, {}, limits);
    EXPECT_TRUE(outcome == "template_limit" || outcome == "template_error") << source << ": " << outcome;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30)) << source;
  }
  EXPECT_EQ(Outcome(sources.back()), "template_limit");  // also with the limits that are set without asking
}

TEST(HostileTemplateTest, LimitsAreThoseThatAreGiven) {
  RenderLimits limits;
  limits.max_output_bytes = 10;
  EXPECT_EQ(Outcome("{{ 'a' * 10 }}", {}, limits), "");
  EXPECT_EQ(Outcome("{{ 'a' * 11 }}", {}, limits), "template_limit");
  EXPECT_EQ(Outcome("0123456789{{ 1 }}", {}, limits), "template_limit");
  limits = {};
  limits.max_steps = 50;
  EXPECT_EQ(Outcome("{% for a in range(5) %}{{ a }}{% endfor %}", {}, limits), "");
  EXPECT_EQ(Outcome("{% for a in range(50) %}{{ a }}{% endfor %}", {}, limits), "template_limit");
  limits = {};
  limits.max_depth = 10;
  EXPECT_EQ(Outcome("{{ ((((1 + 1) + 1) + 1) + 1) }}", {}, limits), "");
  EXPECT_EQ(Outcome("{{ ((((((((((1+1)+1)+1)+1)+1)+1)+1)+1)+1)+1) }}", {}, limits), "template_limit");
}

TEST(HostileTemplateTest, DeepContextIsRefused) {
  json::value deep = nullptr;
  for (int i = 0; i < 1000; ++i) {
    deep = json::array{std::move(deep)};
  }
  EXPECT_EQ(Outcome("{{ a }}", {{"a", std::move(deep)}}), "template_limit");
}

TEST(HostileTemplateTest, BytesThatAreNoUtf8AreHarmless) {
  const json::object context{{"a", "\xff\xc0\x80 \xe4\xbd"}};
  EXPECT_EQ(
      Outcome("{{ a }}{{ a[1] }}{{ a[::-1] }}{{ a | upper }}{{ a | tojson }}{{ [a] }}{{ a | trim }}{{ a.split() }}",
              context),
      "");
  auto parsed = ChatTemplate::Parse("{{ raise_exception(a) }}");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ((*parsed)->Render(context).error().message, "\uFFFD\uFFFD\uFFFD \uFFFD\uFFFD");
}

json::object Conversation() {
  auto parsed = ParseJson(R"({"messages":[{"role":"system","content":"S"},{"role":"user","content":"你好"},
    {"role":"assistant","content":"A","tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":
    {"x":1}}}]},{"role":"tool","name":"f","tool_call_id":"call_1","content":"{}"},{"role":"user","content":"U"}],
    "tools":[{"type":"function","function":{"name":"f","description":"D","parameters":{"type":"object","properties":
    {"x":{"type":"integer","enum":[1,2]}},"required":["x"]}}}],"add_generation_prompt":true,"bos_token":"<s>",
    "eos_token":"</s>","enable_thinking":true,"date_string":"1 Jan"})");
  return parsed->get_object();
}

// One to four small changes: bytes swapped, removed, repeated, or words of the language put in.
std::string Mutated(std::string source, std::mt19937& random) {
  static const std::vector<std::string> words{"{{",  "}}",  "{%",   "%}",  "{#", "#}", "-%}", "{%-", "|",    "(",
                                              ")",   "[",   "]",    ":",   "'",  "\\", "**",  "//",  "loop", "not ",
                                              "in ", "is ", "none", "999", ".",  "~",  "\n",  "*",   "%",    "[::-1]"};
  for (unsigned count = 1 + random() % 4; count > 0 && !source.empty(); --count) {
    const size_t at = random() % source.size();
    const size_t size = 1 + random() % 12;
    switch (random() % 5) {
      case 0:
        source.erase(at, size);
        break;
      case 1:
        source.insert(at, source.substr(random() % source.size(), size));
        break;
      case 2:
        source[at] = static_cast<char>(random() % 128);
        break;
      case 3:
        source.insert(at, words[random() % words.size()]);
        break;
      default:
        source.replace(at, size, words[random() % words.size()]);
    }
  }
  return source;
}

TEST(HostileTemplateTest, MutatedTemplatesNeitherCrashNorHang) {
  const auto data = SharedData();
  if (data.empty()) {
    GTEST_SKIP() << "there is no folder of shared data";
  }
  std::vector<std::string> sources;
  for (const auto& entry : std::filesystem::directory_iterator(data / "tokenizers/chat_templates")) {
    if (entry.path().extension() == ".jinja") {
      sources.push_back(testing::ReadFile(entry.path()));
    }
  }
  std::ranges::sort(sources);
  const json::object context = Conversation();
  const char* given = std::getenv("ATELIER_TEMPLATE_ROUNDS");
  const int rounds = given != nullptr ? std::stoi(given) : 2000;
  std::mt19937 random(7);
  int rendered = 0;
  for (int i = 0; i < rounds; ++i) {
    const std::string source = Mutated(sources[random() % sources.size()], random);
    const auto begin = std::chrono::steady_clock::now();
    const std::string outcome = Outcome(source, context);
    rendered += outcome.empty() ? 1 : 0;
    ASSERT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60)) << source;
  }
  EXPECT_GT(rendered, rounds / 20);
}

}  // namespace
}  // namespace atelier::text
