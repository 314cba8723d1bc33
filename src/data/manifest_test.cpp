#include "data/manifest.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "data/formats/cells.h"
#include "data/formats/paths.h"
#include "data/testing/importing.h"

namespace atelier::data {
namespace {

using testing::FakeBlobStore;
using testing::RunImport;

TEST(ManifestTest, ComesBackFromJson) {
  FakeBlobStore blobs;
  const auto out = RunImport(blobs, "a.csv", "x,名\n1,红\n2,蓝\n");
  ASSERT_EQ(out.error, "");
  const auto again = LoadManifest(blobs, out.report.manifest.sha256);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(json::serialize(ToJson(*again)), json::serialize(ToJson(out.content())));
  EXPECT_EQ(again->Target()->categories[0], "红");
}

TEST(ManifestTest, RefusesDamage) {
  FakeBlobStore blobs;
  const auto out = RunImport(blobs, "a.csv", "x,y\n1,a\n2,b\n");
  ASSERT_EQ(out.error, "");
  const std::string good = json::serialize(ToJson(out.content()));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    return ManifestFromJson(*ParseJson(text));
  };
  EXPECT_TRUE(ManifestFromJson(*ParseJson(good)).ok());
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"\"classification\"", "\"guessing\""},
                                                        {"\"category\"", "\"thing\""},
                                                        {"\"target\":\"y\"", "\"target\":\"z\""},
                                                        {"\"rows\":2", "\"rows\":3"},
                                                        {"\"train\":2", "\"train\":-2"},
                                                        {"\"counts\":[1,1]", "\"counts\":[1]"},
                                                        {"\"name\":\"y\"", "\"name\":\"x\""},
                                                        {out.content().splits.sha256, "zz"}}) {
    const auto bad = with(from, to);
    ASSERT_FALSE(bad.ok()) << from;
    EXPECT_EQ(bad.error().code, Code::kDataLoss);
  }
  EXPECT_FALSE(ManifestFromJson(json::value(3)).ok());
}

TEST(ReaderTest, RefusesShardsThatDoNotFit) {
  FakeBlobStore blobs;
  const auto out = RunImport(blobs, "a.csv", "x,y\n1,a\n2,b\n");
  ASSERT_EQ(out.error, "");
  Manifest manifest = out.content();
  manifest.columns[1].categories.pop_back();  // then a row has a category that is none
  EXPECT_EQ(Reader::Open(blobs, manifest).error().code, Code::kDataLoss);
  manifest = out.content();
  manifest.columns[0].type = ColumnType::kText;
  EXPECT_EQ(Reader::Open(blobs, manifest).error().code, Code::kDataLoss);
  manifest = out.content();
  manifest.split_rows[0] = 1;
  manifest.split_rows[1] = 1;
  EXPECT_EQ(Reader::Open(blobs, manifest).error().code, Code::kDataLoss);
  manifest = out.content();
  manifest.splits = blobs.Put("\x01\x09");
  EXPECT_EQ(Reader::Open(blobs, manifest).error().code, Code::kDataLoss);
  EXPECT_TRUE(blobs.Delete(out.content().shards[0].blob.sha256).ok());
  EXPECT_EQ(Reader::Open(blobs, out.content()).error().code, Code::kDataLoss);
}

TEST(CellsTest, ParsesNumbersStrictly) {
  const auto kind = [](std::string_view cell) {
    double value = 0;
    return ParseNumber(cell, value);
  };
  for (const auto* cell : {"1", "-0", "+7", "1.0", "1e3", "9007199254740992"}) {
    EXPECT_EQ(kind(cell), NumberKind::kInteger) << cell;
  }
  for (const auto* cell : {".5", "5.25", "-1e-3", "1e-400", "0.0000001"}) {
    EXPECT_EQ(kind(cell), NumberKind::kDecimal) << cell;
  }
  for (const auto* cell : {"1e400", "-1e39", "3.5e38"}) {
    EXPECT_EQ(kind(cell), NumberKind::kOverflow) << cell;
  }
  for (const auto* cell :
       {"", "-", "+-1", "inf", "-inf", "nan", "0x10", "1,5", "1_0", "1 ", " 1", "1e", "1.2.3", "１"}) {
    EXPECT_EQ(kind(cell), NumberKind::kNone) << cell;
  }
  for (const auto* cell : {"", "?", "na", "NA", "NaN", "NULL", "N/A"}) {
    EXPECT_TRUE(IsMissing(cell)) << cell;
  }
  EXPECT_FALSE(IsMissing("none"));
  EXPECT_EQ(PrintNumber(3.0), "3");
  EXPECT_EQ(PrintNumber(0.1), "0.1");
}

TEST(PathsTest, SaysWhatNamesMean) {
  for (const auto* path : {"", "/a", "a/../b", "..", "C:/a", "c:a", "a\\b", "a\nb", "\xff", "."}) {
    EXPECT_FALSE(CheckPath(path).ok()) << path;
  }
  for (const auto* path : {"a", "a/b.png", "./a", "a..b/c", "图/一.png"}) {
    EXPECT_TRUE(CheckPath(path).ok()) << path;
  }
  EXPECT_EQ(SplitFromPath("x/test.csv.gz"), Split::kTest);
  EXPECT_EQ(SplitFromPath("Train/part-1.csv"), Split::kTrain);
  EXPECT_EQ(SplitFromPath("val/a.csv"), Split::kValidation);
  EXPECT_EQ(SplitFromPath("contest.csv"), std::nullopt);
  EXPECT_TRUE(IsSystemFile("a/.DS_Store"));
  EXPECT_TRUE(IsSystemFile("__MACOSX/a/._b.png"));
  EXPECT_TRUE(IsSystemFile("a/Thumbs.db"));
  EXPECT_FALSE(IsSystemFile("./a/b.png"));
  EXPECT_EQ(DataExtension("a/B.CSV.gz"), "csv");
}

}  // namespace
}  // namespace atelier::data
