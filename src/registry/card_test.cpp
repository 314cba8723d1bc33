#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "registry/markdown.h"
#include "registry/registry.h"

namespace atelier::registry {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::Not;

ModelVersion SomeVersion() {
  ModelVersion version;
  version.model_id = "model_1";
  version.model_name = "digits";
  version.version = 3;
  version.files = {{"model.safetensors", {Sha256Hex("w"), 1234567}}};
  version.created_ms = 1'714'564'800'000;  // 2024-05-01 12:00:00 UTC
  version.job_id = "job_7";
  version.metadata = {{"family", "cnn"},
                      {"task", "image-classification"},
                      {"labels", {"zero", "one | <b>two</b>"}},
                      {"metrics", {{"loss", 0.123456789}, {"confusion_matrix", {{1, 2}, {3, 4}}}}},
                      {"lineage",
                       {{"dataset", "mnist"},
                        {"dataset_version", 2},
                        {"manifest_sha256", Sha256Hex("m")},
                        {"code_version", "abc123"},
                        {"seed", 7},
                        {"hyperparameters", {{"epochs", 5}, {"layers", {64, 64}}, {"optimizer", "adam"}}}}}};
  return version;
}

TEST(ModelCardTest, SaysWhatTheModelIsAndWhereItComesFrom) {
  Evaluation evaluation{"eval_1", "digits", 3, "mnist", 2, "test", {{"accuracy", 0.9912}}, 1'714'564'800'000, "job_8"};
  evaluation.metrics["f1"] = json::object{{"macro", 0.5}};
  const std::string card = ModelCard(SomeVersion(), {evaluation});
  EXPECT_TRUE(card.starts_with("---\nlibrary_name: atelier\npipeline_tag: \"image-classification\"\n"));
  for (const char* part :
       {"# digits, version 3", "family cnn for image-classification", "trained on the data set mnist@2",
        "2024-05-01 12:00:00 UTC", "| accuracy | 0.9912 |", "| f1.macro | 0.5 |", "| loss | 0.123457 |",
        "| epochs | 5 |", "| optimizer | adam |", "| layers | \\[64,64\\] |", "| seed | 7 |", "| Job | job_7 |",
        "| Code version | abc123 |", "0. zero", "| model.safetensors | 1.2 MB |", "atelier deploy digits@3"}) {
    EXPECT_THAT(card, HasSubstr(part));
  }
  EXPECT_THAT(card, HasSubstr(Sha256Hex("w")));
  EXPECT_THAT(card, HasSubstr(Sha256Hex("m")));
  EXPECT_THAT(card, Not(HasSubstr("confusion")));
}

TEST(ModelCardTest, SaysHowToAskTheModel) {
  auto version = SomeVersion();
  EXPECT_THAT(ModelCard(version, {}), HasSubstr("\natelier predict digits INPUT\n"));
  version.metadata["task"] = "text-generation";
  EXPECT_THAT(ModelCard(version, {}), HasSubstr("\natelier chat digits\n"));
  version.metadata["task"] = "feature-extraction";
  EXPECT_THAT(ModelCard(version, {}), HasSubstr("\natelier embed digits TEXT\n"));
}

TEST(ModelCardTest, ForeignTextStaysText) {
  auto version = SomeVersion();
  version.metadata["task"] = "x\n\n# Heading\n<script>alert(1)</script> [a](http://b) `c`";
  version.metadata["license"] = "mit\nevil: true";
  const std::string card = ModelCard(version, {});
  EXPECT_THAT(card, Not(HasSubstr("\n# Heading")));
  EXPECT_THAT(card.substr(card.find("# digits")), Not(HasSubstr("<script>")));
  EXPECT_THAT(card.substr(card.find("# digits")), Not(HasSubstr("[a](")));
  EXPECT_THAT(card, Not(HasSubstr("\nevil: true")));
  EXPECT_THAT(card, HasSubstr("one \\| &lt;b&gt;two&lt;/b&gt;"));
}

TEST(ModelCardTest, AnEmptyVersionHasACardToo) {
  ModelVersion version;
  version.model_name = "bare";
  version.version = 1;
  const std::string card = ModelCard(version, {});
  EXPECT_THAT(card, HasSubstr("# bare, version 1"));
  EXPECT_THAT(card, HasSubstr("Not evaluated yet."));
  EXPECT_THAT(card, Not(HasSubstr("## Labels")));
}

TEST(MarkdownTest, Bytes) {
  EXPECT_EQ(ShowBytes(0), "0 bytes");
  EXPECT_EQ(ShowBytes(999), "999 bytes");
  EXPECT_EQ(ShowBytes(1500), "1.5 kB");
  EXPECT_EQ(ShowBytes(UINT64_MAX), "18446744.1 TB");
}

}  // namespace
}  // namespace atelier::registry
