#include <gtest/gtest.h>

#include "serving/testing/fake_predictor.h"
#include "serving/wishes.h"

namespace atelier::serving {
namespace {

TEST(RegistryWishes, ReadsDeploymentsWithTheirVersionsAndNames) {
  const testing::TempDir dir;
  SystemClock clock;
  SystemRng rng;
  auto catalogue = storage::OpenSqliteCatalogue(dir.path() / "catalogue.db", registry::Migrations());
  ASSERT_TRUE(catalogue.ok()) << catalogue.error().message;
  registry::Registry registry(**catalogue, clock, rng);
  for (const std::string weights : {"a", "b"}) {
    const Status added = (*catalogue)->Write([&](soci::session& session) -> Status {
      const std::map<std::string, storage::BlobRef> files{{"model.safetensors", {std::string(64, weights[0]), 5}}};
      ATELIER_TRY(registry.AddVersion(session, "digits", files, {}, "job_1"));
      return {};
    });
    ASSERT_TRUE(added.ok()) << added.error().message;
  }
  ASSERT_TRUE(registry.SetAlias("digits", "champion", 1).ok());
  ASSERT_TRUE(registry.PutDeployment("prod", "digits", {{2, 90}, {1, 10}}, {{"max_batch", 4}}).ok());

  const auto wishes = RegistryWishes(registry)();
  ASSERT_TRUE(wishes.ok()) << wishes.error().message;
  ASSERT_EQ(wishes->size(), 1U);
  const Wish& wish = wishes->front();
  EXPECT_EQ(wish.deployment.name, "prod");
  ASSERT_EQ(wish.versions.size(), 2U);
  EXPECT_EQ(wish.versions[0].version, 2);
  EXPECT_EQ(wish.versions[0].files.at("model.safetensors").sha256, std::string(64, 'b'));
  EXPECT_EQ(wish.versions[1].version, 1);
  EXPECT_EQ(wish.latest_version, 2);
  EXPECT_EQ(wish.aliases.at("champion"), 1);
  EXPECT_FALSE(wish.draft.has_value());
  EXPECT_EQ(BatchOptionsOf(wish.deployment.settings, {}).max_batch, 4);
  ASSERT_TRUE(registry.PutDeployment("prod", "digits", {{2, 100}}, {{"draft", "digits@1"}}).ok());
  ASSERT_TRUE(registry.PutDeployment("test", "digits", {{2, 100}}, {{"draft", "gone@1"}}).ok());
  const auto drafted = RegistryWishes(registry)();
  ASSERT_TRUE(drafted.ok());
  ASSERT_EQ(drafted->size(), 2U) << "one answers without its draft model, too";
  for (const Wish& each : *drafted) {
    EXPECT_EQ(each.draft.has_value(), each.deployment.name == "prod");
  }
}

}  // namespace
}  // namespace atelier::serving
