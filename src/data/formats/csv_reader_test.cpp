#include "data/formats/csv_reader.h"

#include <gmock/gmock.h>

#include <optional>

namespace atelier::data {
namespace {

using Rows = std::vector<std::vector<std::string>>;

struct Answer {
  Rows rows;
  std::vector<int64_t> lines;
  std::string error;
};

// In pieces of `step` bytes, so that every state is cut at every place.
Answer Parse(const std::string& text, size_t step, char delimiter = ',', int64_t skip_lines = 0) {
  std::string_view rest = text;
  std::string piece;
  CsvReader reader(
      [&]() -> Result<std::string_view> {
        piece = rest.substr(0, step);
        rest.remove_prefix(piece.size());
        return std::string_view(piece);
      },
      delimiter, "f.csv", skip_lines);
  Answer out;
  CsvRow row;
  while (true) {
    const auto more = reader.Next(row);
    if (!more.ok()) {
      out.error = more.error().message;
      return out;
    }
    if (!*more) {
      return out;
    }
    std::vector<std::string> fields;
    for (size_t i = 0; i < row.size(); ++i) {
      fields.emplace_back(row[i]);
    }
    out.rows.push_back(std::move(fields));
    out.lines.push_back(row.line());
  }
}

struct Recorded {
  std::string text;
  Rows rows;
};

// Rows recorded from Python's csv.reader (3.11, strict=True, newline=''), its empty rows left out.
std::vector<Recorded> Recording() {
  return {
#include "data/testing/csv_recording.inc"
  };
}

TEST(CsvReaderTest, AgreesWithPython) {
  const auto recording = Recording();
  ASSERT_GT(recording.size(), 20U);
  for (const auto& recorded : recording) {
    for (const size_t step : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{1000}}) {
      const Answer answer = Parse(recorded.text, step);
      EXPECT_EQ(answer.error, "") << recorded.text;
      EXPECT_EQ(answer.rows, recorded.rows) << testing::PrintToString(recorded.text) << " step " << step;
    }
  }
}

TEST(CsvReaderTest, CountsLinesOfTheFile) {
  const Answer answer = Parse("a,b\r\n\r\n\"x\ny\",1\rc,d\n", 4);
  EXPECT_EQ(answer.rows, (Rows{{"a", "b"}, {"x\ny", "1"}, {"c", "d"}}));
  EXPECT_EQ(answer.lines, (std::vector<int64_t>{1, 3, 5}));
}

TEST(CsvReaderTest, LeavesOutMarksAndLines) {
  for (const size_t step : {size_t{1}, size_t{2}, size_t{100}}) {
    EXPECT_EQ(Parse("\xEF\xBB\xBF"
                    "a,b\n1,2",
                    step)
                  .rows,
              (Rows{{"a", "b"}, {"1", "2"}}));
    const Answer skipped = Parse("# it's \"so\n\na,b\n", step, ',', 2);
    EXPECT_EQ(skipped.rows, (Rows{{"a", "b"}})) << skipped.error;
    EXPECT_EQ(skipped.lines, (std::vector<int64_t>{3}));
    EXPECT_EQ(Parse("only", step, ',', 5).rows, Rows{});
  }
}

TEST(CsvReaderTest, TakesSeveralSpacesForOne) {
  EXPECT_EQ(Parse("  1   2 3 \n4 5  6\n   \n", 3, ' ').rows, (Rows{{"1", "2", "3"}, {"4", "5", "6"}}));
  EXPECT_EQ(Parse("1 2 ", 3, ' ').rows, (Rows{{"1", "2"}}));
}

TEST(CsvReaderTest, NamesRowAndColumnOfWhatItRefuses) {
  const std::string big(kMaxCsvFieldBytes + 1, 'x');
  std::string wide;
  for (size_t i = 0; i <= kMaxCsvColumns; ++i) {
    wide += "1,";
  }
  const std::vector<std::pair<std::string, std::string>> cases{
      {"a,b\n1,\"2\n3,4\n", "f.csv: row 2, column 2: a quote is opened here and never closed"},
      {"a,b\n1,\"2\"x\n", "f.csv: row 2, column 2: text behind a closing quote"},
      {std::string("a,b\n1,\0\n", 8), "f.csv: row 2, column 2: a NUL byte"},
      {std::string("a,\"\0\"\n", 6), "f.csv: row 1, column 2: a NUL byte"},
      {"\xFF\xFE"
       "a\0",
       "f.csv: this is UTF-16"},
      {"\xFE\xFF"
       "\0a",
       "f.csv: this is UTF-16"},
      {"a\n\xC3\x28\n", "f.csv: row 2, column 1: the text is no UTF-8"},
      {"a,\xC3,\xA9\n", "f.csv: row 1, column 2: the text is no UTF-8"},
      {"a\n1\n" + big, "f.csv: row 3, column 1: a field of more than 1 MiB"},
      {"a,\"" + big, "f.csv: row 1, column 2: a field of more than 1 MiB; its opening quote"},
      {wide, "f.csv: row 1, column 4097: more than 4096 columns"},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_THAT(Parse(text, 65536).error, testing::StartsWith(message));
  }
  EXPECT_EQ(Parse("\"" + std::string(kMaxCsvFieldBytes, 'x') + "\"", 65536).rows.size(), 1U);
}

// A quote that is never closed must not read the whole file into memory.
TEST(CsvReaderTest, StaysBounded) {
  const std::string piece(65536, 'x');
  int pieces = 0;
  CsvReader reader(
      [&]() -> Result<std::string_view> {
        ++pieces;
        return pieces == 1 ? std::string_view("a,\"") : std::string_view(piece);
      },
      ',', "f.csv");
  CsvRow row;
  EXPECT_FALSE(reader.Next(row).ok());
  EXPECT_LT(pieces, 20);
}

}  // namespace
}  // namespace atelier::data
