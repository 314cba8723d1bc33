#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "base/hash.h"
#include "storage/blob_store.h"
#include "storage/files.h"
#include "storage/test_folder.h"

namespace atelier::storage {
namespace {

namespace fs = std::filesystem;

// FIPS 180-4's own example.
constexpr std::string_view kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

size_t CountFiles(const fs::path& directory) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

void Overwrite(const fs::path& file, std::string_view text) {
  fs::permissions(file, fs::perms::owner_write, fs::perm_options::add);
  std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
}

class FolderStoreTest : public testing::Test {
 protected:
  void SetUp() override { Reopen(); }
  void Reopen() {
    auto opened = OpenFolderBlobStore(folder_ / "blobs");
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    store_ = std::move(opened).value();
  }
  fs::path FileOf(std::string_view sha256) {
    return folder_ / "blobs" / std::string(sha256.substr(0, 2)) / std::string(sha256.substr(2));
  }

  TestFolder folder_;
  std::unique_ptr<BlobStore> store_;
};

TEST_F(FolderStoreTest, WhatIsPutIsReadUnderItsHash) {
  const auto blob = PutBytes(*store_, "abc");
  ASSERT_TRUE(blob.ok());
  EXPECT_EQ(blob->sha256, kAbc);
  EXPECT_EQ(blob->size, 3U);
  EXPECT_EQ(*ReadAll(*store_, kAbc, 3), "abc");
  EXPECT_EQ(*store_->Size(kAbc), 3U);
  EXPECT_EQ(*store_->LocalPath(kAbc), FileOf(kAbc));
  EXPECT_EQ(fs::status(FileOf(kAbc)).permissions() & fs::perms::mask, static_cast<fs::perms>(0444));
}

TEST_F(FolderStoreTest, EmptyBlob) {
  const auto blob = PutBytes(*store_, "");
  ASSERT_TRUE(blob.ok());
  EXPECT_EQ(blob->sha256, Sha256Hex(""));
  EXPECT_EQ(*ReadAll(*store_, blob->sha256, 0), "");
}

TEST_F(FolderStoreTest, LargeBlobInPieces) {
  std::string text(3'000'000, '\0');
  for (size_t i = 0; i < text.size(); ++i) {
    text[i] = static_cast<char>(i * 2654435761U >> 13U);
  }
  auto writer = store_->Create().value();
  for (size_t at = 0; at < text.size(); at += 70'001) {
    ASSERT_TRUE(writer->Append(Bytes(std::string_view(text).substr(at, 70'001))).ok());
  }
  const auto blob = writer->Commit();
  ASSERT_TRUE(blob.ok());
  EXPECT_EQ(blob->sha256, Sha256Hex(text));
  EXPECT_EQ(*ReadAll(*store_, blob->sha256, text.size()), text);
  EXPECT_EQ(ReadAll(*store_, blob->sha256, text.size() - 1).error().code, Code::kOutOfRange);
}

TEST_F(FolderStoreTest, PutFileCopiesAFileAndRefusesAFolder) {
  std::ofstream(folder_ / "input") << "abc";
  EXPECT_EQ(PutFile(*store_, folder_ / "input")->sha256, kAbc);
  EXPECT_EQ(PutFile(*store_, folder_ / "none").error().code, Code::kNotFound);
  EXPECT_EQ(PutFile(*store_, folder_.path()).error().code, Code::kInvalidArgument);
}

TEST_F(FolderStoreTest, AnUncommittedWriterLeavesNothing) {
  {
    auto writer = store_->Create().value();
    ASSERT_TRUE(writer->Append(Bytes("abc")).ok());
    EXPECT_EQ(CountFiles(folder_ / "blobs" / "tmp"), 1U);
    EXPECT_EQ(store_->Open(kAbc).error().code, Code::kNotFound);
  }
  EXPECT_EQ(CountFiles(folder_ / "blobs" / "tmp"), 0U);
  EXPECT_EQ(store_->Open(kAbc).error().reason, "blob_not_found");
}

TEST_F(FolderStoreTest, AWriterEndsWithItsCommit) {
  auto writer = store_->Create().value();
  ASSERT_TRUE(writer->Append(Bytes("abc")).ok());
  ASSERT_TRUE(writer->Commit().ok());
  EXPECT_FALSE(writer->Append(Bytes("d")).ok());
  EXPECT_FALSE(writer->Commit().ok());
  writer.reset();
  EXPECT_EQ(*ReadAll(*store_, kAbc, 3), "abc");
}

TEST_F(FolderStoreTest, TheSameContentTwiceIsOneBlob) {
  ASSERT_TRUE(PutBytes(*store_, "abc").ok());
  auto reader = store_->Open(kAbc).value();
  ASSERT_TRUE(PutBytes(*store_, "abc").ok());
  EXPECT_EQ(CountFiles(folder_ / "blobs" / "ba"), 1U);
  std::array<std::byte, 8> buffer{};
  EXPECT_EQ(*reader->Read(buffer), 3U);  // an open reader goes on
  EXPECT_EQ(*reader->Read(buffer), 0U);
}

TEST_F(FolderStoreTest, ManyThreadsPutTheSameAndOthers) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        EXPECT_TRUE(PutBytes(*store_, "shared " + std::to_string(i)).ok());
        EXPECT_TRUE(PutBytes(*store_, std::to_string(t) + " own " + std::to_string(i)).ok());
        EXPECT_EQ(*ReadAll(*store_, Sha256Hex("shared " + std::to_string(i)), 100), "shared " + std::to_string(i));
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(CountFiles(folder_ / "blobs" / "tmp"), 0U);
}

TEST_F(FolderStoreTest, ChangedBytesAreDataLoss) {
  ASSERT_TRUE(PutBytes(*store_, "abc").ok());
  Overwrite(FileOf(kAbc), "abd");
  EXPECT_EQ(store_->Open(kAbc).error().code, Code::kDataLoss);
  EXPECT_EQ(store_->LocalPath(kAbc).error().code, Code::kDataLoss);
  Overwrite(FileOf(kAbc), "ab");
  EXPECT_EQ(store_->Open(kAbc).error().code, Code::kDataLoss);
  ASSERT_TRUE(PutBytes(*store_, "abc").ok());  // putting it again heals it
  EXPECT_EQ(*ReadAll(*store_, kAbc, 3), "abc");
}

TEST_F(FolderStoreTest, ChangeAfterAVerifiedReadIsSeen) {
  ASSERT_TRUE(PutBytes(*store_, "abc").ok());
  ASSERT_TRUE(store_->Open(kAbc).ok());
  Overwrite(FileOf(kAbc), "xbcd");
  EXPECT_EQ(store_->Open(kAbc).error().code, Code::kDataLoss);
}

TEST_F(FolderStoreTest, CutShortWhileBeingRead) {
  ASSERT_TRUE(PutBytes(*store_, "abc").ok());
  auto reader = store_->Open(kAbc).value();
  Overwrite(FileOf(kAbc), "");
  std::array<std::byte, 8> buffer{};
  EXPECT_EQ(reader->Read(buffer).error().code, Code::kDataLoss);
}

TEST_F(FolderStoreTest, RefusesNamesThatAreNoHash) {
  std::string upper(kAbc);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
  const std::string traversal = "../../" + std::string(58, 'a');
  for (const std::string& name : {std::string(), std::string("abc"), upper, std::string(kAbc) + "0", traversal}) {
    EXPECT_EQ(store_->Open(name).error().code, Code::kInvalidArgument) << name;
    EXPECT_EQ(store_->LocalPath(name).error().code, Code::kInvalidArgument) << name;
    EXPECT_EQ(store_->Size(name).error().code, Code::kInvalidArgument) << name;
    EXPECT_EQ(store_->Delete(name).error().code, Code::kInvalidArgument) << name;
  }
}

TEST_F(FolderStoreTest, FollowsNoLinkAndOpensNoPipe) {
  std::ofstream(folder_ / "outside") << "abc";
  fs::create_directory(folder_ / "blobs" / "ba");
  fs::create_symlink(folder_ / "outside", FileOf(kAbc));
  EXPECT_EQ(store_->Open(kAbc).error().code, Code::kDataLoss);
  fs::remove(FileOf(kAbc));
  ASSERT_EQ(mkfifo(FileOf(kAbc).c_str(), 0600), 0);
  EXPECT_EQ(store_->Open(kAbc).error().code, Code::kDataLoss);
  fs::remove_all(folder_ / "blobs" / "ba");
  fs::create_directory(folder_ / "elsewhere");
  std::ofstream(folder_ / "elsewhere" / std::string(kAbc.substr(2))) << "abc";
  fs::create_directory_symlink(folder_ / "elsewhere", folder_ / "blobs" / "ba");
  EXPECT_EQ(store_->Open(kAbc).error().code, Code::kDataLoss);
}

TEST_F(FolderStoreTest, Delete) {
  ASSERT_TRUE(PutBytes(*store_, "abc").ok());
  ASSERT_TRUE(store_->Delete(kAbc).ok());
  EXPECT_EQ(store_->Open(kAbc).error().code, Code::kNotFound);
  EXPECT_TRUE(store_->Delete(kAbc).ok());
}

TEST_F(FolderStoreTest, AFullDiskIsSaidAndLeavesNothing) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  auto* handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 100'000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto blob = PutBytes(*store_, std::string(200'000, 'x'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(blob.ok());
  EXPECT_EQ(blob.error().code, Code::kResourceExhausted);
  EXPECT_EQ(blob.error().reason, "storage_full");
  EXPECT_EQ(CountFiles(folder_ / "blobs" / "tmp"), 0U);
  EXPECT_EQ(FileError(ENOSPC, "write", "x").reason, "storage_full");
}

// A child writes blobs and tells their names; killed in the middle, what it told is there, and a sweep takes the rest.
TEST_F(FolderStoreTest, SurvivesAKillAndSweepTakesOnlyTheDead) {
  auto living = store_->Create().value();
  ASSERT_TRUE(living->Append(Bytes("still being written")).ok());
  std::array<int, 2> pipe_ends{};
  ASSERT_EQ(pipe(pipe_ends.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto own = OpenFolderBlobStore(folder_ / "blobs");
    auto half = (*own)->Create().value();
    static_cast<void>(half->Append(Bytes("half")));
    for (int i = 0;; ++i) {
      const auto blob = PutBytes(**own, "blob " + std::to_string(i));
      if (!blob.ok() || write(pipe_ends[1], blob->sha256.data(), 64) != 64) {
        _exit(1);
      }
    }
  }
  close(pipe_ends[1]);
  std::vector<std::string> told;
  std::string name(64, '\0');
  while (told.size() < 20 && read(pipe_ends[0], name.data(), 64) == 64) {
    told.push_back(name);
  }
  kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  close(pipe_ends[0]);
  ASSERT_EQ(told.size(), 20U);
  EXPECT_GE(CountFiles(folder_ / "blobs" / "tmp"), 2U);

  Reopen();
  ASSERT_TRUE(store_->Sweep().ok());
  EXPECT_EQ(CountFiles(folder_ / "blobs" / "tmp"), 1U);
  for (size_t i = 0; i < told.size(); ++i) {
    EXPECT_EQ(*ReadAll(*store_, told[i], 100), "blob " + std::to_string(i));
  }
  EXPECT_EQ(living->Commit()->sha256, Sha256Hex("still being written"));
}

TEST_F(FolderStoreTest, AStoreOpenedAgainKeepsItsBlobs) {
  ASSERT_TRUE(PutBytes(*store_, "abc").ok());
  Reopen();
  EXPECT_EQ(*ReadAll(*store_, kAbc, 3), "abc");
}

TEST(OpenFolderBlobStoreTest, SaysWhereItCannotBe) {
  TestFolder folder;
  std::ofstream(folder / "file") << "x";
  EXPECT_FALSE(OpenFolderBlobStore(folder / "file").ok());
}

}  // namespace
}  // namespace atelier::storage
