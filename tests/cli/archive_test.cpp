#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "atelier/cli/collect.h"
#include "atelier/cli/source.h"
#include "base/hash.h"

namespace atelier::cli {
namespace {

namespace fs = std::filesystem;

class Folder : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "atelier_cli_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }

  std::string Write(const std::string& name, const std::string& content) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << content;
    return (root_ / name).string();
  }

  fs::path root_;
};

std::string ReadAll(Source& source, size_t step) {
  std::string all(source.size(), '\0');
  for (size_t offset = 0; offset < all.size(); offset += step) {
    const size_t count = std::min(step, all.size() - offset);
    EXPECT_TRUE(source.Read(offset, std::span(all.data() + offset, count)).ok());
  }
  return all;
}

// What libarchive, an independent reader, finds in the bytes.
std::map<std::string, std::string> Unpack(const std::string& bytes) {
  std::map<std::string, std::string> files;
  archive* reader = archive_read_new();
  archive_read_support_format_tar(reader);
  EXPECT_EQ(archive_read_open_memory(reader, bytes.data(), bytes.size()), ARCHIVE_OK);
  archive_entry* entry = nullptr;
  int status = ARCHIVE_OK;
  while ((status = archive_read_next_header(reader, &entry)) == ARCHIVE_OK) {
    std::string content(static_cast<size_t>(archive_entry_size(entry)), '\0');
    EXPECT_EQ(archive_read_data(reader, content.data(), content.size()), static_cast<la_ssize_t>(content.size()));
    files[archive_entry_pathname(entry)] = content;
  }
  EXPECT_EQ(status, ARCHIVE_EOF) << archive_error_string(reader);
  archive_read_free(reader);
  return files;
}

TEST_F(Folder, TarIsWhatWasPacked) {
  const std::string deep = std::string(90, 'd') + "/" + std::string(90, 'e') + "/f.png";  // fits prefix and name
  const std::string long_name = std::string(200, 'n') + ".png";                           // needs a pax header
  const std::string chinese = "\u82b1/\u7ea2.png";
  std::map<std::string, std::string> expected{{"a/empty", ""}, {"a/one", "x"},      {"block", std::string(512, 'b')},
                                              {deep, "deep"},  {long_name, "long"}, {chinese, std::string(70000, 'c')}};
  std::vector<TarEntry> entries;
  for (const auto& [name, content] : expected) {
    const std::string path = Write(std::to_string(entries.size()), content);
    entries.push_back({name, path, content.size()});
  }
  auto tar = MakeTar(entries);
  EXPECT_EQ(tar->size() % 512, 0U);
  const std::string whole = ReadAll(*tar, tar->size());
  EXPECT_EQ(Unpack(whole), expected);
  for (const size_t step : {1UL << 16U, 511UL, 513UL, 4096UL}) {
    EXPECT_TRUE(ReadAll(*tar, step) == whole) << step;
  }
  EXPECT_EQ(*HashRange(*tar, 0, tar->size()), Sha256Hex(whole));
  EXPECT_EQ(*HashRange(*tar, 100, 1000), Sha256Hex(whole.substr(100, 1000)));
}

TEST_F(Folder, TarNoticesAChangedFile) {
  const std::string path = Write("a", "12345");
  auto tar = MakeTar({{"a", path, 5}});
  Write("a", "123");
  std::string out(tar->size(), '\0');
  const Status status = tar->Read(0, std::span(out.data(), out.size()));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().reason, "usage");
}

TEST_F(Folder, FewFilesGoOneByOneAndManyAsOneArchive) {
  Write("few/train.csv", "a\n1\n");
  Write("few/sub/test.csv", "a\n2\n");
  Write("few/LICENSE", "text");
  Write("few/.hidden", "x");
  const auto few = Collect({(root_ / "few").string()});
  ASSERT_TRUE(few.ok());
  ASSERT_EQ(few->files.size(), 2U);
  EXPECT_EQ(few->files[0].path, "sub/test.csv");
  EXPECT_EQ(few->files[1].path, "train.csv");
  EXPECT_EQ(few->skipped.size(), 2U);

  std::map<std::string, std::string> expected;
  for (int i = 0; i < 12; ++i) {
    const std::string name = (i % 2 == 0 ? "cat/" : "dog/") + std::to_string(i) + ".png";
    expected[name] = std::string(static_cast<size_t>(i), 'p');
    Write("many/" + name, expected[name]);
  }
  const auto many = Collect({(root_ / "many").string() + "/"});
  ASSERT_TRUE(many.ok());
  ASSERT_EQ(many->files.size(), 1U);
  EXPECT_EQ(many->files[0].path, "many.tar");
  EXPECT_EQ(Unpack(ReadAll(*many->files[0].source, 1000)), expected);
}

TEST_F(Folder, RefusesWhatIsNotThere) {
  fs::create_directories(root_ / "empty");
  const std::string one = Write("x/a.csv", "1");
  const std::string two = Write("y/a.csv", "1");
  for (const auto& paths : std::vector<std::vector<std::string>>{
           {(root_ / "no").string()}, {(root_ / "empty").string()}, {one, two}, {"/dev/null"}}) {
    const auto collection = Collect(paths);
    ASSERT_FALSE(collection.ok()) << paths[0];
    EXPECT_EQ(collection.error().reason, "usage");
  }
}

}  // namespace
}  // namespace atelier::cli
