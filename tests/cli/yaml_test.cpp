#include "atelier/cli/yaml.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace atelier::cli {
namespace {

std::string Json(std::string_view text) {
  const auto value = ParseYaml(text, "steps.yaml");
  return value.ok() ? json::serialize(*value) : value.error().message;
}

TEST(YamlTest, ScalarsHaveTheTypesOfTheCoreSchema) {
  EXPECT_EQ(Json("[1, -2.5, 1e3, true, null, ~, text, '1', \"true\", 2024-01-31, 0.5]"),
            R"([1,-2.5E0,1E3,true,null,null,"text","1","true","2024-01-31",5E-1])");
  EXPECT_EQ(Json("steps:\n  - step: filter\n    where: a >= 1 and b == 'x'\n  - {step: drop, columns: [a]}\n"),
            R"({"steps":[{"step":"filter","where":"a >= 1 and b == 'x'"},{"step":"drop","columns":["a"]}]})");
  EXPECT_EQ(Json(R"({"steps": [{"step": "shuffle", "seed": 3}]})"), R"({"steps":[{"step":"shuffle","seed":3}]})");
}

TEST(YamlTest, RefusesWhatIsNoDataAndSaysWhere) {
  EXPECT_EQ(Json("a: 1\na: 2\n"), "steps.yaml:2: 'a' is there twice");
  EXPECT_TRUE(Json("a: [1, 2\nb: }").starts_with("steps.yaml:"));
  EXPECT_TRUE(Json(std::string(100, '[') + std::string(100, ']')).find("too deep") != std::string::npos);
  std::string laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char name = 'b'; name < 'h'; ++name) {
    const std::string before = "*" + std::string(1, static_cast<char>(name - 1));
    laughs += std::string(1, name) + ": &" + name + " [" + before + ", " + before + ", " + before + ", " + before +
              ", " + before + ", " + before + ", " + before + ", " + before + "]\n";
  }
  EXPECT_TRUE(Json(laughs).find("too much") != std::string::npos);
}

}  // namespace
}  // namespace atelier::cli
