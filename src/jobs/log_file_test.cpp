#include "jobs/log_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/ids.h"
#include "storage/files.h"

namespace atelier::jobs {
namespace {

class LogFile : public testing::Test {
 protected:
  LogFile() : path_(testing::TempDir() + "log." + std::to_string(::getpid()) + ".txt") {}
  ~LogFile() override { std::filesystem::remove(path_); }
  void Write(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }
  std::filesystem::path path_;
};

TEST_F(LogFile, ControlsAreEscapedAndTextIsNot) {
  EXPECT_EQ(EscapeControls("a\tb\nc\r\x1b[2J\x7f"), "a\tb\nc\\x0d\\x1b[2J\\x7f");
  EXPECT_EQ(EscapeControls("训练 é"), "训练 é");
  EXPECT_EQ(EscapeControls("\xC2\x9B"
                           "31m"),
            "\\xc2\\x9b31m");  // CSI as one C1 character
  EXPECT_EQ(EscapeControls(std::string("\0\xE8\xAE", 3)), "\\x00\\xe8\\xae");
}

TEST_F(LogFile, TheTailBeginsAtACharacter) {
  Write("训练完成");  // 12 bytes
  EXPECT_EQ(*ReadLogTail(path_, 100), "训练完成");
  EXPECT_EQ(*ReadLogTail(path_, 6), "完成");
  EXPECT_EQ(*ReadLogTail(path_, 5), "成");
  EXPECT_EQ(*ReadLogTail(path_, 0), "");
  EXPECT_EQ(*ReadLogTail(path_.string() + ".absent", 10), "");
}

TEST_F(LogFile, TheLastLineIsTheLastThatSaysSomething) {
  Write("first\nsecond\n  \n\n");
  EXPECT_EQ(LastLogLine(path_, 0), "second");
  EXPECT_EQ(LastLogLine(path_, 13), "");  // nothing of this attempt
  Write(std::string(299, 'x') + "训");
  EXPECT_EQ(LastLogLine(path_, 0), std::string(299, 'x'));
}

TEST_F(LogFile, TrimmingKeepsTheEnd) {
  Write(std::string(5000, 'a') + "the end\n");
  const storage::FileDescriptor fd(::open(path_.c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
  EXPECT_FALSE(TrimLog(fd.get(), 6000, 100));
  EXPECT_TRUE(TrimLog(fd.get(), 5000, 100));
  const std::string text = *ReadLogTail(path_, 10'000);
  EXPECT_LT(text.size(), 200U);
  EXPECT_TRUE(text.ends_with("aathe end\n"));
  EXPECT_EQ(LastLogLine(path_, 0).size(), 99U);
}

}  // namespace
}  // namespace atelier::jobs
