#include "families/spec/gpt.h"

#include <gmock/gmock.h>

#include <array>

#include "base/json.h"

namespace atelier::families {
namespace {

data::Manifest WithColumns(const std::vector<std::string>& names) {
  data::Manifest manifest;
  for (const auto& name : names) {
    data::Column column;
    column.name = name;
    column.type = name == "input" ? data::ColumnType::kCategory : data::ColumnType::kText;
    manifest.columns.push_back(column);
  }
  manifest.split_rows[0] = 10;
  return manifest;
}

// `user` over the family's own defaults.
Result<json::object> Fit(const std::vector<std::string>& columns, const json::object& user,
                         const json::object* base = nullptr) {
  const std::array tables{GptSettings()};
  ATELIER_ASSIGN(settings, ReadSettings({.tables = tables}, user));
  const data::Manifest manifest = WithColumns(columns);
  return FitGpt({.family = "gpt", .settings = settings, .manifest = manifest, .base = base});
}

TEST(GptSpecTest, KnowsWhatColumnsAre) {
  EXPECT_EQ(MaterialOf(WithColumns({"id", "text"})).value(), Material::kText);
  EXPECT_EQ(MaterialOf(WithColumns({"instruction", "input", "output"})).value(), Material::kInstructions);
  EXPECT_EQ(MaterialOf(WithColumns({"messages", "text"})).value(), Material::kChat);
  EXPECT_EQ(MaterialOf(WithColumns({"prompt", "completion"})).value(), Material::kCompletions);
  EXPECT_EQ(MaterialOf(WithColumns({"conversations", "chosen", "rejected"})).value(), Material::kPreferences);
  data::Manifest numbers = WithColumns({"text"});
  numbers.columns[0].type = data::ColumnType::kNumber;
  EXPECT_EQ(MaterialOf(numbers).error().reason, "dataset_unsuitable");
}

TEST(GptSpecTest, FillsInWhatFollows) {
  const auto llama = Fit({"text"}, {{"width", 96}, {"heads", 4}});
  ASSERT_TRUE(llama.ok()) << llama.error().message;
  EXPECT_EQ(GetInt(*llama, "hidden"), 256);
  EXPECT_EQ(GetInt(*llama, "kv_heads"), 4);
  const auto gpt2 = Fit({"text"}, {{"architecture", "gpt2"}, {"width", 96}, {"heads", 4}, {"kv_heads", 2}});
  ASSERT_TRUE(gpt2.ok()) << gpt2.error().message;
  EXPECT_EQ(GetInt(*gpt2, "hidden"), 384);
  EXPECT_EQ(GetInt(*gpt2, "kv_heads"), 4);  // it has no shared ones
}

TEST(GptSpecTest, RefusesWhatDoesNotFit) {
  const json::object llama{{"family", "llm"}, {"architecture", "llama"}};
  const json::object qwen{{"family", "llm"}, {"architecture", "qwen2"}};
  const json::object mlp{{"family", "mlp"}};
  const std::vector<std::string> answers{"instruction", "output"};
  const std::vector<std::string> pairs{"prompt", "chosen", "rejected"};
  EXPECT_TRUE(Fit(answers, {{"method", "qlora"}}, &llama).ok());
  EXPECT_TRUE(Fit(pairs, {}, &llama).ok());
  EXPECT_EQ(Fit(answers, {{"method", "lora"}}).error().param, "settings.method");
  EXPECT_EQ(Fit(pairs, {}).error().param, "base");
  EXPECT_EQ(Fit(answers, {}, &qwen).error().param, "base");
  EXPECT_EQ(Fit(answers, {}, &mlp).error().param, "base");
  EXPECT_EQ(Fit({"text"}, {{"width", 100}, {"heads", 6}}).error().param, "settings.heads");
  EXPECT_EQ(Fit({"text"}, {{"kv_heads", 4}}).error().param, "settings.kv_heads");
  EXPECT_EQ(Fit({"text"}, {{"method", "other"}}).error().param, "settings.method");
  EXPECT_EQ(Fit({"label"}, {}).error().reason, "dataset_unsuitable");
}

}  // namespace
}  // namespace atelier::families
