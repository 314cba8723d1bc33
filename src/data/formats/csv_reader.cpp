#include "data/formats/csv_reader.h"

#include <algorithm>
#include <cstring>

#include "base/ids.h"

namespace atelier::data {
namespace {

bool IsAscii(std::string_view bytes) {
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, sizeof(word));
    if ((word & 0x8080808080808080ULL) != 0) {
      return false;
    }
  }
  return std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(i), bytes.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

CsvReader::CsvReader(ChunkSource source, char delimiter, std::string name, int64_t skip_lines, bool quotes)
    : source_(std::move(source)),
      delimiter_(delimiter),
      name_(std::move(name)),
      skip_lines_(skip_lines),
      quotes_(quotes) {
  for (const char c : {delimiter, '\n', '\r', '\0'}) {
    special_.at(static_cast<unsigned char>(c)) = true;
  }
}

CsvReader::CsvReader(ChunkSource source, char delimiter, std::string name, const CsvPosition& position, bool quotes)
    : CsvReader(std::move(source), delimiter, std::move(name), 0, quotes) {
  started_ = true;
  taken_ = position.offset;
  line_ = position.line;
  skip_line_feed_ = position.skip_line_feed;
}

Error CsvReader::Bad(const CsvRow& row, const std::string& what) const {
  return InvalidArgument(
      name_ + ": row " + std::to_string(row.line_) + ", column " + std::to_string(row.size() + 1) + ": " + what,
      "files", "invalid_csv");
}

Result<bool> CsvReader::Fill() {
  ATELIER_ASSIGN(chunk, source_());
  chunk_ = chunk;
  taken_ += chunk.size();
  return !chunk_.empty();
}

// Byte order marks and the lines to leave out.
Status CsvReader::Start() {
  started_ = true;
  while (head_.size() < 3) {
    ATELIER_ASSIGN(more, Fill());
    if (!more) {
      break;
    }
    head_.append(chunk_);
  }
  chunk_ = head_;
  if (chunk_.starts_with("\xFF\xFE") || chunk_.starts_with("\xFE\xFF")) {
    return InvalidArgument(name_ + ": this is UTF-16; save it as UTF-8", "files", "invalid_csv");
  }
  if (chunk_.starts_with("\xEF\xBB\xBF")) {
    chunk_.remove_prefix(3);
  }
  while (line_ <= skip_lines_) {
    const size_t end = chunk_.find('\n');
    if (end != std::string_view::npos) {
      chunk_.remove_prefix(end + 1);
      ++line_;
      continue;
    }
    ATELIER_ASSIGN(more, Fill());
    if (!more) {
      break;
    }
  }
  return {};
}

Result<bool> CsvReader::Next(CsvRow& row) {
  row.text_.clear();
  row.ends_.clear();
  row.ascii_ = true;
  row.line_ = line_;
  state_ = State::kFieldStart;
  if (!started_) {
    ATELIER_TRY(Start());
    row.line_ = line_;
  }
  while (state_ != State::kRowEnd) {
    if (chunk_.empty()) {
      ATELIER_ASSIGN(more, Fill());
      if (!more) {
        ATELIER_TRY(AtEnd(row));
        return row.size() > 0;
      }
    }
    ATELIER_TRY(Step(row));
  }
  return true;
}

Status CsvReader::Step(CsvRow& row) {
  const char c = chunk_.front();
  if (skip_line_feed_) {
    skip_line_feed_ = false;
    if (c == '\n') {
      chunk_.remove_prefix(1);
      return {};
    }
  }
  switch (state_) {
    case State::kFieldStart:
      if (c == '"' && quotes_) {
        chunk_.remove_prefix(1);
        state_ = State::kQuoted;
        return {};
      }
      if (c == ' ' && delimiter_ == ' ') {
        chunk_.remove_prefix(1);
        return {};
      }
      state_ = State::kPlain;
      return StepPlain(row);
    case State::kPlain:
      return StepPlain(row);
    case State::kQuoted:
      return StepQuoted(row);
    case State::kQuoteInQuoted:
      return AfterQuote(row);
    case State::kRowEnd:
      break;
  }
  return {};
}

Status CsvReader::StepPlain(CsvRow& row) {
  size_t run = 0;
  while (run < chunk_.size() && !special_[static_cast<unsigned char>(chunk_[run])]) {
    ++run;
  }
  ATELIER_TRY(Append(row, chunk_.substr(0, run)));
  chunk_.remove_prefix(run);
  if (chunk_.empty()) {
    return {};
  }
  const char end = chunk_.front();
  chunk_.remove_prefix(1);
  if (end == '\0') {
    return Bad(row, "a NUL byte; is this UTF-16 or a binary file?");
  }
  if (end == delimiter_) {
    state_ = State::kFieldStart;
    return EndField(row);
  }
  return EndRow(row, end);
}

Status CsvReader::StepQuoted(CsvRow& row) {
  const size_t quote = std::min(chunk_.find('"'), chunk_.size());
  const std::string_view run = chunk_.substr(0, quote);
  if (run.find('\0') != std::string_view::npos) {
    return Bad(row, "a NUL byte; is this UTF-16 or a binary file?");
  }
  line_ += std::ranges::count(run, '\n');
  if (row.Open() + run.size() > kMaxCsvFieldBytes) {
    return Bad(row, "a field of more than 1 MiB; its opening quote may have no closing one");
  }
  ATELIER_TRY(Append(row, run));
  chunk_.remove_prefix(quote);
  if (!chunk_.empty()) {
    chunk_.remove_prefix(1);
    state_ = State::kQuoteInQuoted;
  }
  return {};
}

Status CsvReader::AfterQuote(CsvRow& row) {
  const char c = chunk_.front();
  chunk_.remove_prefix(1);
  if (c == '"') {
    state_ = State::kQuoted;
    return Append(row, "\"");
  }
  if (c == delimiter_) {
    state_ = State::kFieldStart;
    return EndField(row);
  }
  if (c == '\n' || c == '\r') {
    return EndRow(row, c);
  }
  return Bad(row, "text behind a closing quote; a quote inside a quoted field is written twice");
}

Status CsvReader::Append(CsvRow& row, std::string_view bytes) {
  if (row.Open() + bytes.size() > kMaxCsvFieldBytes) {
    return Bad(row, "a field of more than 1 MiB");
  }
  if (row.text_.size() + bytes.size() > kMaxCsvRowBytes) {
    return Bad(row, "a row of more than 16 MiB");
  }
  row.ascii_ = row.ascii_ && IsAscii(bytes);
  row.text_.append(bytes);
  return {};
}

Status CsvReader::EndField(CsvRow& row) {
  if (row.size() >= kMaxCsvColumns) {
    return Bad(row, "more than " + std::to_string(kMaxCsvColumns) + " columns");
  }
  if (!row.ascii_) {
    const size_t begin = row.text_.size() - row.Open();
    if (!IsUtf8(std::string_view(row.text_).substr(begin))) {
      return Bad(row, "the text is no UTF-8; save the file as UTF-8");
    }
  }
  row.ends_.push_back(static_cast<uint32_t>(row.text_.size()));
  return {};
}

// Ends the row, unless nothing was in it: then goes on with the next.
Status CsvReader::EndRow(CsvRow& row, char end) {
  ++line_;
  skip_line_feed_ = end == '\r';
  const bool quoted = state_ == State::kQuoteInQuoted;
  const bool nothing = row.Open() == 0 && !quoted;
  if (nothing && row.size() == 0) {
    row.line_ = line_;
    state_ = State::kFieldStart;
    return {};
  }
  state_ = State::kRowEnd;
  return nothing && delimiter_ == ' ' ? Status() : EndField(row);
}

Status CsvReader::AtEnd(CsvRow& row) {
  if (state_ == State::kQuoted) {
    return Bad(row, "a quote is opened here and never closed");
  }
  const bool nothing = row.Open() == 0 && state_ != State::kQuoteInQuoted;
  if (nothing && (row.size() == 0 || delimiter_ == ' ')) {
    return {};
  }
  return EndField(row);
}

}  // namespace atelier::data
