#include <gmock/gmock.h>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "base/testing/shared_data.h"
#include "data/formats/archive.h"
#include "data/images/formats.h"
#include "data/testing/archives.h"
#include "data/testing/importing.h"

namespace atelier::data {
namespace {

using ::testing::ElementsAre;
using testing::FakeBlobStore;
using ::testing::HasSubstr;
using testing::Imported;
using testing::Item;
using testing::Kind;
using testing::Pack;

std::string Picture(int value, const std::string& extension = ".png") {
  std::vector<uint8_t> bytes;
  cv::imencode(extension, cv::Mat(4, 5, CV_8UC3, cv::Scalar(value, 0, 0)), bytes);
  return {bytes.begin(), bytes.end()};
}

class ImagesTest : public ::testing::Test {
 protected:
  Imported Run(const std::vector<SourceFile>& files, const ImportOptions& options = {}) {
    return testing::RunImport(blobs_, files, options, AllFormats());
  }
  Imported RunArchive(const std::string& name, Kind kind, const std::vector<Item>& items) {
    return Run({blobs_.Source(name, Pack(kind, items))});
  }

  FakeBlobStore blobs_;
};

TEST_F(ImagesTest, ReadsFolders) {
  const std::string dog = Picture(2, ".jpg");
  const auto out = Run({blobs_.Source("train/dog/1.jpg", dog), blobs_.Source("train/cat/1.png", Picture(1)),
                        blobs_.Source("test/cat/2.bmp", Picture(3, ".bmp")), blobs_.Source("train/.DS_Store", "x")});
  ASSERT_EQ(out.error, "");
  EXPECT_EQ(out.content().format, "images");
  EXPECT_EQ(out.content().target, "label");
  EXPECT_EQ(out.content().split_rows[0], 2);
  EXPECT_EQ(out.content().split_rows[2], 1);
  EXPECT_THAT(out.column("label").categories, ElementsAre("cat", "dog"));
  EXPECT_EQ(out.column("image").type, ColumnType::kImage);
  EXPECT_TRUE(out.column("image").shape.empty());
  ASSERT_EQ(out.report.warnings.size(), 1U);
  const auto reader = Reader::Open(blobs_, out.content());
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  EXPECT_EQ(*(*reader)->Bytes("image", 0), dog);
  EXPECT_THAT(testing::Values<int32_t>(**reader, "label"), ElementsAre(1, 0, 0));
}

TEST_F(ImagesTest, ReadsEveryArchiveAlike) {
  const std::vector<Item> items{{"./pets/train/", "", AE_IFDIR},
                                {"./pets/train/狗/1.png", Picture(1)},
                                {"pets/test/cat/1.png", Picture(2)},
                                {"pets/README.md", "hello"},
                                {"pets/more.zip", "PK"},
                                {"__MACOSX/pets/._1.png", "x"}};
  std::string manifest;
  for (const auto& [name, kind] : std::vector<std::pair<std::string, Kind>>{
           {"a.tar", Kind::kTar}, {"a.tar.gz", Kind::kTarGz}, {"a.tar.xz", Kind::kTarXz}, {"a.zip", Kind::kZip}}) {
    const auto out = RunArchive(name, kind, items);
    ASSERT_EQ(out.error, "") << name;
    EXPECT_THAT(out.column("label").categories, ElementsAre("cat", "狗"));
    EXPECT_EQ(out.content().split_rows[2], 1);
    ASSERT_EQ(out.report.warnings.size(), 3U);
    EXPECT_THAT(out.report.warnings[1], HasSubstr("archive in an archive"));
    EXPECT_TRUE(manifest.empty() || manifest == out.report.manifest.sha256) << name;
    manifest = out.report.manifest.sha256;
  }
}

TEST_F(ImagesTest, RefusesUnsafeArchives) {
  const std::string picture = Picture(1);
  const std::vector<std::vector<Item>> cases{
      {{"../cat/1.png", picture}},
      {{"a/../../cat/1.png", picture}},
      {{"/etc/cat/1.png", picture}},
      {{"C:/cat/1.png", picture}},
      {{"cat\\..\\1.png", picture}},
      {{"cat/1.png", picture}, {"cat/1.PNG", picture}},
      {{"cat/1.png", picture}, {"cat/1.png", picture}},
      {{"cat/1.png", "", AE_IFLNK, "/etc/passwd"}},
  };
  for (const auto& items : cases) {
    for (const Kind kind : {Kind::kTar, Kind::kZip}) {
      const auto out = RunArchive(kind == Kind::kTar ? "a.tar" : "a.zip", kind, items);
      EXPECT_EQ(out.reason, "unsafe_archive") << items.back().path << ": " << out.error;
    }
  }
  EXPECT_EQ(RunArchive("a.tar", Kind::kTar, {{"cat/1.png", picture}, {"cat/2.png", "", AE_IFREG, "cat/1.png"}}).reason,
            "unsafe_archive");
  EXPECT_EQ(RunArchive("a.tar", Kind::kTar, {{"cat/1.png", "", AE_IFIFO}}).reason, "unsafe_archive");
  EXPECT_EQ(RunArchive("a.zip", Kind::kEncryptedZip, {{"cat/1.png", picture}}).reason, "unsafe_archive");
}

TEST_F(ImagesTest, RefusesBombsAndDamage) {
  const std::string zeros(40U << 20U, '\0');
  EXPECT_EQ(RunArchive("a.zip", Kind::kZip, {{"cat/1.png", zeros}}).reason, "request_too_large");
  EXPECT_EQ(RunArchive("a.tar.gz", Kind::kTarGz, {{"cat/note.txt", zeros}}).reason, "request_too_large");
  const std::string good = Pack(Kind::kTarXz, {{"cat/1.png", Picture(1)}, {"cat/2.png", std::string(100000, 'x')}});
  EXPECT_EQ(Run({blobs_.Source("a.tar.xz", good.substr(0, good.size() / 2))}).reason, "invalid_archive");
  EXPECT_EQ(Run({blobs_.Source("a.zip", "hello, this is no archive at all")}).reason, "invalid_archive");
  EXPECT_EQ(Run({blobs_.Source("a.tar", "")}).reason, "invalid_archive");
  const auto store = blobs_.Put(Pack(Kind::kTar, {{"a/1", "x"}, {"a/2", "x"}, {"a/3", "x"}}));
  ArchiveLimits limits;
  limits.max_entries = 2;
  const auto status = WalkArchive(
      *blobs_.LocalPath(store.sha256), "a.tar", limits, [](uint64_t) {},
      [](const ArchiveEntry&) -> Status { return {}; });
  EXPECT_EQ(status.error().reason, "request_too_large");
}

TEST_F(ImagesTest, NamesTheBadPicture) {
  auto out = Run({blobs_.Source("cat/1.png", Picture(1)), blobs_.Source("cat/2.png", Picture(2).substr(0, 40))});
  EXPECT_THAT(out.error, HasSubstr("cat/2.png: "));
  EXPECT_EQ(out.reason, "invalid_image");
  out = Run({blobs_.Source("cat/1.svg", "<svg/>")});
  EXPECT_EQ(out.reason, "unsupported_media_type");
  out = RunArchive("pets.zip", Kind::kZip, {{"cat/1.png", "no picture"}});
  EXPECT_THAT(out.error, HasSubstr("pets.zip: cat/1.png: "));
  EXPECT_THAT(Run({blobs_.Source("1.png", Picture(1))}).error, HasSubstr("no folder that names its label"));
  EXPECT_THAT(Run({blobs_.Source("train/1.png", Picture(1))}).error, HasSubstr("no folder that names its label"));
  ImportOptions pictures;
  pictures.format = "images";
  EXPECT_THAT(Run({blobs_.Source("a.zip", Pack(Kind::kZip, {{"cat/1.txt", "x"}}))}, pictures).error,
              HasSubstr("there are no pictures"));
}

TEST_F(ImagesTest, ReadsCifar) {
  const auto root = SharedData();
  const auto file = root / "images/cifar10_jpg/test.tar.xz";
  if (root.empty() || !std::filesystem::exists(file)) {
    GTEST_SKIP() << "no shared data";
  }
  const auto out = Run({blobs_.SourceFrom("test.tar.xz", file)});
  ASSERT_EQ(out.error, "");
  EXPECT_EQ(out.content().split_rows[2], 8000);
  EXPECT_EQ(out.column("label").categories.size(), 10U);
  EXPECT_EQ(out.column("label").categories[0], "airplane");
}

}  // namespace
}  // namespace atelier::data
