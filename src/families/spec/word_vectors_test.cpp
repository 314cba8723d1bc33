#include "families/spec/word_vectors.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace atelier::families {
namespace {

data::Manifest Texts() {
  data::Manifest manifest;
  manifest.columns = {{.name = "label", .type = data::ColumnType::kCategory},
                      {.name = "文本", .type = data::ColumnType::kText},
                      {.name = "length", .type = data::ColumnType::kNumber}};
  manifest.split_rows[0] = 5;
  return manifest;
}

Result<json::object> Fit(json::value columns, const data::Manifest& manifest) {
  const json::object settings{{"columns", std::move(columns)}, {"validation", 0}};
  return FitWordVectors({.family = "word2vec", .settings = settings, .manifest = manifest});
}

TEST(FitWordVectors, ReadsTheColumnsOfTextOrThoseAskedFor) {
  EXPECT_EQ(Fit(json::array(), Texts())->at("columns"), json::value(json::array{"文本"}));
  EXPECT_EQ(Fit("label", Texts())->at("columns"), json::value(json::array{"label"}));
  EXPECT_EQ(Fit(json::array{"文本", "label"}, Texts())->at("columns"), json::value(json::array{"文本", "label"}));
}

TEST(FitWordVectors, RefusesWhatIsNoText) {
  EXPECT_EQ(Fit("length", Texts()).error().param, "settings.columns");
  EXPECT_EQ(Fit(json::array{"absent"}, Texts()).error().reason, "dataset_unsuitable");
  auto manifest = Texts();
  manifest.columns.erase(manifest.columns.begin() + 1);
  EXPECT_EQ(Fit(json::array(), manifest).error().reason, "dataset_unsuitable");
  manifest = Texts();
  manifest.split_rows[0] = 0;
  EXPECT_EQ(Fit(json::array(), manifest).error().reason, "dataset_unsuitable");
}

}  // namespace
}  // namespace atelier::families
