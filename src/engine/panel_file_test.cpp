#include "engine/panel_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <vector>

namespace atelier::engine {
namespace {

class PanelFile : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("panel-file-test-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    for (size_t i = 0; i < panels_.size(); ++i) {
      panels_[i] = static_cast<std::byte>(i * 7 + i / 256);
    }
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Status Read(const std::string& identity, size_t bytes) {
    read_.assign(bytes, std::byte{0});
    return ReadPanels(folder_ / "panels", identity, read_, threads_);
  }

  std::filesystem::path folder_;
  std::vector<std::byte> panels_ = std::vector<std::byte>((17U << 20U) + 5);  // three pieces
  std::vector<std::byte> read_;
  const std::string identity_ = std::string(64, 'a');
  ThreadPool threads_{2};
};

TEST_F(PanelFile, ComesBack) {
  ASSERT_TRUE(WritePanels(folder_ / "panels", identity_, panels_, {}).ok());
  ASSERT_TRUE(Read(identity_, panels_.size()).ok());
  EXPECT_TRUE(read_ == panels_);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1) << "nothing unfinished is left";
}

TEST_F(PanelFile, OfOtherWeightsIsNone) {
  EXPECT_EQ(Read(identity_, panels_.size()).error().code, Code::kNotFound);
  ASSERT_TRUE(WritePanels(folder_ / "panels", identity_, panels_, {}).ok());
  EXPECT_EQ(Read(std::string(64, 'b'), panels_.size()).error().code, Code::kNotFound);
  EXPECT_EQ(Read(identity_, panels_.size() - 1).error().code, Code::kNotFound);
  std::filesystem::resize_file(folder_ / "panels", 100);
  EXPECT_EQ(Read(identity_, panels_.size()).error().code, Code::kNotFound);
}

TEST_F(PanelFile, IsWholeOrNotThere) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(WritePanels(folder_ / "panels", identity_, panels_, stop.get_token()).error().code, Code::kCancelled);
  EXPECT_FALSE(WritePanels(folder_ / "no" / "panels", identity_, panels_, {}).ok());
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

}  // namespace
}  // namespace atelier::engine
