#include "serving/model_folder.h"

#include <gtest/gtest.h>

#include "serving/testing/fake_blobs.h"
#include "serving/testing/fake_predictor.h"

namespace atelier::serving {
namespace {

namespace fs = std::filesystem;

class ModelFolderTest : public ::testing::Test {
 protected:
  registry::ModelVersion Version(const std::map<std::string, std::string>& files) {
    registry::ModelVersion version;
    version.model_id = "model_1";
    version.version = 3;
    for (const auto& [name, bytes] : files) {
      version.files[name] = blobs_.Put(bytes);
    }
    return version;
  }
  size_t Entries() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(root_), fs::directory_iterator()));
  }

  testing::TempDir dir_;
  testing::FakeBlobs blobs_{dir_.path() / "blobs"};
  fs::path root_ = dir_.path() / "models";
};

TEST_F(ModelFolderTest, LinksVerifiedBlobs) {
  const auto version = Version({{"config.json", "{}"}, {"model.safetensors", "weights"}});
  const auto folder = LayOutModel(blobs_, root_, version);
  ASSERT_TRUE(folder.ok());
  EXPECT_TRUE(folder->filename().string().starts_with("model_1-3-"));
  EXPECT_EQ(fs::hard_link_count(*folder / "model.safetensors"), 2U);
  EXPECT_EQ(fs::file_size(*folder / "config.json"), 2U);
  EXPECT_EQ(*LayOutModel(blobs_, root_, version), *folder) << "reused";
  EXPECT_EQ(Entries(), 1U);
}

TEST_F(ModelFolderTest, RepairsADamagedFolder) {
  const auto version = Version({{"config.json", "{}"}});
  const auto folder = LayOutModel(blobs_, root_, version);
  fs::remove(*folder / "config.json");
  ASSERT_TRUE(LayOutModel(blobs_, root_, version).ok());
  EXPECT_TRUE(fs::exists(*folder / "config.json"));
  EXPECT_EQ(Entries(), 1U);
}

TEST_F(ModelFolderTest, LeavesNothingBehindOnFailure) {
  auto missing = Version({{"config.json", "{}"}});
  missing.files["model.safetensors"] = {std::string(64, 'a'), 4};
  EXPECT_EQ(LayOutModel(blobs_, root_, missing).error().code, Code::kDataLoss);
  for (const std::string name : {"../escape", "a/b", "..", ""}) {
    registry::ModelVersion version = Version({});
    version.files[name] = blobs_.Put("x");
    EXPECT_EQ(LayOutModel(blobs_, root_, version).error().code, Code::kDataLoss) << name;
  }
  EXPECT_FALSE(LayOutModel(blobs_, root_, Version({})).ok());
  EXPECT_EQ(Entries(), 0U);
  EXPECT_FALSE(fs::exists(dir_.path() / "escape"));
}

TEST_F(ModelFolderTest, OtherContentIsAnotherFolder) {
  EXPECT_NE(ModelFolderName(Version({{"a", "1"}})), ModelFolderName(Version({{"a", "2"}})));
  EXPECT_EQ(ModelFolderName(Version({{"a", "1"}})), ModelFolderName(Version({{"a", "1"}})));
}

TEST_F(ModelFolderTest, PrunesWhatIsNotKept) {
  const auto keep = Version({{"a", "1"}});
  ASSERT_TRUE(LayOutModel(blobs_, root_, keep).ok());
  ASSERT_TRUE(LayOutModel(blobs_, root_, Version({{"a", "2"}})).ok());
  fs::create_directories(root_ / ".unfinished-9");
  PruneModelFolders(root_, {ModelFolderName(keep)});
  EXPECT_EQ(Entries(), 1U);
  EXPECT_TRUE(fs::exists(root_ / ModelFolderName(keep) / "a"));
}

}  // namespace
}  // namespace atelier::serving
