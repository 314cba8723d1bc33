#include "learning/checkpoint.h"

#include <gtest/gtest.h>

#include <fstream>

#include "families/testing/tiny_data.h"

namespace atelier::learning {
namespace {

namespace fs = std::filesystem;

class Checkpoints : public ::testing::Test {
 protected:
  Checkpoint Make(int64_t number) {
    return {.number = number, .state = {{"epoch", number}}, .tensors = {{"w", torch::full({4}, double(number))}}};
  }
  int64_t Newest() {
    auto found = store_.LoadNewest();
    EXPECT_TRUE(found.ok());
    if (!found->has_value()) {
      return -1;
    }
    EXPECT_EQ((*found)->state.at("epoch").as_int64(), (*found)->number);
    EXPECT_EQ((*found)->tensors.at("w")[3].item<float>(), static_cast<float>((*found)->number));
    return (*found)->number;
  }
  fs::path Folder(int64_t number) { return folder_.path() / ("checkpoint-" + std::to_string(number)); }

  families::testing::TemporaryFolder folder_;
  CheckpointStore store_{folder_.path()};
};

TEST_F(Checkpoints, KeepsTheTwoNewest) {
  EXPECT_EQ(Newest(), -1);
  for (int64_t number : {5, 90, 100}) {
    ASSERT_TRUE(store_.Save(Make(number)).ok());
    EXPECT_EQ(Newest(), number);
  }
  EXPECT_FALSE(fs::exists(Folder(5)));
  EXPECT_TRUE(fs::exists(Folder(90)));
  ASSERT_TRUE(store_.Save(Make(100)).ok()) << "the same step again";
  EXPECT_EQ(Newest(), 100);
}

TEST_F(Checkpoints, DamageFallsBackToTheOneBefore) {
  const auto damage = [&](const fs::path& file, std::streamoff at) {
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekg(at);
    const char old = static_cast<char>(stream.get());
    stream.seekp(at);
    stream.put(static_cast<char>(old ^ 1));
  };
  ASSERT_TRUE(store_.Save(Make(1)).ok());
  for (const char* name : {"tensors.safetensors", "state.json"}) {
    const auto size = [&] {
      EXPECT_TRUE(store_.Save(Make(2)).ok());
      return static_cast<std::streamoff>(fs::file_size(Folder(2) / name));
    }();
    for (std::streamoff at = 0; at < size; at += 7) {
      damage(Folder(2) / name, at);
      EXPECT_EQ(Newest(), 1) << name << " byte " << at;
      damage(Folder(2) / name, at);
    }
    EXPECT_EQ(Newest(), 2);
    fs::resize_file(Folder(2) / name, static_cast<uintmax_t>(size / 2));
    EXPECT_EQ(Newest(), 1) << name << " cut";
    fs::remove(Folder(2) / name);
    EXPECT_EQ(Newest(), 1) << name << " gone";
  }
}

TEST_F(Checkpoints, IgnoresWhatAKillLeftBehind) {
  ASSERT_TRUE(store_.Save(Make(1)).ok());
  fs::create_directories(folder_.path() / "writing");
  std::ofstream(folder_.path() / "writing" / "state.json") << "{";
  fs::create_directories(Folder(9));
  EXPECT_EQ(Newest(), 1);
  ASSERT_TRUE(store_.Save(Make(2)).ok());
  EXPECT_EQ(Newest(), 2);
}

}  // namespace
}  // namespace atelier::learning
