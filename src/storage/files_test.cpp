#include "storage/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>

#include "storage/test_folder.h"

namespace atelier::storage {
namespace {

namespace fs = std::filesystem;

TEST(FilesTest, CreateRefusesAndReplaceTakesANameInUse) {
  TestFolder folder;
  ASSERT_TRUE(CreateFileDurably(folder / "a", "one", 0600).ok());
  EXPECT_EQ(CreateFileDurably(folder / "a", "two", 0600).error().code, Code::kAlreadyExists);
  EXPECT_EQ(*ReadSmallFile(folder / "a", 100), "one");
  ASSERT_TRUE(ReplaceFileDurably(folder / "a", "three", 0600).ok());
  EXPECT_EQ(*ReadSmallFile(folder / "a", 100), "three");
  EXPECT_EQ(fs::status(folder / "a").permissions(), static_cast<fs::perms>(0600));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST(FilesTest, ReadSmallFileHasLimits) {
  TestFolder folder;
  EXPECT_EQ(ReadSmallFile(folder / "none", 10).error().code, Code::kNotFound);
  std::ofstream(folder / "eleven") << "12345678901";
  EXPECT_EQ(ReadSmallFile(folder / "eleven", 10).error().code, Code::kOutOfRange);
  EXPECT_EQ(ReadSmallFile(folder / "eleven", 11)->size(), 11U);
  fs::create_symlink(folder / "eleven", folder / "link");
  EXPECT_FALSE(ReadSmallFile(folder / "link", 100).ok());
  EXPECT_EQ(ReadSmallFile(folder.path(), 100).error().code, Code::kFailedPrecondition);
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(ReadSmallFile(folder / "pipe", 100).error().code, Code::kFailedPrecondition);
}

TEST(FilesTest, ErrorsHaveTheirCodes) {
  EXPECT_EQ(FileError(ENOENT, "open", "x").code, Code::kNotFound);
  EXPECT_EQ(FileError(EDQUOT, "write", "x").code, Code::kResourceExhausted);
  EXPECT_EQ(FileError(EACCES, "open", "x").code, Code::kPermissionDenied);
  EXPECT_EQ(FileError(EIO, "read", "x").code, Code::kInternal);
}

}  // namespace
}  // namespace atelier::storage
