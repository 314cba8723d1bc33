// Guessing how a CSV file is written, from its first rows.
#pragma once

#include <string>
#include <string_view>

#include "data/importer.h"

namespace atelier::data {

struct CsvDialect {
  char delimiter = ',';
  bool header = false;
  bool quotes = true;  // fields may stand in quotes
  int64_t skip_lines = 0;
  std::string warning;  // what the user should know about the guess; may be empty
};

inline constexpr size_t kSniffBytes = size_t{64} << 10U;

// `sample` is the beginning of the file, `whole` whether it is all of it. What the options say is not guessed.
CsvDialect SniffCsv(std::string_view sample, bool whole, const ImportOptions& options);

// Whether text of no known kind is a table: its rows have one number of columns, two or more, or one of numbers.
bool LooksLikeTable(std::string_view sample, bool whole);

}  // namespace atelier::data
