#include "data/importer.h"

#include <gmock/gmock.h>

#include <cmath>

#include "base/json.h"
#include "base/testing/shared_data.h"
#include "data/testing/archives.h"
#include "data/testing/importing.h"

namespace atelier::data {
namespace {

using ::testing::ElementsAre;
using testing::FakeBlobStore;
using testing::Gzip;
using ::testing::HasSubstr;
using testing::Imported;
using testing::RunImport;
using testing::Values;

class ImporterTest : public ::testing::Test {
 protected:
  std::unique_ptr<Reader> Open(const Imported& imported) {
    auto reader = Reader::Open(blobs_, imported.content());
    EXPECT_TRUE(reader.ok()) << (reader.ok() ? "" : reader.error().message);
    return reader.ok() ? std::move(reader).value() : nullptr;
  }
  std::filesystem::path Shared(const std::string& path) {
    const auto root = SharedData();
    return root.empty() ? root : root / path;
  }

  FakeBlobStore blobs_;
};

TEST_F(ImporterTest, InfersTheColumnsOfCsv) {
  const auto out = RunImport(blobs_, "a.csv", "size,colour,label\n1.5, red ,yes\n?,blue,no\n-2e1,,yes\n4,red,NA\n");
  ASSERT_EQ(out.error, "");
  EXPECT_EQ(out.content().rows(), 4);
  EXPECT_EQ(out.content().target, "label");
  EXPECT_EQ(out.content().task, Task::kClassification);
  const Column& size = out.column("size");
  EXPECT_EQ(size.type, ColumnType::kNumber);
  EXPECT_EQ(size.statistics.missing, 1);
  EXPECT_DOUBLE_EQ(size.statistics.minimum, -20);
  EXPECT_DOUBLE_EQ(size.statistics.maximum, 4);
  EXPECT_NEAR(size.statistics.mean, -14.5 / 3, 1e-12);
  EXPECT_NEAR(size.statistics.standard_deviation, 10.772908, 1e-6);  // numpy.std([1.5, -20, 4])
  EXPECT_THAT(out.column("colour").categories, ElementsAre("blue", "red"));
  EXPECT_THAT(out.column("colour").statistics.counts, ElementsAre(1, 2));
  EXPECT_THAT(out.column("label").categories, ElementsAre("no", "yes"));
  ASSERT_EQ(out.report.warnings.size(), 1U);
  EXPECT_THAT(out.report.warnings[0], HasSubstr("1 rows have no value of the target"));
  const auto reader = Open(out);
  EXPECT_THAT(Values<int32_t>(*reader, "colour"), ElementsAre(1, 0, -1, 1));
  EXPECT_THAT(Values<int32_t>(*reader, "label"), ElementsAre(1, 0, 1, -1));
  const auto sizes = Values<float>(*reader, "size");
  EXPECT_EQ(sizes[0], 1.5F);
  EXPECT_TRUE(std::isnan(sizes[1]));
}

TEST_F(ImporterTest, ChoosesTargetAndTask) {
  const std::string text = "a,b\n10,1\n9,2\n2,1.0\n";
  auto out = RunImport(blobs_, "a.csv", text);
  EXPECT_EQ(out.content().task, Task::kClassification);
  EXPECT_THAT(out.column("b").categories, ElementsAre("1", "2"));  // 1 and 1.0 are one class
  ImportOptions options;
  options.target = "a";
  options.task = "classification";
  out = RunImport(blobs_, "a.csv", text, options);
  EXPECT_THAT(out.column("a").categories, ElementsAre("2", "9", "10"));
  EXPECT_EQ(out.column("b").type, ColumnType::kNumber);
  options.task = "regression";
  out = RunImport(blobs_, "a.csv", text, options);
  EXPECT_EQ(out.content().task, Task::kRegression);
  EXPECT_EQ(out.column("a").type, ColumnType::kNumber);
  options = {};
  options.task = "none";
  EXPECT_EQ(RunImport(blobs_, "a.csv", text, options).content().target, "");
  options = {};
  options.types = {{"b", "number"}};
  EXPECT_EQ(RunImport(blobs_, "a.csv", text, options).content().task, Task::kRegression);
  EXPECT_EQ(RunImport(blobs_, "a.csv", "a,b\n1,2.5\n2,3\n").content().task, Task::kRegression);
  options = {};
  options.target = "c";
  EXPECT_THAT(RunImport(blobs_, "a.csv", text, options).error, HasSubstr("the columns are: a, b"));
}

TEST_F(ImporterTest, KeepsLongTailsAsText) {
  std::string text = "words,label\n";
  for (int i = 0; i < 40; ++i) {
    text += "sentence number " + std::to_string(i) + "," + (i % 2 == 0 ? "good" : "bad") + "\n";
  }
  const auto out = RunImport(blobs_, "a.csv", text);
  EXPECT_EQ(out.column("words").type, ColumnType::kText);
  EXPECT_EQ(out.column("label").type, ColumnType::kCategory);
  const auto reader = Open(out);
  EXPECT_EQ(*reader->Bytes("words", 39), "sentence number 39");
  EXPECT_FALSE(reader->Bytes("words", 40).ok());
  EXPECT_FALSE(reader->Bytes("label", 0).ok());
}

TEST_F(ImporterTest, GuessesDelimiterAndHeader) {
  for (const auto& [path, text] :
       std::vector<std::pair<std::string, std::string>>{{"a.csv", "x;y;z\n1,5;2;a\n2,5;3;b\n3,5;3;b\n"},
                                                        {"a.tsv", "x\ty\tz\nc, d\t2\ta\ne f\t3\tb\n"},
                                                        {"a.csv", "x|y|z\n1|2|a\n2|3|b\n"},
                                                        {"a.txt", "x y z\n1 2 a\n2  3 b\n"},
                                                        {"a.csv.gz", Gzip("x,y,z\n1,2,a\n2,3,b\n")}}) {
    const auto out = RunImport(blobs_, path, text);
    ASSERT_EQ(out.error, "") << text;
    ASSERT_EQ(out.content().columns.size(), 3U) << text;
    EXPECT_EQ(out.content().columns[1].name, "y");
    EXPECT_EQ(out.content().columns[1].type, ColumnType::kNumber);
  }
  auto out = RunImport(blobs_, "a.csv", "1,2,a\n3,4,b\n");
  EXPECT_EQ(out.content().columns[2].name, "column_3");
  EXPECT_EQ(out.content().rows(), 2);
  out = RunImport(blobs_, "a.csv", "good,spam\nbad,ham\ngood,ham\n");  // words only, and the first row comes again
  EXPECT_EQ(out.content().rows(), 3);
  ImportOptions options;
  options.header = "yes";
  options.skip_lines = 1;
  EXPECT_EQ(RunImport(blobs_, "a.csv", "junk\n1,2\n3,4\n", options).content().columns[0].name, "1");
}

TEST_F(ImporterTest, NamesWhatIsWrongInCsv) {
  ImportOptions numbers;
  numbers.types = {{"b", "number"}};
  ImportOptions texts;
  texts.types = {{"a", "text"}};
  const std::vector<std::tuple<std::string, ImportOptions, std::string>> cases{
      {"a,b\n1,2\n3\n", {}, "a.csv: row 3 has 1 columns, the first row has 2"},
      {"a,a\nx,1\n", {}, "a.csv: row 1, column 2: the name 'a' is that of column 1 too"},
      {"a,b\n1,1e400\n", {}, "a.csv: row 2, column 'b': '1e400' is too large"},
      {"a,b\nx,1\ny,oops\n", numbers, "a.csv: row 3, column 'b': 'oops' is no number"},
      {"", {}, "a.csv: there are no rows"},
      {"a,b\n1,\"x\n", {}, "a.csv: row 2, column 2: a quote is opened"},
      {"a.bytes,a\n1,x y z\n", texts, "column 'a' has a name that is taken"},
  };
  for (const auto& [text, options, message] : cases) {
    EXPECT_THAT(RunImport(blobs_, "a.csv", text, options).error, HasSubstr(message)) << text;
  }
  EXPECT_EQ(RunImport(blobs_, "a.parquet", "x").reason, "unsupported_media_type");
  EXPECT_EQ(RunImport(blobs_, "../a.csv", "x").reason, "unsafe_path");
  EXPECT_THAT(RunImport(blobs_, {blobs_.Source("a.csv", "a\n1\n"), blobs_.Source("b.jsonl", "{}")}).error,
              HasSubstr("b.jsonl: this is not of the same format"));
}

TEST_F(ImporterTest, ReadsJsonLines) {
  const auto out = RunImport(blobs_, "a.jsonl",
                             "{\"x\": 1, \"v\": [[1, 2], [3, 4]], \"ok\": true, \"y\": \"b\"}\r\n\n"
                             "{\"y\": \"a\", \"x\": null, \"v\": null}\n{\"x\": 2.5, \"ok\": false, \"y\": \"b\"}");
  ASSERT_EQ(out.error, "");
  EXPECT_EQ(out.content().rows(), 3);
  EXPECT_EQ(out.content().target, "y");
  EXPECT_THAT(out.column("v").shape, ElementsAre(2, 2));
  EXPECT_THAT(out.column("ok").categories, ElementsAre("false", "true"));
  EXPECT_EQ(out.column("x").statistics.missing, 1);
  EXPECT_EQ(out.column("v").statistics.missing, 2);
  EXPECT_DOUBLE_EQ(out.column("v").statistics.mean, 2.5);
  const auto reader = Open(out);
  EXPECT_THAT(Values<int32_t>(*reader, "ok"), ElementsAre(1, -1, 0));
  EXPECT_EQ(Values<float>(*reader, "v")[3], 4.0F);
}

TEST_F(ImporterTest, NamesWhatIsWrongInJsonLines) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"{\"a\":1}\n\n{\"a\":}\n", "a.jsonl: line 3: the JSON is malformed"},
      {"{\"a\":1}\n[1]\n", "a.jsonl: line 2: this is no JSON object"},
      {"{\"a\":1}\n{\"a\":\"x\"}\n", "a.jsonl: line 2: field 'a' has another type"},
      {"{\"a\":{\"b\":1}}\n{\"a\":\"x\"}\n", "a.jsonl: line 2: field 'a' has another type"},
      {"{\"a\":[1,2]}\n{\"a\":[1]}\n", "a.jsonl: line 2: field 'a' has the shape [1], before it was [2]"},
      {"{\"a\":[1,[2]]}\n", "a.jsonl: line 1: field 'a' is no regular array"},
      {"[{\"a\":1},", "a.jsonl: behind item 1 the array is cut off"},
      {"[{\"a\":1} {\"a\":1}]", "a.jsonl: item 1: the JSON is malformed"},
      {"[{\"a\":1},]", "a.jsonl: behind item 1 a ']' stands where a value should"},
      {"[{\"a\":1}] x", "a.jsonl: behind item 1 the array ends, and more follows"},
      {"[]", "a.jsonl: there are no rows"},
      {"{\"a\":1e39}\n", "a.jsonl: line 1: field 'a': the number is too large"},
      {"{\"a\":1e400}\n", "a.jsonl: line 1"},
      {"{\"a\":1,\"a\":2}\n", "a.jsonl: line 1"},
      {" \n\n", "a.jsonl: there are no rows"},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_THAT(RunImport(blobs_, "a.jsonl", text).error, HasSubstr(message)) << text;
  }
}

std::string Big(uint32_t value) {
  return {static_cast<char>(value >> 24U), static_cast<char>(value >> 16U), static_cast<char>(value >> 8U),
          static_cast<char>(value)};
}
std::string Images(uint32_t count, uint32_t height, uint32_t width, const std::string& pixels) {
  return Big(0x803) + Big(count) + Big(height) + Big(width) + pixels;
}
std::string Labels(uint32_t count, const std::string& labels) { return Big(0x801) + Big(count) + labels; }

TEST_F(ImporterTest, ReadsIdx) {
  const auto out =
      RunImport(blobs_, {blobs_.Source("d/t10k-labels-idx1-ubyte", Labels(1, "\x07")),
                         blobs_.Source("d/t10k-images-idx3-ubyte.gz", Gzip(Images(1, 1, 2, "\x02\x04"))),
                         blobs_.Source("d/train-images-idx3-ubyte", Images(2, 1, 2, std::string("\0\x01\xff\0", 4))),
                         blobs_.Source("d/train-labels-idx1-ubyte.gz", Gzip(Labels(2, "\x03\x07")))});
  ASSERT_EQ(out.error, "");
  EXPECT_EQ(out.content().split_rows[0], 2);
  EXPECT_EQ(out.content().split_rows[2], 1);
  EXPECT_THAT(out.column("image").shape, ElementsAre(1, 1, 2));
  EXPECT_THAT(out.column("label").categories, ElementsAre("3", "7"));
  EXPECT_NEAR(out.column("image").statistics.mean, 262.0 / 6, 1e-12);
  const auto reader = Open(out);
  EXPECT_THAT(Values<uint8_t>(*reader, "image"), ElementsAre(0, 1, 255, 0, 2, 4));
  EXPECT_THAT(Values<int32_t>(*reader, "label"), ElementsAre(0, 1, 1));
  EXPECT_THAT(reader->Rows(Split::kTest), ElementsAre(2));
}

TEST_F(ImporterTest, NamesWhatIsWrongInIdx) {
  const std::string good_labels = Labels(2, "ab");
  const std::string good = Images(2, 1, 1, "xy");
  const std::vector<std::tuple<std::string, std::string, std::string>> cases{
      {Images(2, 1, 1, "x"), good_labels, "ends in number 2"},
      {Images(2, 1, 1, "xyz"), good_labels, "more bytes"},
      {Images(3, 1, 1, "xyz"), good_labels, "has 3 pictures, but"},
      {Images(2, 0, 1, ""), good_labels, "out of range"},
      {Images(2, 1U << 31U, 1U << 31U, ""), good_labels, "out of range"},
      {Labels(2, "xy"), good_labels, "no IDX file"},
      {good, Labels(0xFFFFFFFF, "ab"), "declares 4294967295"},
      {good, Labels(3, "ab"), "declares 3 labels and has 2"},
      {good, Labels(2, "abc"), "more bytes"},
      {good.substr(0, 7), good_labels, "cut off"},
      {Gzip(good).substr(0, 20), good_labels, "cut off"},
      {Gzip(good) + "junk", good_labels, "other bytes behind"},
  };
  for (const auto& [images, labels, message] : cases) {
    const auto out =
        RunImport(blobs_, {blobs_.Source("x-images-idx3-ubyte", images), blobs_.Source("x-labels-idx1-ubyte", labels)});
    EXPECT_THAT(out.error, HasSubstr(message));
  }
  EXPECT_THAT(RunImport(blobs_, {blobs_.Source("x-images-idx3-ubyte", good)}).error, HasSubstr("labels are missing"));
}

TEST_F(ImporterTest, RefusesGzipBombs) {
  std::string text = "a,b\n";
  for (int i = 0; i < 160; ++i) {
    text += "1," + std::string(500'000, 'x') + "\n";
  }
  EXPECT_EQ(RunImport(blobs_, "a.csv.gz", Gzip(text)).reason, "request_too_large");
}

TEST_F(ImporterTest, SplitsTheSameEverywhere) {
  std::string text = "x,label\n";
  for (int i = 0; i < 1000; ++i) {
    text += std::to_string(i) + "," + (i % 10 == 0 ? "rare" : "often") + "\n";
  }
  ImportOptions options;
  options.split = {0.8, 0.1, 0.1};
  options.seed = 7;
  const auto first = RunImport(blobs_, "a.csv", text, options);
  ASSERT_EQ(first.error, "");
  EXPECT_EQ(first.content().split_rows[0], 800);
  EXPECT_EQ(first.content().split_rows[1], 100);
  EXPECT_EQ(first.content().split_rows[2], 100);
  EXPECT_EQ(RunImport(blobs_, "a.csv", text, options).report.manifest, first.report.manifest);
  // Recorded: a change of this value changes every split that users made with a seed.
  EXPECT_EQ(first.content().splits.sha256.substr(0, 16), "33a7162ae321fe98");
  const auto reader = Open(first);
  const auto labels = Values<int32_t>(*reader, "label");
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    int64_t rare = 0;
    for (const int64_t row : reader->Rows(split)) {
      rare += first.column("label").categories[static_cast<size_t>(labels[static_cast<size_t>(row)])] == "rare";
    }
    EXPECT_EQ(rare * 10, static_cast<int64_t>(reader->Rows(split).size()));
  }
  options.seed = 8;
  const auto other = RunImport(blobs_, "a.csv", text, options);
  EXPECT_NE(other.content().splits, first.content().splits);
  EXPECT_EQ(other.content().shards[0].blob, first.content().shards[0].blob);
}

TEST_F(ImporterTest, KeepsThePartsOfTheSource) {
  std::string rows = "x,y\n";
  for (int i = 0; i < 100; ++i) {
    rows += std::to_string(i) + (i % 2 == 0 ? ",a\n" : ",b\n");
  }
  ImportOptions options;
  options.split = {0.6, 0.2, 0.2};
  const auto out = RunImport(blobs_, {blobs_.Source("train.csv", rows), blobs_.Source("test.csv", rows)}, options);
  ASSERT_EQ(out.error, "");
  EXPECT_EQ(out.content().split_rows[0], 75);  // 0.6 of 0.8
  EXPECT_EQ(out.content().split_rows[1], 25);
  EXPECT_EQ(out.content().split_rows[2], 100);
}

TEST_F(ImporterTest, WritesShardsOfBoundedSize) {
  std::string text;
  for (int64_t i = 0; i < kShardRows + 10; ++i) {
    text += "0.5,1\n";
  }
  const auto out = RunImport(blobs_, "a.csv", text);
  ASSERT_EQ(out.error, "");
  ASSERT_EQ(out.content().shards.size(), 2U);
  EXPECT_EQ(out.content().shards[1].rows, 10);
  EXPECT_EQ(Values<float>(*Open(out), "column_1").size(), static_cast<size_t>(kShardRows + 10));
}

TEST_F(ImporterTest, ReadsMnist) {
  const auto root = Shared("images/mnist");
  if (root.empty() || !std::filesystem::exists(root)) {
    GTEST_SKIP() << "no shared data";
  }
  std::vector<SourceFile> files;
  for (const auto* name : {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
                           "t10k-labels-idx1-ubyte.gz"}) {
    files.push_back(blobs_.SourceFrom(name, root / name));
  }
  const auto out = RunImport(blobs_, files);
  ASSERT_EQ(out.error, "");
  EXPECT_EQ(out.content().split_rows[0], 48000);
  EXPECT_EQ(out.content().split_rows[2], 8000);
  const auto& statistics = out.column("image").statistics;  // recorded from numpy
  EXPECT_NEAR(statistics.mean, 33.38625243713557, 1e-9);
  EXPECT_NEAR(statistics.standard_deviation, 78.65402850211478, 1e-9);
  EXPECT_THAT(out.column("label").statistics.counts,
              ElementsAre(5526, 6348, 5607, 5717, 5457, 5023, 5464, 5860, 5484, 5514));
}

struct Table {
  std::string path;
  int64_t rows;
  size_t columns;
  Task task;
  size_t statistics_of;
  double mean, standard_deviation;  // of that column, recorded from numpy
};

TEST_F(ImporterTest, ReadsTheSharedTables) {
  const auto root = Shared("tabular");
  if (root.empty() || !std::filesystem::exists(root)) {
    GTEST_SKIP() << "no shared data";
  }
  const std::vector<Table> tables{
      {"winequality_red/winequality_red.csv", 1279, 12, Task::kClassification, 0, 8.28975762314308, 1.7454365440683242},
      {"winequality_red/winequality_red.csv", 1279, 12, Task::kClassification, 7, 0.9966907271305708,
       0.0019028013223602023},
      {"iris/iris.csv", 120, 5, Task::kClassification, 0, 5.8125, 0.8261923202257451},
      {"diabetes/diabetes_space_separated.txt", 354, 11, Task::kRegression, 10, 153.13276836158192, 76.9949143504881},
  };
  for (const auto& table : tables) {
    const auto out = RunImport(blobs_, {blobs_.SourceFrom(table.path, root / table.path)});
    ASSERT_EQ(out.error, "") << table.path;
    EXPECT_EQ(out.content().rows(), table.rows) << table.path;
    EXPECT_EQ(out.content().columns.size(), table.columns) << table.path;
    EXPECT_EQ(out.content().task, table.task) << table.path;
    EXPECT_NEAR(out.content().columns[table.statistics_of].statistics.mean, table.mean, 1e-10) << table.path;
    EXPECT_NEAR(out.content().columns[table.statistics_of].statistics.standard_deviation, table.standard_deviation,
                1e-10)
        << table.path;
  }
  const auto adult = RunImport(blobs_, {blobs_.SourceFrom("adult.csv.gz", root / "adult/adult.csv.gz")});
  ASSERT_EQ(adult.error, "");
  EXPECT_EQ(adult.content().rows(), 26049);
  EXPECT_THAT(adult.column("column_15").categories, ElementsAre("<=50K", ">50K"));
  EXPECT_THAT(adult.column("column_15").statistics.counts, ElementsAre(19739, 6310));
  EXPECT_EQ(adult.column("column_2").statistics.missing, 1434);
  EXPECT_EQ(adult.column("column_2").categories.size(), 8U);
  for (const auto& folder : std::filesystem::directory_iterator(root)) {
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
      const auto out = RunImport(blobs_, {blobs_.SourceFrom(file.path().filename(), file.path())});
      EXPECT_EQ(out.error, "");
      EXPECT_NE(out.content().task, Task::kNone) << file.path();
    }
  }
}

TEST(ImportOptionsTest, RefusesWhatItDoesNotKnow) {
  const auto parse = [](const std::string& text) {
    const auto value = ParseJson(text);
    const auto options = ImportOptionsFromJson(value->get_object());
    return options.ok() ? std::string("ok") : options.error().param;
  };
  EXPECT_EQ(parse("{}"), "ok");
  EXPECT_EQ(parse(R"({"format":"csv","delimiter":"\t","header":"no","skip_lines":2,"types":{"a":"text"},
                      "split":[0.8,0.1,0.1],"stratify":false,"seed":3,"task":"regression","target":"a"})"),
            "ok");
  EXPECT_EQ(parse(R"({"format":"parquet"})"), "format");
  EXPECT_EQ(parse(R"({"delimiter":"ab"})"), "delimiter");
  EXPECT_EQ(parse(R"({"skip_lines":-1})"), "skip_lines");
  EXPECT_EQ(parse(R"({"skip_lines":1e30})"), "skip_lines");
  EXPECT_EQ(parse(R"({"seed":-1})"), "seed");
  EXPECT_EQ(parse(R"({"split":[0.8,0.1]})"), "split");
  EXPECT_EQ(parse(R"({"split":[0.8,0.1,0.2]})"), "split");
  EXPECT_EQ(parse(R"({"split":[1.5,-0.5,0]})"), "split");
  EXPECT_EQ(parse(R"({"split":[0,0.5,0.5]})"), "split");
  EXPECT_EQ(parse(R"({"types":{"a":"date"}})"), "types.a");
  EXPECT_NE(parse(R"({"epochs":1000000000})"), "ok");
}

TEST(NeedsImagesTest, GoesByTheNames) {
  EXPECT_TRUE(NeedsImages({{"a/b.PNG", {}}}, "auto"));
  EXPECT_TRUE(NeedsImages({{"a.tar.xz", {}}}, ""));
  EXPECT_FALSE(NeedsImages({{"a.csv.gz", {}}}, "auto"));
  EXPECT_TRUE(NeedsImages({{"a", {}}}, "images"));
  EXPECT_FALSE(NeedsImages({{"a.zip", {}}}, "csv"));
}

}  // namespace
}  // namespace atelier::data
