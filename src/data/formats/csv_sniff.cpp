#include "data/formats/csv_sniff.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "data/formats/cells.h"
#include "data/formats/csv_reader.h"

namespace atelier::data {
namespace {

constexpr size_t kSniffRows = 100;
using Rows = std::vector<std::vector<std::string>>;

struct Sample {
  Rows rows;
  bool broken = false;
};

Sample ReadSample(std::string_view text, bool whole, char delimiter, int64_t skip_lines, bool quotes = true) {
  Sample out;
  std::string_view rest = text;
  CsvReader reader([&]() -> Result<std::string_view> { return std::exchange(rest, std::string_view()); }, delimiter, "",
                   skip_lines, quotes);
  CsvRow row;
  while (out.rows.size() < kSniffRows) {
    const auto more = reader.Next(row);
    if (!more.ok()) {
      out.broken = whole;  // a sample may end inside quotes
      break;
    }
    if (!*more) {
      if (!whole && out.rows.size() > 1) {
        out.rows.pop_back();  // the sample may have cut it
      }
      break;
    }
    std::vector<std::string> fields;
    for (size_t i = 0; i < row.size(); ++i) {
      fields.emplace_back(Trim(row[i]));
    }
    out.rows.push_back(std::move(fields));
  }
  return out;
}

bool IsNumber(const std::string& cell) {
  double value = 0;
  return ParseNumber(cell, value) != NumberKind::kNone;
}

// Whether column `c` holds numbers, missing cells aside, from row `first` on.
bool NumericColumn(const Rows& rows, size_t c, size_t first) {
  bool any = false;
  for (size_t i = first; i < rows.size(); ++i) {
    if (c < rows[i].size() && !IsMissing(rows[i][c])) {
      if (!IsNumber(rows[i][c])) {
        return false;
      }
      any = true;
    }
  }
  return any;
}

// The share of rows that have the commonest number of columns; 0 where that number is one.
double Regularity(const Sample& sample) {
  std::map<size_t, size_t> counts;
  for (const auto& row : sample.rows) {
    ++counts[row.size()];
  }
  size_t best = 0;
  size_t columns = 1;
  for (const auto& [size, count] : counts) {
    if (count > best) {
      best = count;
      columns = size;
    }
  }
  if (columns < 2 || sample.rows.empty()) {
    return 0;
  }
  const double share = static_cast<double>(best) / static_cast<double>(sample.rows.size());
  return sample.broken ? share / 2 : share;
}

struct Guess {
  char delimiter = ',';
  double score = 0;
};

Guess GuessDelimiter(std::string_view text, bool whole, int64_t skip_lines) {
  // Rarer in text first: a comma may be a decimal one, a space stands in any sentence.
  Guess best{',', 0.5};
  for (const char delimiter : {'\t', ';', '|', ',', ' '}) {
    const Sample sample = ReadSample(text, whole, delimiter, skip_lines);
    double score = Regularity(sample);
    if (delimiter == '\t') {  // a quote may be a part of the text, see GuessQuotes
      score = std::max(score, Regularity(ReadSample(text, whole, delimiter, skip_lines, false)));
    } else if (delimiter == ' ') {
      bool numeric = false;
      for (size_t c = 0; !sample.rows.empty() && c < sample.rows.back().size(); ++c) {
        numeric = numeric || NumericColumn(sample.rows, c, 1);
      }
      if (!numeric) {
        continue;
      }
    }
    if (score > best.score) {
      best = {delimiter, score};
    }
  }
  return best;
}

// Whether quotes stand around fields. Between tabs they mostly do not, and a sentence may begin with one: so there it
// takes a field that begins and ends with one, and rows that are as regular when quotes are read as such.
bool GuessQuotes(std::string_view text, bool whole, const CsvDialect& dialect) {
  if (dialect.delimiter != '\t') {
    return true;
  }
  const Sample plain = ReadSample(text, whole, dialect.delimiter, dialect.skip_lines, false);
  const Sample quoted = ReadSample(text, whole, dialect.delimiter, dialect.skip_lines, true);
  if (Regularity(quoted) > Regularity(plain)) {
    return true;
  }
  bool any = false;
  for (const auto& row : plain.rows) {
    for (const auto& field : row) {
      if (field.starts_with('"')) {
        any = true;
        if (field.size() < 2 || !field.ends_with('"')) {
          return false;
        }
      }
    }
  }
  return any && !quoted.broken && Regularity(quoted) == Regularity(plain);
}

// scikit-learn's files begin with a line "rows,features,class names...".
bool IsCountLine(const Rows& rows) {
  if (rows.size() < 2 || rows[0].size() < 2) {
    return false;
  }
  double samples = 0;
  double features = 0;
  if (ParseNumber(rows[0][0], samples) != NumberKind::kInteger ||
      ParseNumber(rows[0][1], features) != NumberKind::kInteger || samples < 1 ||
      features + 1 != static_cast<double>(rows[1].size())) {
    return false;
  }
  const auto words =
      std::count_if(rows[0].begin() + 2, rows[0].end(), [](const auto& cell) { return !IsNumber(cell); });
  return words == static_cast<std::ptrdiff_t>(rows[0].size()) - 2 && (words > 0 || rows[0].size() != rows[1].size()) &&
         std::ranges::all_of(rows[1], IsNumber);
}

// Whether the options name a column by a cell of the first row: then it is a header.
bool IsNamed(const std::vector<std::string>& first, const ImportOptions& options) {
  return std::ranges::any_of(first, [&](const std::string& cell) {
    return !cell.empty() && (cell == options.target ||
                             std::ranges::any_of(options.types, [&](const auto& type) { return type.first == cell; }));
  });
}

bool GuessHeader(const Rows& rows) {
  if (rows.size() < 2) {
    return false;
  }
  const auto& first = rows[0];
  for (const auto& cell : first) {
    if (IsMissing(cell) || IsNumber(cell)) {
      return false;
    }
  }
  for (size_t c = 0; c < first.size(); ++c) {
    if (NumericColumn(rows, c, 1)) {
      return true;
    }
  }
  // Words only: a header does not come again below, while the values of some column do.
  bool repeats = false;
  for (size_t c = 0; c < first.size(); ++c) {
    std::set<std::string> seen;
    for (size_t i = 1; i < rows.size(); ++i) {
      if (c < rows[i].size()) {
        if (rows[i][c] == first[c]) {
          return false;
        }
        repeats = !seen.insert(rows[i][c]).second || repeats;
      }
    }
  }
  return repeats;
}

}  // namespace

CsvDialect SniffCsv(std::string_view sample, bool whole, const ImportOptions& options) {
  CsvDialect out;
  out.skip_lines = options.skip_lines;
  if (options.format == "tsv") {
    out.delimiter = '\t';
  } else {
    out.delimiter =
        options.delimiter.empty() ? GuessDelimiter(sample, whole, out.skip_lines).delimiter : options.delimiter.front();
  }
  out.quotes = options.quote == "auto" ? GuessQuotes(sample, whole, out) : options.quote == "yes";
  if (options.header != "auto") {
    out.header = options.header == "yes";
    return out;
  }
  const Rows rows = ReadSample(sample, whole, out.delimiter, out.skip_lines, out.quotes).rows;
  if (out.skip_lines == 0 && IsCountLine(rows)) {
    out.skip_lines = 1;
    out.warning = "the first line counts rows and columns and was left out";
    return out;
  }
  out.header = (!rows.empty() && IsNamed(rows[0], options)) || GuessHeader(rows);
  return out;
}

bool LooksLikeTable(std::string_view sample, bool whole) {
  constexpr double kRegular = 0.9;
  if (GuessDelimiter(sample, whole, 0).score >= kRegular) {
    return true;
  }
  const Rows rows = ReadSample(sample, whole, '\t', 0, false).rows;
  return rows.size() > 1 && NumericColumn(rows, 0, 1);
}

}  // namespace atelier::data
