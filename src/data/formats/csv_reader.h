// RFC 4180 as a streaming state machine, in bounded memory.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/formats/input.h"

namespace atelier::data {

inline constexpr size_t kMaxCsvColumns = 4096;
inline constexpr size_t kMaxCsvFieldBytes = size_t{1} << 20U;
inline constexpr size_t kMaxCsvRowBytes = size_t{16} << 20U;

// The fields of one row, one after another in one buffer. Reused from row to row.
class CsvRow {
 public:
  size_t size() const { return ends_.size(); }
  std::string_view operator[](size_t i) const {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(text_).substr(begin, ends_[i] - begin);
  }
  int64_t line() const { return line_; }  // of the file, from 1, where the row begins

 private:
  friend class CsvReader;
  size_t Open() const { return text_.size() - (ends_.empty() ? 0 : ends_.back()); }  // bytes of the open field

  std::string text_;
  std::vector<uint32_t> ends_;
  int64_t line_ = 0;
  bool ascii_ = true;
};

// Where the next row begins.
struct CsvPosition {
  uint64_t offset = 0;  // bytes of the text before it
  int64_t line = 1;
  bool skip_line_feed = false;  // the last row ended with CR
};

// Accepts LF, CRLF and CR as ends of a row, a UTF-8 byte order mark, and any bytes inside quotes except NUL. Rows
// without anything are left out. A quote inside a field that does not begin with one is a plain character. With the
// space as delimiter, several stand for one. Not thread-safe.
class CsvReader {
 public:
  // `name` is the file's, for messages. Leaves out the first `skip_lines` lines, whatever they hold. Without `quotes` a
  // quote is a character as any other.
  CsvReader(ChunkSource source, char delimiter, std::string name, int64_t skip_lines = 0, bool quotes = true);

  // Goes on in the middle: `source` gives the bytes from `position` on, which another reader told of the same text.
  CsvReader(ChunkSource source, char delimiter, std::string name, const CsvPosition& position, bool quotes = true);

  // After a row.
  CsvPosition position() const { return {taken_ - chunk_.size(), line_, skip_line_feed_}; }

  // false at the end. Errors: kInvalidArgument "invalid_csv" naming file, row and column (NUL, UTF-16, no UTF-8, text
  // behind a closing quote, a quote that is never closed, too large, too many columns), the source's.
  Result<bool> Next(CsvRow& row);

 private:
  enum class State { kFieldStart, kPlain, kQuoted, kQuoteInQuoted, kRowEnd };

  Result<bool> Fill();
  Status Start();
  Status Step(CsvRow& row);
  Status StepPlain(CsvRow& row);
  Status StepQuoted(CsvRow& row);
  Status AfterQuote(CsvRow& row);
  Status EndField(CsvRow& row);
  Status EndRow(CsvRow& row, char end);
  Status AtEnd(CsvRow& row);
  Status Append(CsvRow& row, std::string_view bytes);
  Error Bad(const CsvRow& row, const std::string& what) const;

  ChunkSource source_;
  char delimiter_;
  std::string name_;
  int64_t skip_lines_;
  bool quotes_;
  std::array<bool, 256> special_{};  // what ends a run of plain characters
  std::string head_;                 // the first bytes, where they came in small pieces
  std::string_view chunk_;
  bool started_ = false;
  uint64_t taken_ = 0;  // bytes that the source gave
  bool skip_line_feed_ = false;
  State state_ = State::kFieldStart;
  int64_t line_ = 1;
};

}  // namespace atelier::data
